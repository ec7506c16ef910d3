//! `ng tap --clean`: taps whose guardian was killed.

use netgraph::{Address, ListNodes, NodeInfo, Shutdown, Transport};
use serde::Serialize;

use super::{names, surgery};
use crate::failure::Result;
use crate::session::Session;

#[derive(Serialize)]
struct Output {
    removed: Vec<String>,
}

/// Removes the taps whose guardian has no node any more.
pub fn run<T: Transport>(session: &mut Session<T>) -> Result<()> {
    let removed = surgery::alone(session, |session| {
        let nodes = session.request(&Address::here(), &ListNodes)?;
        let mut removed = Vec::new();
        for tee in orphans(&nodes)? {
            session.request(&tee.address(), &Shutdown)?;
            removed.push(tee.label());
        }
        Ok(removed)
    })?;
    let output = Output { removed };
    session.print(&output, |out| match output.removed.as_slice() {
        [] => writeln!(out, "no tap is left over"),
        removed => removed.iter().try_for_each(|tee| writeln!(out, "removed {tee}")),
    })
}

/// Tees of taps without a guardian.
fn orphans(nodes: &[NodeInfo]) -> Result<Vec<&NodeInfo>> {
    let mut orphans = Vec::new();
    for node in nodes.iter().filter(|node| node.type_name == "tee") {
        let Some(process) = node.name.as_deref().and_then(names::process) else {
            continue;
        };
        let guardian = names::guardian(process)?;
        if !nodes.iter().any(|node| node.name.as_deref() == Some(guardian.as_str())) {
            orphans.push(node);
        }
    }
    Ok(orphans)
}
