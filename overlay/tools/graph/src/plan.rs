//! What is missing from a live graph.

use std::collections::HashMap;

use netgraph::{HookName, NodeId};

use crate::error::Error;
use crate::suggest;
use crate::{End, Graph, Kind, Node, Origin, catalog};

/// A live graph, as far as planning needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Every node.
    pub nodes: Vec<LiveNode>,
}

/// A live node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveNode {
    /// Its ID.
    pub id: NodeId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The name of its type.
    pub type_name: String,
    /// Its links; needed for the declared nodes only.
    pub links: Vec<Link>,
}

/// A link of a live node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The hook on this side.
    pub hook: String,
    /// The node on the other side.
    pub peer: NodeId,
    /// The hook on the other side.
    pub peer_hook: String,
}

/// What is to be done, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Each action with what in the file asks for it.
    pub actions: Vec<(Origin, Action)>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make a node at the end of a link of one that is there, and name it.
    Make {
        /// The end that is there.
        at: End,
        /// The end to be made.
        new: End,
    },
    /// Make a node at the end of a link of this process's own node, and name it.
    MakeAlone {
        /// The end to be made.
        new: End,
    },
    /// Take away the link to this process's own node by which a node was made.
    Release {
        /// The node's end of it.
        end: End,
    },
    /// Link two nodes that are there.
    Connect {
        /// One end.
        left: End,
        /// The other end.
        right: End,
    },
    /// Send a message, unless the node is known to be in that state already.
    Send {
        /// The node.
        node: usize,
        /// Which of its messages.
        message: usize,
        /// Whether the node is made by this plan, and so in no state yet.
        made: bool,
    },
}

/// Compares a declared graph with a live one.
///
/// What the live graph has beyond the declared one is left alone.
///
/// # Errors
/// The live graph contradicts the declared one: a missing interface, a node of another type, a hook that is in use.
pub fn plan(graph: &Graph, live: &Snapshot) -> Result<Plan, Error> {
    let mut planner = Planner::new(graph, live)?;
    planner.find_missing_edges()?;
    planner.link();
    planner.make_unlinked();
    planner.send();
    Ok(planner.plan)
}

struct Planner<'a> {
    graph: &'a Graph,
    /// The live node of each declared one.
    live: Vec<Option<&'a LiveNode>>,
    /// By ID, for what is at the other end of a link.
    by_id: HashMap<NodeId, &'a LiveNode>,
    /// Whether each declared node is there at this point of the plan.
    there: Vec<bool>,
    /// Edges yet to be made.
    missing: Vec<usize>,
    /// The edge whose hook on that node holds the link to our own node.
    held: Vec<(usize, End)>,
    plan: Plan,
}

