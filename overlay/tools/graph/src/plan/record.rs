//! What was made for declared graphs: the memory by which `ng` tells its own from somebody else's.

use std::collections::{BTreeMap, BTreeSet};

use netgraph::{NodeId, NodeInfo};
use serde::{Deserialize, Deserializer, Serialize};

use super::snapshot::LiveNode;
use crate::{End, Graph};

/// Everything that was made, by names in netgraph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Nodes by name; several of one name while one takes the place of another.
    pub nodes: BTreeMap<String, Vec<Made>>,
    /// Links.
    #[serde(deserialize_with = "at_once")]
    pub edges: BTreeSet<RecordedEdge>,
    /// The greatest ID of all nodes that there were before the nodes were made whose ID is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<u32>,
    /// Messages that were sent, as `command arguments`, by the node's name.
    pub messages: BTreeMap<String, BTreeSet<String>>,
}

/// A node that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its ID; None while it is not certain that it was made.
    pub id: Option<u32>,
}

/// Node and hook.
pub(super) type RecordedEnd<'a> = (&'a str, &'a str);

/// A link that was made: node and hook of both ends, the lesser end first.
///
/// It is one text, `node.hook:node.hook`, since there are thousands of them; no name has a dot or a colon.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RecordedEdge(String);

impl TryFrom<String> for RecordedEdge {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match split(&text) {
            Some(_) => Ok(Self(text)),
            None => Err(format!("`{text}` is no link")),
        }
    }
}

/// Reads a set that was written in order: it is made as a whole, while serde would look for the place of each value.
fn at_once<'de, D: Deserializer<'de>, V: Deserialize<'de> + Ord>(from: D) -> Result<BTreeSet<V>, D::Error> {
    Vec::deserialize(from).map(BTreeSet::from_iter)
}

/// Node and hook of both ends.
fn split(edge: &str) -> Option<[RecordedEnd<'_>; 2]> {
    let (left, right) = edge.split_once(':')?;
    Some([left.split_once('.')?, right.split_once('.')?])
}

impl Made {
    fn is(&self, node: &LiveNode) -> bool {
        self.type_name == node.type_name && self.id.is_none_or(|id| NodeId(id) == node.id)
    }
}

impl RecordedEdge {
    /// A link between two hooks, in either order.
    #[must_use]
    pub fn new(left: (&str, &str), right: (&str, &str)) -> Self {
        let [first, second] = if left <= right { [left, right] } else { [right, left] };
        Self([first.0, ".", first.1, ":", second.0, ".", second.1].concat())
    }

    /// A declared edge.
    #[must_use]
    pub fn declared(graph: &Graph, left: &End, right: &End) -> Self {
        let name = |end: &End| graph.nodes()[end.node].live_name();
        Self::new((&name(left), left.hook.as_str()), (&name(right), right.hook.as_str()))
    }

    fn ends_both_ways(&self) -> [(RecordedEnd<'_>, RecordedEnd<'_>); 2] {
        let [one, other] = self.ends();
        [(one, other), (other, one)]
    }

    /// Node and hook of both ends, the lesser end first.
    pub(super) fn ends(&self) -> [RecordedEnd<'_>; 2] {
        split(&self.0).unwrap_or_default()
    }
}

impl Record {
    /// Whether a live node is one that was made.
    #[must_use]
    pub fn owns(&self, node: &LiveNode) -> bool {
        let made = node.name.as_ref().and_then(|name| self.nodes.get(name));
        made.into_iter().flatten().any(|made| made.is(node))
    }

    /// Whether a live node may be an end of a link that was made: it is not another one than the node of that name that was.
    pub(super) fn may_link(&self, node: &LiveNode) -> bool {
        let made = node.name.as_ref().and_then(|name| self.nodes.get(name));
        made.is_none() || self.owns(node)
    }

    /// Records that a node is about to be made.
    pub(super) fn expect(&mut self, name: String, type_name: &str) {
        let type_name = type_name.to_owned();
        let made = self.nodes.entry(name).or_default();
        made.retain(|made| made.type_name != type_name);
        made.push(Made { type_name, id: None });
    }

    /// Name and type of the nodes that were to be made, and of which it is not certain that they were.
    pub(super) fn expected(&self) -> impl Iterator<Item = (&str, &str)> {
        let nodes = self
            .nodes
            .iter()
            .flat_map(|(name, made)| made.iter().map(move |made| (name, made)));
        nodes
            .filter(|(_, made)| made.id.is_none())
            .map(|(name, made)| (name.as_str(), made.type_name.as_str()))
    }

    /// The links of the node of that name: its hook, and node and hook of the other end.
    pub(super) fn edges_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, RecordedEnd<'a>)> {
        self.edges
            .iter()
            .flat_map(RecordedEdge::ends_both_ways)
            .filter_map(move |(end, other)| (end.0 == name).then_some((end.1, other)))
    }

    /// Fills in the IDs of the nodes that were made.
    pub fn identify<'a>(&mut self, live: impl IntoIterator<Item = &'a NodeInfo>) {
        for node in live {
            let made = node.name.as_ref().and_then(|name| self.nodes.get_mut(name));
            for made in made
                .into_iter()
                .flatten()
                .filter(|made| made.type_name == node.type_name)
            {
                made.id = Some(node.id.0);
            }
        }
    }

    /// Whether nothing is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.edges.is_empty() && self.messages.is_empty()
    }

    /// The names of all nodes that something is recorded of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let ends = self.edges.iter().flat_map(RecordedEdge::ends).map(|(name, _)| name);
        self.nodes.keys().map(String::as_str).chain(ends)
    }
}
