//! Which links are missing, and which have to go.

use netgraph::NodeId;
use rustc_hash::FxHashSet;

use super::LiveEnd;
use super::matching::Matched;
use super::record::RecordedEdge;
use super::records::{declared_ends, live_names};
use super::snapshot::{Link, LiveNode};
use crate::catalog::{self, Life};
use crate::error::Error;
use crate::{End, Origin};

/// Types whose nodes, when they are shut down, join what is at these two hooks (ng_tee(4), ng_pipe(4)).
const BYPASSING: [(&str, &str, &str); 2] = [("tee", "left", "right"), ("pipe", "upper", "lower")];

/// What differs between the declared and the live graph.
#[derive(Default)]
pub struct Differences {
    /// Declared edges that are there, by index.
    pub kept: Vec<usize>,
    /// Declared edges that are not.
    pub missing: Vec<usize>,
    /// Live links that have to go.
    pub dropped: Vec<Dropped>,
    /// Ends of nodes that would go with their last link, by which they are held.
    pub held: Vec<End>,
    /// Declared nodes that are there and go with links that they lose: they are made again.
    pub remade: Vec<usize>,
    dropped_ends: FxHashSet<(NodeId, String)>,
}

/// A live link that has to go.
pub struct Dropped {
    pub left: LiveEnd,
    pub right: LiveEnd,
    pub tapped: bool,
}

/// Compares the edges.
pub fn compare(matched: &Matched<'_>) -> Result<Differences, Error> {
    let removed = matched.removed_ids();
    let mut differences = Differences::default();
    differences.find_missing(matched, &removed)?;
    differences.find_abandoned(matched, &removed);
    differences.cut_bypasses(matched);
    differences.find_fates(matched, removed);
    Ok(differences)
}

impl Differences {
    fn find_missing(&mut self, matched: &Matched<'_>, removed: &FxHashSet<NodeId>) -> Result<(), Error> {
        for (index, edge) in matched.graph.edges().iter().enumerate() {
            let (left, right) = (matched.link_at(&edge.left), matched.link_at(&edge.right));
            if left.is_some_and(|link| leads_to(matched, link, &edge.right)) {
                self.kept.push(index);
                continue;
            }
            for (end, link) in [(&edge.left, left), (&edge.right, right)] {
                let Some(link) = link.filter(|link| !removed.contains(&link.peer)) else {
                    continue;
                };
                self.free(matched, index, end, link)?;
            }
            self.missing.push(index);
        }
        Ok(())
    }

    /// Has a link go that is in the way, if it is ours.
    fn free(&mut self, matched: &Matched<'_>, edge: usize, end: &End, link: &Link) -> Result<(), Error> {
        let Some(live) = matched.live[end.node] else {
            return Ok(());
        };
        let peer = matched.by_id.get(&link.peer).copied();
        match peer.filter(|peer| is_recorded(matched, live, link, peer)) {
            Some(peer) => {
                self.drop_link(live, link, peer);
                Ok(())
            }
            None => Err(in_use(matched, edge, end, link, peer)),
        }
    }

    fn drop_link(&mut self, node: &LiveNode, link: &Link, peer: &LiveNode) {
        if self.dropped_ends.contains(&(node.id, link.hook.clone())) {
            return;
        }
        self.dropped_ends.insert((node.id, link.hook.clone()));
        self.dropped_ends.insert((peer.id, link.peer_hook.clone()));
        let end = |node: &LiveNode, hook: &String| LiveEnd {
            node: node.id,
            label: node.label(),
            hook: hook.clone(),
        };
        self.dropped.push(Dropped {
            left: end(node, &link.hook),
            right: end(peer, &link.peer_hook),
            tapped: link.tapped,
        });
    }

    /// Links that were made and are declared no longer, between nodes that stay.
    fn find_abandoned(&mut self, matched: &Matched<'_>, removed: &FxHashSet<NodeId>) {
        let names = live_names(matched.graph);
        let declared = declared_ends(matched.graph, &names);
        let recorded = matched.record.edges.iter().map(RecordedEdge::ends);
        for [(left, hook), (right, peer_hook)] in recorded.filter(|ends| !declared.contains(ends)) {
            let (Some(left), Some(right)) = (matched.by_name.get(left), matched.by_name.get(right)) else {
                continue;
            };
            let Some(link) = left.link(hook) else { continue };
            let is_it = link.peer == right.id && link.peer_hook == peer_hook && is_recorded(matched, left, link, right);
            if is_it && !removed.contains(&left.id) && !removed.contains(&right.id) {
                self.drop_link(left, link, right);
            }
        }
    }