impl<'a> Planner<'a> {
    fn new(graph: &'a Graph, snapshot: &'a Snapshot) -> Result<Self, Error> {
        let named = |node: &'a LiveNode| node.name.as_deref().map(|name| (name, node));
        let by_name: HashMap<&str, &LiveNode> = snapshot.nodes.iter().filter_map(named).collect();
        let mut live = Vec::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            let found = by_name.get(node.live_name().as_str()).copied();
            check_kind(node, found, snapshot)
                .map_err(|(message, hint)| graph.error(Origin::Node(index), message, hint))?;
            live.push(found);
        }
        Ok(Self {
            graph,
            there: live.iter().map(Option::is_some).collect(),
            live,
            by_id: snapshot.nodes.iter().map(|node| (node.id, node)).collect(),
            missing: Vec::new(),
            held: Vec::new(),
            plan: Plan::default(),
        })
    }

    fn find_missing_edges(&mut self) -> Result<(), Error> {
        for (index, edge) in self.graph.edges.iter().enumerate() {
            let (left, right) = (self.link_at(&edge.left), self.link_at(&edge.right));
            let joined = left.is_some_and(|link| {
                self.live[edge.right.node].is_some_and(|peer| peer.id == link.peer)
                    && link.peer_hook == edge.right.hook.as_str()
            });
            if joined {
                continue;
            }
            for (end, link) in [(&edge.left, left), (&edge.right, right)] {
                if let Some(link) = link {
                    return Err(self.in_use(index, end, link));
                }
            }
            self.missing.push(index);
        }
        Ok(())
    }

    fn link_at(&self, end: &End) -> Option<&'a Link> {
        let mut links = self.live[end.node]?.links.iter();
        links.find(|link| link.hook == end.hook.as_str())
    }

    fn in_use(&self, edge: usize, end: &End, link: &Link) -> Error {
        let peer = self.by_id.get(&link.peer).and_then(|node| node.name.clone());
        let peer = peer.unwrap_or_else(|| link.peer.to_string());
        let address = self.graph.nodes[end.node].address();
        let message = format!(
            "the hook `{}` of `{address}` is in use: it leads to `{peer}:`, hook `{}`",
            end.hook, link.peer_hook
        );
        let hint = format!("`ng rmhook {address} {}` breaks that link", end.hook);
        self.graph.error(Origin::Edge(edge), message, Some(hint))
    }

    /// Makes the missing edges, and the missing nodes along them.
    fn link(&mut self) {
        while !self.missing.is_empty() {
            if !(self.link_reachable(false) || self.link_reachable(true)) {
                self.start_alone();
            }
        }
    }

    /// Makes every edge that has an end to start from; those whose hook is held only when asked for.
    fn link_reachable(&mut self, release: bool) -> bool {
        let mut progress = false;
        let mut kept = Vec::new();
        for index in std::mem::take(&mut self.missing) {
            let edge = &self.graph.edges[index];
            let held = self.held.iter().position(|(held, _)| *held == index);
            let reachable = self.there[edge.left.node] || self.there[edge.right.node];
            if !reachable || (held.is_some() && (!release || progress)) {
                kept.push(index);
                continue;
            }
            if let Some(position) = held {
                let (_, end) = self.held.remove(position);
                self.act(Origin::Edge(index), Action::Release { end });
            }
            self.make_edge(index);
            progress = true;
        }
        self.missing = kept;
        progress
    }

    fn make_edge(&mut self, index: usize) {
        let edge = &self.graph.edges[index];
        let (left, right) = (edge.left.clone(), edge.right.clone());
        let action = match (self.there[left.node], self.there[right.node]) {
            (true, true) => Action::Connect { left, right },
            (true, false) => Action::Make { at: left, new: right },
            (false, _) => Action::Make { at: right, new: left },
        };
        self.there[edge.left.node] = true;
        self.there[edge.right.node] = true;
        self.act(Origin::Edge(index), action);
    }

    /// Makes the node with the most missing edges from our own node, on the hook of its last edge.
    fn start_alone(&mut self) {
        let mut degree: HashMap<usize, usize> = HashMap::new();
        for &index in &self.missing {
            let edge = &self.graph.edges[index];
            *degree.entry(edge.left.node).or_default() += 1;
            *degree.entry(edge.right.node).or_default() += 1;
        }
        let most = degree
            .iter()
            .max_by_key(|&(&node, &edges)| (edges, std::cmp::Reverse(node)));
        let Some((&node, _)) = most else { return };
        let touches = |index: &&usize| {
            let edge = &self.graph.edges[**index];
            edge.left.node == node || edge.right.node == node
        };
        let Some(&index) = self.missing.iter().rfind(touches) else {
            return;
        };
        let edge = &self.graph.edges[index];
        let end = if edge.left.node == node {
            &edge.left
        } else {
            &edge.right
        };
        self.there[node] = true;
        self.held.push((index, end.clone()));
        self.act(Origin::Node(node), Action::MakeAlone { new: end.clone() });
    }

    /// Makes missing nodes that have no edges.
    fn make_unlinked(&mut self) {
        for node in 0..self.graph.nodes.len() {
            let hook = catalog::of_lasting_type(self.graph.nodes[node].type_name());
            let hook = hook.and_then(|hook| hook.parse::<HookName>().ok());
            if let (false, Some(hook)) = (self.there[node], hook) {
                let end = End { node, hook };
                self.act(Origin::Node(node), Action::MakeAlone { new: end.clone() });
                self.act(Origin::Node(node), Action::Release { end });
            }
        }
    }

    fn send(&mut self) {
        for (node, declared) in self.graph.nodes.iter().enumerate() {
            let made = self.live[node].is_none();
            for message in 0..declared.messages.len() {
                self.act(Origin::Message(node, message), Action::Send { node, message, made });
            }
        }
    }

    fn act(&mut self, origin: Origin, action: Action) {
        self.plan.actions.push((origin, action));
    }
}

/// A declared node and the live one of its name must be of the same type.
fn check_kind(node: &Node, live: Option<&LiveNode>, snapshot: &Snapshot) -> Result<(), (String, Option<String>)> {
    match (&node.kind, live) {
        (_, Some(live)) if live.type_name == node.type_name() => Ok(()),
        (_, Some(live)) => Err((
            format!(
                "the node `{}:` exists, but is of type {}, not {}",
                node.live_name(),
                live.type_name,
                node.type_name()
            ),
            Some("give this one another name, or shut that one down".to_owned()),
        )),
        (Kind::Type(_), None) => Ok(()),
        (Kind::Interface(_), None) => {
            let name = &node.live_name();
            let ethers = snapshot.nodes.iter().filter(|node| node.type_name == "ether");
            let names: Vec<&str> = ethers.filter_map(|node| node.name.as_deref()).collect();
            let hint = if names.is_empty() {
                "there is no Ethernet interface with a netgraph node; is the module ng_ether loaded?".to_owned()
            } else {
                suggest::hint(name, &names).unwrap_or_default()
            };
            Err((format!("there is no interface `{name}`"), Some(hint)))
        }
    }
}

#[cfg(test)]
mod tests;
