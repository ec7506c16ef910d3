//! Which edge is meant, and what is at its ends.

use netgraph::{Address, HookList, HookName, ListHooks, NodeInfo, Transport};

use super::names::is_tap_name;
use crate::explain;
use crate::failure::{Failure, Result};
use crate::session::Session;
use crate::verbs::usage;

/// One end of an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The node.
    pub node: NodeInfo,
    /// Its hook.
    pub hook: HookName,
}

impl End {
    /// `sw0.link0`, or `[1f].link0` when the node has no name.
    pub fn label(&self) -> String {
        match &self.node.name {
            Some(name) => format!("{name}.{}", self.hook),
            None => format!("{}.{}", self.node.id, self.hook),
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.node.id == other.node.id && self.hook == other.hook
    }
}

/// A link between two nodes.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The end that was named.
    pub near: End,
    /// The other one.
    pub far: End,
}

impl Edge {
    /// `sw0.link0 -- tap0.right`.
    pub fn label(&self) -> String {
        format!("{} -- {}", self.near.label(), self.far.label())
    }
}

/// What the command line names.
#[derive(Debug)]
pub enum Place {
    /// An edge.
    Edge(Edge),
    /// A node.
    Node(HookList),
}

/// Finds what the words on the command line name: one end of an edge, both of them, or a node.
pub fn find<T: Transport>(session: &mut Session<T>, words: &[String]) -> Result<Place> {
    let words = words.join(" -- ");
    let ends: Vec<&str> = words.split("--").map(str::trim).collect();
    let (near, far) = match *ends.as_slice() {
        [near] => (near, None),
        [near, far] => (near, Some(far)),
        _ => return Err(usage("an edge has two ends: `a.hook -- b.hook`")),
    };
    let (address, hook) = parse(near)?;
    let list = session.request(&address, &ListHooks)?;
    let Some(hook) = hook else {
        return Ok(Place::Node(list));
    };
    let edge = edge_at(session, &address, list, hook)?;
    if let Some(far) = far {
        check_far(session, &edge, far)?;
    }
    Ok(Place::Edge(edge))
}

/// The edge at a hook of a node.
fn edge_at<T: Transport>(session: &mut Session<T>, at: &Address, list: HookList, hook: HookName) -> Result<Edge> {
    let Some(far) = peer(&list, hook.as_str())? else {
        let absent = explain::absent_hook(&mut session.socket, at, &hook);
        return Err(Failure::Refused(
            absent.unwrap_or_else(|| "the edge went away".to_owned()),
        ));
    };
    let near = End { node: list.node, hook };
    Ok(Edge { near, far })
}

/// Where a hook leads; None when there is no such hook.
pub fn peer(list: &HookList, hook: &str) -> Result<Option<End>> {
    let Some(link) = list.links.iter().find(|link| link.hook == hook) else {
        return Ok(None);
    };
    Ok(Some(End {
        node: link.peer.clone(),
        hook: link.peer_hook.parse().map_err(netgraph::Error::from)?,
    }))
}

/// Refuses an edge that does not lead where the command line says.
fn check_far<T: Transport>(session: &mut Session<T>, edge: &Edge, far: &str) -> Result<()> {
    let (address, hook) = parse(far)?;
    let node = session.request(&address, &ListHooks)?.node;
    let beyond = beyond_taps(session, edge.far.clone())?;
    if node.id == beyond.node.id && hook.is_none_or(|hook| hook == beyond.hook) {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "`{}` leads to `{}`, and not to `{far}`",
        edge.near.label(),
        beyond.label()
    )))
}

/// The end that is reached when taps are looked through.
pub fn beyond_taps<T: Transport>(session: &mut Session<T>, mut end: End) -> Result<End> {
    loop {
        let is_tap = end.node.type_name == "tee" && end.node.name.as_deref().is_some_and(is_tap_name);
        let other_side = match end.hook.as_str() {
            "left" if is_tap => "right",
            "right" if is_tap => "left",
            _ => return Ok(end),
        };
        let list = session.socket.request(&end.node.address(), &ListHooks)?;
        match peer(&list, other_side)? {
            Some(next) => end = next,
            None => return Ok(end),
        }
    }
}

/// The edge as it is meant to be: without the taps that are in it.
pub fn without_taps<T: Transport>(session: &mut Session<T>, edge: &Edge) -> Result<Edge> {
    Ok(Edge {
        near: beyond_taps(session, edge.near.clone())?,
        far: beyond_taps(session, edge.far.clone())?,
    })
}

/// Whether the ends, neither of which is a tap, are connected with each other, be it through taps.
pub fn is_whole<T: Transport>(session: &mut Session<T>, edge: &Edge) -> Result<bool> {
    let list = session.socket.request(&edge.near.node.address(), &ListHooks)?;
    match peer(&list, edge.near.hook.as_str())? {
        Some(next) => Ok(beyond_taps(session, next)?.is(&edge.far)),
        None => Ok(false),
    }
}

/// `node:hook`, `node:hook.hook`, `node.hook`, or `node:`, which has no hook.
fn parse(text: &str) -> Result<(Address, Option<HookName>)> {
    let wrong = || {
        usage(format!(
            "`{text}` is no edge; write `node:hook`, or `a.hook -- b.hook` for both ends"
        ))
    };
    let (node, path) = match text.split_once(':') {
        Some(parts) => parts,
        None => text
            .split_once('.')
            .filter(|(_, hook)| !hook.contains('.'))
            .ok_or_else(wrong)?,
    };
    let (way, hook) = path.rsplit_once('.').unwrap_or(("", path));
    let address = format!("{node}:{way}").parse().map_err(usage)?;
    if hook.is_empty() {
        return Ok((address, None));
    }
    Ok((address, Some(hook.parse().map_err(usage)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_written_in_several_ways() {
        let rows = [
            ("sw0:link0", "sw0:", Some("link0")),
            ("sw0.link0", "sw0:", Some("link0")),
            ("[1f].link0", "[1f]:", Some("link0")),
            ("[1f]:link0", "[1f]:", Some("link0")),
            ("em0:lower.right", "em0:lower", Some("right")),
            ("em0:lower.right.link1", "em0:lower.right", Some("link1")),
            ("tap0:", "tap0:", None),
        ];
        for (text, address, hook) in rows {
            let (found, found_hook) = parse(text).unwrap();
            assert_eq!(found.as_str(), address, "{text}");
            assert_eq!(found_hook.as_ref().map(HookName::as_str), hook, "{text}");
        }
        for bad in ["", "sw0", "a.b.c", ":x", "a:b:c"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
