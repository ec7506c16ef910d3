//! Nodes that were made and not named any more, because the process that made them was killed in between.
//!
//! Such a node is known by what was recorded before it was made: it is of a type that was expected, and at the end of a
//! link that was expected, or, where it was made without one, younger than every node that was there when it was expected.

use std::borrow::Cow;

use netgraph::NodeId;
use rustc_hash::{FxHashMap, FxHashSet};

use super::record::Record;
use super::snapshot::{LiveNode, Snapshot};

/// The snapshot with names for nodes that were to get them.
pub fn assume_names<'a>(snapshot: &'a Snapshot, record: &Record) -> Cow<'a, Snapshot> {
    let names: FxHashSet<&str> = snapshot.nodes.iter().filter_map(|node| node.name.as_deref()).collect();
    let mut expected: Vec<(&str, &str)> = record.expected().filter(|(name, _)| !names.contains(name)).collect();
    if expected.is_empty() || !snapshot.nodes.iter().any(LiveNode::is_nameless) {
        return Cow::Borrowed(snapshot);
    }
    let by_id: FxHashMap<NodeId, usize> = snapshot
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| (node.id, index))
        .collect();
    let mut named = snapshot.clone();
    while let Some((position, index)) = find(&named, &by_id, record, &expected) {
        let (name, _) = expected.remove(position);
        named.nodes[index].name = Some(name.to_owned());
        named.nodes[index].assumed = true;
    }
    Cow::Owned(named)
}

/// An expected node, by position, and the nameless one that it is, by index.
fn find(
    snapshot: &Snapshot,
    by_id: &FxHashMap<NodeId, usize>,
    record: &Record,
    expected: &[(&str, &str)],
) -> Option<(usize, usize)> {
    expected.iter().enumerate().find_map(|(position, (name, kind))| {
        let fits = |node: &LiveNode| node.is_nameless() && node.type_name == *kind;
        let linked = record.edges_of(name).find_map(|(hook, (peer, peer_hook))| {
            let peer = snapshot.nodes.iter().find(|node| node.name.as_deref() == Some(peer))?;
            let link = peer.link(peer_hook).filter(|link| link.peer_hook == hook)?;
            by_id
                .get(&link.peer)
                .copied()
                .filter(|&index| fits(&snapshot.nodes[index]))
        });
        let is_young = |node: &LiveNode| node.links.is_empty() && record.above.is_some_and(|above| node.id.0 > above);
        let alone = || snapshot.nodes.iter().position(|node| fits(node) && is_young(node));
        linked.or_else(alone).map(|index| (position, index))
    })
}
