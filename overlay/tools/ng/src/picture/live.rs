//! The live graph, to be drawn.

use std::collections::{BTreeMap, BTreeSet};

use netgraph::{Address, GetNodeInfo, HookList, ListHooks, ListNodes, NodeInfo, Transport};

use super::{Class, Drawing, Edge, End, Node};
use crate::failure::Result;
use crate::session::Session;

/// Every node but ng's own, which comes and goes with the command, unless it has hooks. Nodes that went meanwhile are left
/// out.
pub fn everything<T: Transport>(session: &mut Session<T>) -> Result<Drawing> {
    let own = session.request(&Address::here(), &GetNodeInfo)?.id;
    let nodes = session.request(&Address::here(), &ListNodes)?;
    let shown = nodes.iter().filter(|node| node.id != own || node.hooks > 0);
    let lists = shown.filter_map(|node| session.socket.request(&node.address(), &ListHooks).ok());
    Ok(drawing(lists.collect()))
}

/// A node and all that its links lead to, over so many links at most.
pub fn around<T: Transport>(session: &mut Session<T>, path: &Address, depth: Option<usize>) -> Result<Drawing> {
    let mut lists = vec![session.request(path, &ListHooks)?];
    let mut seen = BTreeSet::from([lists[0].node.id]);
    let (mut begin, mut distance) = (0, 0);
    while begin < lists.len() && depth.is_none_or(|depth| distance < depth) {
        let links = lists[begin..].iter().flat_map(|list| &list.links);
        let peers: Vec<NodeInfo> = links.map(|link| link.peer.clone()).collect();
        begin = lists.len();
        distance += 1;
        let new = peers.into_iter().filter(|peer| seen.insert(peer.id));
        lists.extend(new.filter_map(|peer| session.socket.request(&peer.address(), &ListHooks).ok()));
    }
    Ok(drawing(lists))
}

/// Nodes with a name come first, in its order; the rest in the order of their IDs.
fn rank(node: &NodeInfo) -> (bool, Option<&str>, u32) {
    (node.name.is_none(), node.name.as_deref(), node.id.0)
}

fn drawing(mut lists: Vec<HookList>) -> Drawing {
    lists.sort_by(|a, b| rank(&a.node).cmp(&rank(&b.node)));
    Drawing {
        nodes: lists.iter().map(|list| node(&list.node)).collect(),
        edges: edges(&lists).into_iter().collect(),
    }
}

fn node(info: &NodeInfo) -> Node {
    Node {
        name: info.name.clone(),
        r#type: info.type_name.clone(),
        id: Some(info.id),
        interface: None,
        class: Class::of(&info.type_name),
    }
}

/// Each link once, though both of its nodes tell of it. One that leads to a node that is not listed is left out.
fn edges(lists: &[HookList]) -> BTreeSet<Edge> {
    let places = lists.iter().enumerate().map(|(place, list)| (list.node.id, place));
    let places: BTreeMap<_, _> = places.collect();
    let mut edges = BTreeSet::new();
    for (here, list) in lists.iter().enumerate() {
        for link in &list.links {
            let Some(&there) = places.get(&link.peer.id) else {
                continue;
            };
            let end = |node, hook: &str| End {
                node,
                hook: hook.to_owned(),
            };
            let (one, other) = (end(here, &link.hook), end(there, &link.peer_hook));
            edges.insert(Edge {
                left: one.clone().min(other.clone()),
                right: one.max(other),
            });
        }
    }
    edges
}
