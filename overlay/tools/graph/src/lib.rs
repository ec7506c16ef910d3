//! The declared graph: `graph.yaml`.
//!
//! ```yaml
//! version: 1
//! nodes:
//!   wan:  { interface: vtnet1, messages: [ setpromisc: 1 ] }   # the ng_ether(4) node of an interface
//!   tap0: { type: tee }                                        # a node that is made, of any type
//!   sw0:  { type: bridge }
//! edges:
//!   - wan.lower  -- tap0.left
//!   - tap0.right -- sw0.link0
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `version` | `1`, this syntax |
//! | `nodes` | each by the name that it is to have: `interface` or `type`; `messages` to send it; `mac`, `rename` and `jail` of the interface that a node stands for or makes |
//! | `interface` | its name, or what stays when names change: `{ mac: … }`, `{ pci: … }` or `{ order: N }` |
//! | `edges` | `node.hook -- node.hook` |
//! | `jail` | the jail in whose network stack the whole graph is |
//! | `loops` | `allow`: frames may go round in a circle |
//! | `types` | node types of one's own: they are no slips of known ones |
//!
//! [`Graph::parse`] reads and checks it: an error names file, line and column, shows the line, and has all other mistakes
//! with it. Hooks are checked for the types in the [`catalog`]; of others the kernel alone knows, which is a warning. What the
//! kernel accepts though it does nothing, such as a bundle of links that leads nowhere, is a [`Warning`] too.
//! [`plan()`] compares a graph with a live one and says, step by step, what is missing. None of it needs FreeBSD.

mod arguments;
pub mod catalog;
mod checks;
mod dump;
mod error;
mod names;
mod parse;
mod plan;
mod schema;
mod selector;
pub mod suggest;
pub mod words;
mod yaml;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use netgraph::{Address, HookName, NodeName, TypeName};

pub use dump::Dump;
pub use error::{Error, Position, Warning};
pub use plan::{Action, Link, LiveEnd, LiveNode, Made, Plan, Record, RecordedEdge, Snapshot, Told, plan};
pub use schema::SCHEMA;
pub use selector::{Mac, NetworkInterface, PciAddress, Selector};

use parse::Places;

/// A graph that was read and found consistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    jail: Option<String>,
    loops: bool,
    warnings: Vec<Warning>,
    places: Places,
    file: PathBuf,
    text: String,
}

/// A declared node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What the file calls it.
    pub name: NodeName,
    /// What it is.
    pub kind: Kind,
    /// Messages to send it, as command and arguments in words.
    pub messages: Vec<(String, String)>,
    /// The hardware address that its interface is to have.
    pub mac: Option<Mac>,
    /// The name that its interface is to have.
    pub rename: Option<String>,
    /// The jail with a network stack of its own that its interface is to be moved to, by name.
    pub jail: Option<String>,
}

/// What a declared node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The ng_ether(4) node of a network interface, which exists with the interface and has its name.
    Interface(Selector),
    /// A node of that type, made when it is missing, with the declared name.
    Type(TypeName),
}

/// A declared edge between two hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The end that was written first.
    pub left: End,
    /// The other end.
    pub right: End,
}

/// One end of an edge.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct End {
    /// Index into [`Graph::nodes`].
    pub node: usize,
    /// The hook on that node.
    pub hook: HookName,
}

/// A network interface that a graph needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The node that stands for it.
    pub node: String,
    /// Which one it is.
    pub selector: Selector,
    /// The line that names it, counted from 1.
    pub line: usize,
}

/// Something in a graph file that an error can point at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The node with that index.
    Node(usize),
    /// The edge with that index.
    Edge(usize),
    /// A node's message, by index of the node and of the message.
    Message(usize, usize),
}

impl Node {
    /// The name that the node has in netgraph: that of the interface, with `_` for the `.` and `:` that no node name can
    /// have (ng_ether.c does the same), or the declared one. Where the interface is not chosen by name, it is the
    /// declared name until [`Graph::resolve`] has found it.
    #[must_use]
    pub fn live_name(&self) -> Cow<'_, str> {
        match &self.kind {
            Kind::Interface(Selector::Name(name)) => name.replace(['.', ':'], "_").into(),
            _ => self.name.as_str().into(),
        }
    }

    /// The node's address in netgraph.
    ///
    /// # Panics
    /// Never: names were checked when the graph was read.
    #[must_use]
    pub fn address(&self) -> Address {
        let name = match self.live_name() {
            Cow::Borrowed(_) => return Address::from(&self.name),
            Cow::Owned(name) => name,
        };
        let address = format!("{name}:").parse();
        address.unwrap_or_else(|error| unreachable!("the name was checked: {error}"))
    }

    /// The name of the node's type; `ether` for interfaces.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match &self.kind {
            Kind::Interface(_) => "ether",
            Kind::Type(name) => name.as_str(),
        }
    }
}

impl Graph {
    /// Reads and checks a graph; `file` is only what errors call it.
    ///
    /// # Errors
    /// It is no YAML, has unknown keys, or contradicts itself; the error shows the line, and has the other mistakes of the
    /// file with it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Error> {
        parse::parse(text, file)
    }

    /// The text that it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The declared nodes, in the file's order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The declared edges, in the file's order.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The jail, by name, in whose network stack the whole graph is; None: in that of the process.
    #[must_use]
    pub fn jail(&self) -> Option<&str> {
        self.jail.as_deref()
    }

    /// Whether the file allows edges by which frames go round in a circle.
    #[must_use]
    pub fn allows_loops(&self) -> bool {
        self.loops
    }

    /// What is accepted, but most likely not meant, in the file's order.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The same graph with every interface chosen by name, as it is found among those that are there.
    ///
    /// # Errors
    /// None is like that, or several are; the error shows the line.
    pub fn resolve(&self, interfaces: &[NetworkInterface]) -> Result<Self, Error> {
        let mut resolved = self.clone();
        for (index, node) in resolved.nodes.iter_mut().enumerate() {
            if let Kind::Interface(selector) = &mut node.kind {
                let name = selector
                    .find(interfaces, node.rename.as_deref())
                    .map_err(|(message, hint)| self.error(Origin::Node(index), message, hint))?;
                *selector = Selector::Name(name);
            }
        }
        Ok(resolved)
    }

    /// The network interfaces that the graph needs, in the file's order.
    pub fn interfaces(&self) -> impl Iterator<Item = Interface> {
        let places = self.nodes.iter().zip(&self.places.nodes);
        places.filter_map(|(node, place)| match &node.kind {
            Kind::Interface(selector) => Some(Interface {
                node: node.name.to_string(),
                selector: selector.clone(),
                line: place.kind.line,
            }),
            Kind::Type(_) => None,
        })
    }

    /// An error about something in this graph.
    #[must_use]
    pub fn error(&self, origin: Origin, message: impl Into<String>, hint: Option<String>) -> Error {
        Error::new(&self.file, &self.text, self.position(origin), message).hint(hint)
    }

    /// Where something stands.
    #[must_use]
    pub fn position(&self, origin: Origin) -> Option<Position> {
        let node = |index: usize| self.places.nodes.get(index);
        match origin {
            Origin::Node(index) => node(index).map(|place| place.name),
            Origin::Edge(index) => self.places.edges.get(index).map(|place| place.edge),
            Origin::Message(index, message) => node(index)?.messages.get(message).copied(),
        }
    }

    /// An end in the file's words: `node.hook`.
    #[must_use]
    pub fn end(&self, end: &End) -> String {
        [self.nodes[end.node].name.as_str(), ".", end.hook.as_str()].concat()
    }
}