    /// A node that would join its neighbours when it is shut down loses one of them before.
    fn cut_bypasses(&mut self, matched: &Matched<'_>) {
        for node in &matched.removed {
            let bypassing = BYPASSING.iter().find(|(kind, ..)| *kind == node.type_name);
            let Some((_, one, other)) = bypassing else { continue };
            if let (Some(link), Some(_)) = (node.link(one), node.link(other))
                && let Some(peer) = matched.by_id.get(&link.peer)
            {
                self.drop_link(node, link, peer);
            }
        }
    }

    /// Finds the nodes that are to be held, and those that are to be made again: as these lose all their links, others may
    /// have to be made again too.
    fn find_fates(&mut self, matched: &Matched<'_>, mut gone: FxHashSet<NodeId>) {
        if gone.is_empty() && self.dropped_ends.is_empty() {
            return;
        }
        loop {
            self.held.clear();
            let before = self.remade.len();
            for (node, live) in matched.live.iter().enumerate() {
                let Some(live) = live.filter(|live| !gone.contains(&live.id)) else {
                    continue;
                };
                let type_name = matched.graph.nodes()[node].type_name();
                let spare = match fate(type_name, &self.lost(live, &gone), live.hooks as usize) {
                    Fate::Stays => continue,
                    Fate::GoesWithLast => matched.spare_end(node, live),
                    Fate::Goes => None,
                };
                match spare {
                    Some(end) => self.held.push(end),
                    None => self.remade.push(node),
                }
            }
            let again = self.remade[before..].iter().filter_map(|&node| matched.live[node]);
            gone.extend(again.map(|live| live.id));
            if self.remade.len() == before {
                break;
            }
        }
        let edges = matched.graph.edges();
        let touches = |edge: &usize| {
            [&edges[*edge].left, &edges[*edge].right]
                .iter()
                .any(|end| self.remade.contains(&end.node))
        };
        let (again, kept) = self.kept.iter().partition(|edge| touches(edge));
        self.kept = kept;
        self.missing.extend::<Vec<usize>>(again);
    }

    /// The hooks that a live node loses.
    fn lost<'a>(&self, node: &'a LiveNode, gone: &FxHashSet<NodeId>) -> Vec<&'a str> {
        let goes =
            |link: &&Link| gone.contains(&link.peer) || self.dropped_ends.contains(&(node.id, link.hook.clone()));
        node.links.iter().filter(goes).map(|link| link.hook.as_str()).collect()
    }
}

/// What becomes of a node that loses links.
enum Fate {
    Stays,
    /// It goes unless it has another link.
    GoesWithLast,
    /// It goes whatever other links it has.
    Goes,
}

fn fate(type_name: &str, lost: &[&str], hooks: usize) -> Fate {
    let kind = catalog::find(type_name);
    let dies_with = kind.map_or(&[][..], |kind| kind.dies_with);
    let lasts = kind.is_some_and(|kind| !matches!(kind.life, Life::LastHook));
    match lost {
        [] => Fate::Stays,
        lost if lost.iter().any(|hook| dies_with.contains(hook)) => Fate::Goes,
        lost if lost.len() >= hooks && !lasts => Fate::GoesWithLast,
        _ => Fate::Stays,
    }
}

fn leads_to(matched: &Matched<'_>, link: &Link, end: &End) -> bool {
    matched.live[end.node].is_some_and(|peer| peer.id == link.peer) && link.peer_hook == end.hook.as_str()
}

/// Whether a live link is one that was made.
fn is_recorded(matched: &Matched<'_>, node: &LiveNode, link: &Link, peer: &LiveNode) -> bool {
    let edge = RecordedEdge::new((&node.label(), &link.hook), (&peer.label(), &link.peer_hook));
    let record = matched.record;
    record.edges.contains(&edge) && record.may_link(node) && record.may_link(peer)
}

fn in_use(matched: &Matched<'_>, edge: usize, end: &End, link: &Link, peer: Option<&LiveNode>) -> Error {
    let peer = peer.map_or_else(|| link.peer.to_string(), LiveNode::label);
    let address = matched.graph.nodes()[end.node].address();
    let message = format!(
        "the hook `{}` of `{address}` is in use by a link that ng did not make: it leads to `{peer}:`, hook `{}`",
        end.hook, link.peer_hook
    );
    let hint = format!("`ng rmhook {address} {}` breaks that link", end.hook);
    matched.graph.error(Origin::Edge(edge), message, Some(hint))
}
