//! Whether an edge may be cut, and who has to be held meanwhile: nodes that would go with their last hook.

use graph::catalog::{self, Life};
use netgraph::{Address, Connect, HookName, ListHooks, Transport};

use super::edge::{Edge, End, peer};
use super::frail;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// A node that must not lose its last hook, and one that it can be held by.
pub type Spare = (Address, HookName);

/// Checks that the edge is there and may be cut, and finds out who has to be held meanwhile.
pub fn spares<T: Transport>(session: &mut Session<T>, edge: &Edge, force: bool) -> Result<Vec<Spare>> {
    let is_loop = edge.near.node.id == edge.far.node.id;
    let mut spares = Vec::new();
    for (end, other) in [(&edge.near, &edge.far), (&edge.far, &edge.near)] {
        let at = end.node.address();
        let list = session.request(&at, &ListHooks)?;
        let found = peer(&list, end.hook.as_str())?;
        if found.is_none_or(|found| found.node.id != other.node.id || found.hook != other.hook) {
            return Err(Failure::Refused(format!("`{}` is not there any more", edge.label())));
        }
        if let (Some(loss), false) = (frail::loss(&end.node.type_name, end.hook.as_str()), force) {
            return Err(refused(
                end,
                &format!("the hook has to be removed for a moment, and {loss}"),
            ));
        }
        let in_use = |name: &str| list.links.iter().any(|link| link.hook == name);
        let is_last = list.links.len() == if is_loop { 2 } else { 1 };
        if is_last && let Some(hook) = spare(end, &in_use, force)? {
            spares.push((at, hook));
        }
        if is_loop {
            break;
        }
    }
    Ok(spares)
}

/// The hook by which a node can be held; None when it need not be.
fn spare(end: &End, in_use: &dyn Fn(&str) -> bool, force: bool) -> Result<Option<HookName>> {
    let kind = end.node.type_name.as_str();
    let life = catalog::find(kind).map(|kind| kind.life);
    let hook = match (kind, life) {
        // By its other hooks, the host's packets would be led away.
        ("ether", _) => Some("orphans".to_owned()),
        ("socket", _) | (_, Some(Life::Lasting(_))) => return Ok(None),
        _ => catalog::spare_hook(kind, in_use),
    };
    match hook {
        Some(hook) => Ok(Some(hook.parse().map_err(netgraph::Error::from)?)),
        None if force => Ok(None),
        None => Err(refused(end, "it is the only hook, and the node may go with it")),
    }
}

fn refused(end: &End, reason: &str) -> Failure {
    let (label, kind) = (end.label(), &end.node.type_name);
    Failure::Refused(format!(
        "`{label}` ({kind}) cannot be tapped: {reason}\n  hint: put a tee there from the start, in the graph file, and tap \
         that; or --force"
    ))
}

/// Holds them by hooks of the own node, whose names are put into `held`.
pub fn hold<T: Transport>(session: &mut Session<T>, spares: &[Spare], held: &mut Vec<HookName>) -> Result<()> {
    for (number, (at, spare)) in spares.iter().enumerate() {
        let hook: HookName = format!("hold{number}").parse().map_err(netgraph::Error::from)?;
        let request = Connect {
            peer: at.clone(),
            hook: hook.clone(),
            peer_hook: spare.clone(),
        };
        session.request(&Address::here(), &request)?;
        held.push(hook);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use netgraph::{NodeId, NodeInfo};

    use super::*;

    #[test]
    fn nodes_are_held_where_it_does_no_harm() {
        let rows = [
            ("ether", "lower", Ok(Some("orphans"))),
            ("bridge", "link0", Ok(Some("link1"))),
            ("hub", "x", Ok(Some("spare0"))),
            ("tee", "left", Ok(Some("left2right"))),
            ("socket", "x", Ok(None)),
            ("eiface", "ether", Ok(None)),
            ("unheard_of", "x", Err(())),
        ];
        for (kind, hook, expected) in rows {
            let node = NodeInfo {
                name: None,
                type_name: kind.to_owned(),
                id: NodeId(1),
                hooks: 1,
            };
            let hook: HookName = hook.parse().unwrap();
            let end = End {
                node,
                hook: hook.clone(),
            };
            let found = |force| spare(&end, &|name| name == hook.as_str(), force);
            let text = found(false).map(|hook| hook.map(|hook| hook.to_string())).map_err(drop);
            assert_eq!(text, expected.map(|hook| hook.map(str::to_owned)), "{kind}");
            assert!(found(true).is_ok(), "{kind}");
        }
    }
}
