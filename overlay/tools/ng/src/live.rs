//! The live graph, as planning wants it.

use graph::{Graph, Link, LiveNode, Snapshot};
use netgraph::{Address, ListHooks, ListNodes, Transport};

use crate::failure::Result;
use crate::session::Session;

/// Every node, with the links of those that the graph declares.
pub fn snapshot<T: Transport>(session: &mut Session<T>, graph: &Graph) -> Result<Snapshot> {
    let declared: Vec<String> = graph.nodes().iter().map(graph::Node::live_name).collect();
    let mut nodes = Vec::new();
    for info in session.request(&Address::here(), &ListNodes)? {
        let wanted = info.hooks > 0 && info.name.as_ref().is_some_and(|name| declared.contains(name));
        let links = if wanted {
            session.request(&info.address(), &ListHooks)?.links
        } else {
            Vec::new()
        };
        nodes.push(LiveNode {
            id: info.id,
            name: info.name,
            type_name: info.type_name,
            links: links
                .into_iter()
                .map(|link| Link {
                    hook: link.hook,
                    peer: link.peer.id,
                    peer_hook: link.peer_hook,
                })
                .collect(),
        });
    }
    Ok(Snapshot { nodes })
}
