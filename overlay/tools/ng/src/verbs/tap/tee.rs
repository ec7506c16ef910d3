//! The tee through which an edge is watched: one that was put there, or one that is there anyway.

use netgraph::{HookList, ListHooks, NodeInfo, Transport};

use super::edge::{Edge, peer};
use super::names::is_tap_name;
use crate::capture::Direction;
use crate::capture::link::LinkType;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// A tee whose copies can be taken.
#[derive(Debug)]
pub struct Tap {
    /// The tee.
    pub tee: NodeInfo,
    /// What the tee has to its left and to its right.
    ends: [String; 2],
    /// Whether the end that was named is to the right.
    pub turned: bool,
    /// What packets start with.
    pub link: LinkType,
    /// Whether it makes sense only with neighbours on both sides.
    pub between: bool,
}

impl Tap {
    /// One that was put into an edge.
    pub fn inserted(tee: NodeInfo, edge: &Edge) -> Self {
        Self {
            tee,
            ends: [edge.near.label(), edge.far.label()],
            turned: false,
            link: LinkType::Ethernet,
            between: true,
        }
    }

    /// One that was there.
    fn there(list: &HookList) -> Result<Self> {
        let mut ends = [String::new(), String::new()];
        let mut kinds = [("", ""); 2];
        for (place, side) in ["left", "right"].into_iter().enumerate() {
            let own = list.node.label();
            let found = peer(list, side)?;
            ends[place] = found.map_or_else(|| format!("{}.{side}", own.trim_end_matches(':')), |end| end.label());
            if let Some(link) = list.links.iter().find(|link| link.hook == side) {
                kinds[place] = (&link.peer.type_name, &link.peer_hook);
            }
        }
        Ok(Self {
            tee: list.node.clone(),
            ends,
            turned: false,
            link: LinkType::of_edge(kinds),
            between: false,
        })
    }

    /// The end that was named is to the right.
    fn turn(&mut self) {
        self.turned = true;
    }

    /// The end that was named, and the other one.
    pub fn labels(&self) -> [String; 2] {
        let [left, right] = self.ends.clone();
        if self.turned { [right, left] } else { [left, right] }
    }

    /// Which way packets go that come by a hook of the own node.
    pub fn direction(&self, hook: &str) -> Direction {
        if (hook == "left2right") == self.turned {
            Direction::Inbound
        } else {
            Direction::Outbound
        }
    }
}

/// A tee at an end of the edge whose copies nobody takes.
pub fn existing<T: Transport>(session: &mut Session<T>, edge: &Edge) -> Result<Option<Tap>> {
    for (end, is_near) in [(&edge.near, true), (&edge.far, false)] {
        if end.node.type_name != "tee" || !matches!(end.hook.as_str(), "left" | "right") {
            continue;
        }
        let list = session.request(&end.node.address(), &ListHooks)?;
        if let Some(mut tap) = free(&list)? {
            // Out of the end that was named.
            if (end.hook.as_str() == "left") == is_near {
                tap.turn();
            }
            return Ok(Some(tap));
        }
    }
    Ok(None)
}

/// A tee whose copies nobody takes, and that stays: no tap.
pub fn free(list: &HookList) -> Result<Option<Tap>> {
    let is_taken = list
        .links
        .iter()
        .any(|link| matches!(link.hook.as_str(), "left2right" | "right2left"));
    let is_tap = list.node.name.as_deref().is_some_and(is_tap_name);
    if list.node.type_name != "tee" || is_taken || is_tap {
        return Ok(None);
    }
    Tap::there(list).map(Some)
}

/// Why a node cannot be watched.
pub fn refusal(list: &HookList) -> Failure {
    let hooks = list.links.iter().map(|link| link.hook.as_str());
    let (label, kind) = (list.node.label(), &list.node.type_name);
    Failure::Refused(match kind.as_str() {
        "tee" => format!("somebody watches `{label}` already; tap one of its edges instead"),
        _ => format!(
            "`{label}` ({kind}) is a node, and edges are tapped; it has {}",
            graph::suggest::listed(hooks)
        ),
    })
}
