//! The live graph, as planning wants it.

use std::borrow::Cow;

use graph::{Graph, Link, LiveNode, Record, Snapshot};
use netgraph::{Address, Errno, ListHooks, ListNodes, NodeId, NodeInfo, Transport};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::failure::Result;
use crate::session::Session;
use crate::verbs::tap::names::is_tap_name;

/// Every node, with the links of those that are declared or recorded, and of those without a name of their own.
///
/// Nodes that `ng tap` has put between others are seen through.
pub fn snapshot<T: Transport>(session: &mut Session<T>, graph: &Graph, record: &Record) -> Result<Snapshot> {
    let declared = graph.nodes().iter().map(graph::Node::live_name);
    let wanted: FxHashSet<Cow<'_, str>> = declared.chain(record.names().map(Cow::from)).collect();
    survey(session, &|node| {
        node.name.as_deref().is_none_or(|name| wanted.contains(name))
    })
}

/// Every node, with the links of all but sockets.
pub fn everything<T: Transport>(session: &mut Session<T>) -> Result<Snapshot> {
    survey(session, &|_| true)
}

fn survey<T: Transport>(session: &mut Session<T>, is_wanted: &dyn Fn(&LiveNode) -> bool) -> Result<Snapshot> {
    let infos = session.request(&Address::here(), &ListNodes)?;
    let mut nodes: Vec<LiveNode> = infos.into_iter().map(node_of).collect();
    let asked: FxHashSet<NodeId> = {
        let has_links = |node: &&LiveNode| node.hooks > 0 && node.type_name != "socket";
        let is_asked = |node: &&LiveNode| is_wanted(node) || node.is_nameless() || is_tap(node);
        nodes
            .iter()
            .filter(has_links)
            .filter(is_asked)
            .map(|node| node.id)
            .collect()
    };
    let mut links = links(session, &nodes, &asked)?;
    for node in &mut nodes {
        node.links = links.remove(&node.id).unwrap_or_default();
    }
    Ok(Snapshot {
        nodes: see_through(nodes),
    })
}

fn node_of(info: NodeInfo) -> LiveNode {
    LiveNode {
        id: info.id,
        name: info.name,
        assumed: false,
        type_name: info.type_name,
        hooks: info.hooks,
        links: Vec::new(),
    }
}

/// The links of those nodes. A link is told by both of its ends, so a node of which all are known need not be asked: those
/// with many links are asked first.
fn links<T: Transport>(
    session: &mut Session<T>,
    nodes: &[LiveNode],
    asked: &FxHashSet<NodeId>,
) -> Result<FxHashMap<NodeId, Vec<Link>>> {
    let mut known: FxHashMap<NodeId, Vec<Link>> = FxHashMap::default();
    let mut order: Vec<&LiveNode> = nodes.iter().filter(|node| asked.contains(&node.id)).collect();
    order.sort_by_key(|node| std::cmp::Reverse(node.hooks));
    for node in order {
        let found = known.get(&node.id).map_or(0, Vec::len);
        if found >= node.hooks as usize {
            continue;
        }
        let address = node.id.into();
        let list = match session.socket.request(&address, &ListHooks) {
            // A node that has gone meanwhile has no links.
            Err(error) if matches!(error.errno(), Some(Errno::ENOENT | Errno::EINVAL)) => continue,
            result => result?,
        };
        let mut own = Vec::with_capacity(list.links.len());
        for link in list.links {
            if link.peer.id != node.id && asked.contains(&link.peer.id) {
                let back = Link {
                    hook: link.peer_hook.clone(),
                    peer: node.id,
                    peer_hook: link.hook.clone(),
                    tapped: false,
                };
                let peers = known.entry(link.peer.id).or_default();
                if !peers.contains(&back) {
                    peers.push(back);
                }
            }
            own.push(Link {
                hook: link.hook,
                peer: link.peer.id,
                peer_hook: link.peer_hook,
                tapped: false,
            });
        }
        known.insert(node.id, own);
    }
    Ok(known)
}

fn is_tap(node: &LiveNode) -> bool {
    node.type_name == "tee" && node.name.as_deref().is_some_and(is_tap_name)
}

/// Takes taps out, and joins what is on both sides of them.
fn see_through(mut nodes: Vec<LiveNode>) -> Vec<LiveNode> {
    let position = |nodes: &[LiveNode]| nodes.iter().position(is_tap);
    while let Some(index) = position(&nodes) {
        let tap = nodes.swap_remove(index);
        if let (Some(left), Some(right)) = (tap.link("left"), tap.link("right")) {
            redirect(&mut nodes, left, right);
            redirect(&mut nodes, right, left);
        }
    }
    nodes.sort_by_key(|node| node.id);
    nodes
}

/// Has the link at one side of a tap lead to the other side.
fn redirect(nodes: &mut [LiveNode], from: &Link, to: &Link) {
    let links = nodes
        .iter_mut()
        .filter(|node| node.id == from.peer)
        .flat_map(|node| &mut node.links);
    for link in links.filter(|link| link.hook == from.peer_hook) {
        link.peer = to.peer;
        link.peer_hook.clone_from(&to.peer_hook);
        link.tapped = true;
    }
}
