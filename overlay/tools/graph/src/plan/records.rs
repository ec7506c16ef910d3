//! What is remembered of a plan.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Plan;
use super::record::{Record, RecordedEdge, RecordedEnd};
use crate::{End, Graph, Kind, Node};

impl Plan {
    /// The record from when the plan is begun until it is done: what was made before, and what the plan makes.
    #[must_use]
    pub fn intent(&self, graph: &Graph, record: &Record) -> Record {
        let mut intent = record.clone();
        for &node in &self.made_nodes {
            let declared = &graph.nodes()[node];
            intent.messages.remove(declared.live_name().as_ref());
            intent.expect(declared.live_name().into_owned(), declared.type_name());
        }
        if !self.made_nodes.is_empty() {
            intent.above = Some(self.greatest);
        }
        let made = self.made_edges.iter().map(|&edge| &graph.edges()[edge]);
        let made = made.map(|edge| RecordedEdge::declared(graph, &edge.left, &edge.right));
        intent.edges.append(&mut made.collect());
        intent
    }
}

impl Record {
    /// What is left of it once the graph is as declared: what the graph declares.
    #[must_use]
    pub fn reduced_to(mut self, graph: &Graph) -> Self {
        let names = live_names(graph);
        let types: FxHashMap<&str, &str> = { names.iter().zip(graph.nodes()) }
            .filter(|(_, node)| matches!(node.kind, Kind::Type(_)))
            .map(|(name, node)| (name.as_ref(), node.type_name()))
            .collect();
        self.nodes.retain(|name, made| {
            let type_name = types.get(name.as_str());
            made.retain(|made| type_name == Some(&made.type_name.as_str()));
            !made.is_empty()
        });
        let edges = declared_ends(graph, &names);
        self.edges.retain(|edge| edges.contains(&edge.ends()));
        let told = graph.nodes().iter().filter(|node| !node.messages.is_empty());
        let sentences = |node: &Node| node.messages.iter().map(sentence).collect();
        self.messages = told
            .map(|node| (node.live_name().into_owned(), sentences(node)))
            .collect();
        self.above = None;
        self
    }
}

/// The name in netgraph of each declared node.
pub fn live_names(graph: &Graph) -> Vec<Cow<'_, str>> {
    graph.nodes().iter().map(Node::live_name).collect()
}

/// The declared edges as they are recorded, from the nodes' names.
pub fn declared_ends<'g>(graph: &'g Graph, names: &'g [Cow<'g, str>]) -> FxHashSet<[RecordedEnd<'g>; 2]> {
    let end = |end: &'g End| (names[end.node].as_ref(), end.hook.as_str());
    let mut edges: Vec<_> = graph
        .edges()
        .iter()
        .map(|edge| [end(&edge.left), end(&edge.right)])
        .collect();
    edges.iter_mut().for_each(|ends| ends.sort_unstable());
    edges.into_iter().collect()
}

/// A message as it is recorded.
pub fn sentence((command, arguments): &(String, String)) -> String {
    format!("{command} {arguments}").trim_end().to_owned()
}
