//! Pictures of a graph: what is drawn, wherever it comes from ([`live`], [`declared`]), and how ([`dot`], [`mermaid`], [`svg`]).

pub mod declared;
pub mod dot;
mod layout;
pub mod live;
pub mod mermaid;
pub mod svg;

use std::collections::BTreeMap;

use netgraph::NodeId;
use serde::Serialize;

pub use layout::Direction;

/// A graph as it is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Drawing {
    /// The nodes, in the order in which they are written.
    pub nodes: Vec<Node>,
    /// The links, each once.
    pub edges: Vec<Edge>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The name of its type.
    pub r#type: String,
    /// Its ID, unless the graph is only declared.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "hexadecimal")]
    pub id: Option<NodeId>,
    /// The interface that it stands for, where that is not its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// What it is drawn as.
    pub class: Class,
}

/// What a node is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A network interface.
    Interface,
    /// What passes frames on between several links.
    Switch,
    /// The end of a socket: a process's, or one of the kernel's own.
    Socket,
    /// Anything else.
    Other,
}

/// A link between two hooks, of two nodes or of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// One end.
    pub left: End,
    /// The other end.
    pub right: End,
}

/// One end of a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct End {
    /// Index into [`Drawing::nodes`].
    pub node: usize,
    /// The hook on that node.
    pub hook: String,
}

/// An ID as all JSON has it.
#[expect(clippy::ref_option, reason = "serde passes the field")]
fn hexadecimal<S: serde::Serializer>(id: &Option<NodeId>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{:08x}", id.map_or(0, |id| id.0)))
}

impl Class {
    /// The class of a type's nodes.
    pub fn of(type_name: &str) -> Self {
        match type_name {
            "ether" | "eiface" | "iface" | "gif" => Self::Interface,
            "bridge" | "hub" | "one2many" | "vlan" | "vlan_rotate" => Self::Switch,
            "socket" | "ksocket" | "btsocket" => Self::Socket,
            _ => Self::Other,
        }
    }
}

impl Node {
    /// What the node is called: its name, or `[id]`.
    pub fn label(&self) -> String {
        match (&self.name, self.id) {
            (Some(name), _) => name.clone(),
            (None, Some(id)) => id.to_string(),
            (None, None) => String::new(),
        }
    }

    /// Its type, and the interface it stands for.
    pub fn detail(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{} {interface}", self.r#type),
            None => self.r#type.clone(),
        }
    }
}

impl Drawing {
    /// Whether a link leads back to its own node.
    fn is_loop(edge: &Edge) -> bool {
        edge.left.node == edge.right.node
    }

    /// The nodes at the other ends of each node's links.
    fn neighbours(&self) -> Vec<Vec<usize>> {
        let mut neighbours = vec![Vec::new(); self.nodes.len()];
        for Edge { left, right } in &self.edges {
            neighbours[left.node].push(right.node);
            neighbours[right.node].push(left.node);
        }
        neighbours
    }

    /// How many links away each node is from this one; None: no links lead there.
    fn distances(&self, from: usize) -> Vec<Option<usize>> {
        let neighbours = self.neighbours();
        let mut distances = vec![None; self.nodes.len()];
        distances[from] = Some(0);
        let mut reached = vec![from];
        let mut next = 0;
        while let Some(&node) = reached.get(next) {
            for &other in &neighbours[node] {
                if distances[other].is_none() {
                    distances[other] = distances[node].map(|distance| distance + 1);
                    reached.push(other);
                }
            }
            next += 1;
        }
        distances
    }

    /// Only what can be reached from a node, over so many links at most.
    pub fn around(&self, node: usize, depth: Option<usize>) -> Self {
        let distances = self.distances(node);
        let depth = depth.unwrap_or(usize::MAX);
        self.only(|index| distances[index].is_some_and(|distance| distance <= depth))
    }

    /// Only the nodes that are wanted, with the links between them.
    pub fn only(&self, is_wanted: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.nodes.len()).filter(|&index| is_wanted(index)).collect();
        let places: BTreeMap<usize, usize> = kept.iter().enumerate().map(|(new, &old)| (old, new)).collect();
        let moved = |end: &End| {
            let node = *places.get(&end.node)?;
            let hook = end.hook.clone();
            Some(End { node, hook })
        };
        let edges = self.edges.iter().filter_map(|edge| {
            let (left, right) = (moved(&edge.left)?, moved(&edge.right)?);
            Some(Edge { left, right })
        });
        Self {
            nodes: kept.iter().map(|&index| self.nodes[index].clone()).collect(),
            edges: edges.collect(),
        }
    }
}

#[cfg(test)]
mod tests;
