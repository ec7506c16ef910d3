//! What is remembered of a plan.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::Plan;
use super::record::{Made, Record, RecordedEdge, RecordedEnd};
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
        intent.edges.extend(made);
        intent
    }
}

impl Record {
    /// What is left of it once the graph is as declared: what the graph declares.
    #[must_use]
    pub fn reduced_to(&self, graph: &Graph) -> Self {
        let names = live_names(graph);
        let declared = declared_ends(graph, &names);
        let edges = self.edges.iter().filter(|edge| declared.contains(&edge.ends()));
        let told = graph.nodes().iter().filter(|node| !node.messages.is_empty());
        let sentences = |node: &Node| node.messages.iter().map(sentence).collect();
        Self {
            nodes: self.declared_nodes(graph),
            edges: edges.cloned().collect(),
            above: None,
            messages: told
                .map(|node| (node.live_name().into_owned(), sentences(node)))
                .collect(),
        }
    }

    fn declared_nodes(&self, graph: &Graph) -> BTreeMap<String, Vec<Made>> {
        let made = graph.nodes().iter().filter(|node| matches!(node.kind, Kind::Type(_)));
        let types: HashMap<_, &str> = made.map(|node| (node.live_name(), node.type_name())).collect();
        let nodes = self.nodes.iter().filter_map(|(name, made)| {
            let type_name = types.get(name.as_str())?;
            let made: Vec<Made> = made.iter().filter(|made| made.type_name == *type_name).cloned().collect();
            (!made.is_empty()).then(|| (name.clone(), made))
        });
        nodes.collect()
    }
}

/// The name in netgraph of each declared node.
pub fn live_names(graph: &Graph) -> Vec<Cow<'_, str>> {
    graph.nodes().iter().map(Node::live_name).collect()
}

/// The declared edges as they are recorded, from the nodes' names.
pub fn declared_ends<'g>(graph: &'g Graph, names: &'g [Cow<'g, str>]) -> HashSet<[RecordedEnd<'g>; 2]> {
    let end = |end: &'g End| (names[end.node].as_ref(), end.hook.as_str());
    let mut edges: Vec<_> = graph.edges().iter().map(|edge| [end(&edge.left), end(&edge.right)]).collect();
    edges.iter_mut().for_each(|ends| ends.sort_unstable());
    edges.into_iter().collect()
}

/// A message as it is recorded.
pub fn sentence((command, arguments): &(String, String)) -> String {
    format!("{command} {arguments}").trim_end().to_owned()
}
