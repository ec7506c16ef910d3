//! The graph as it was before an apply, as far as the apply may change it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use graph::{Dump, Graph, LiveNode, Record, Snapshot};
use netgraph::NodeId;

use super::work::Replaced;

/// Where errors about it would be.
const NAME: &str = "(the graph before)";

/// A graph as it was.
pub struct Before {
    dump: Dump,
    record: Record,
}

impl Before {
    /// Of the snapshot, what is declared or was made before. Settings that were replaced since, and messages to nodes that
    /// were made before, belong to it.
    pub fn new(snapshot: &Snapshot, graph: &Graph, record: &Record, replaced: Vec<Replaced>) -> Self {
        let declared: HashSet<Cow<'_, str>> = graph.nodes().iter().map(graph::Node::live_name).collect();
        let is_ours = |node: &&LiveNode| {
            node.name.as_ref().is_some_and(|name| declared.contains(name.as_str())) || record.owns(node)
        };
        let ours: HashSet<NodeId> = snapshot.nodes.iter().filter(is_ours).map(|node| node.id).collect();
        let mut dump = Dump::of(snapshot, &|node| ours.contains(&node.id));
        for (name, sentences) in &record.messages {
            let sentences = sentences
                .iter()
                .map(|sentence| sentence.split_once(' ').unwrap_or((sentence, "")));
            for (command, arguments) in sentences {
                dump.tell(name, command, arguments);
            }
        }
        for Replaced { node, message } in replaced.into_iter().rev() {
            dump.tell(&node, &message.0, &message.1);
        }
        let record = record.clone();
        Self { dump, record }
    }

    /// It, as a declared graph.
    pub fn graph(&self) -> Graph {
        self.dump.to_graph(Path::new(NAME))
    }

    /// What was made of it.
    pub fn into_record(self) -> Record {
        self.record
    }
}
