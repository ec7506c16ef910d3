//! Where links meet their nodes.

use super::geometry::Direction;
use super::measure::{self, Room};
use crate::picture::Drawing;

/// Between the first or last hook and the corner of its node.
const CORNER: f64 = 4.0;
/// How large a node may become only to have the line of a single hook in its middle.
const WIDEST_FOR_ONE: f64 = 110.0;

/// The side of a node that a hook is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Links come in here from earlier layers.
    Front,
    /// Links leave here for later layers, and those that lead back to the node itself.
    Back,
}

/// Which end of an edge is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// [`Edge::left`](crate::picture::Edge::left)
    Left,
    /// [`Edge::right`](crate::picture::Edge::right)
    Right,
}

/// A hook at a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Port {
    /// Its edge.
    pub edge: usize,
    /// Its end of the edge.
    pub which: Which,
    /// The node.
    pub node: usize,
    /// The side of the node.
    pub side: Side,
    /// The room it needs.
    pub room: Room,
    /// Where it is, from the middle of the node, across the direction.
    pub offset: f64,
}

/// The two ports of each edge, left and right; `is_forward` says which edges begin at their left end.
pub fn ports(part: &Drawing, direction: Direction, is_forward: impl Fn(usize) -> bool) -> Vec<[Port; 2]> {
    let pair = |(edge, ends): (usize, &crate::picture::Edge)| {
        let forward = is_forward(edge);
        [
            (Which::Left, &ends.left, forward),
            (Which::Right, &ends.right, !forward),
        ]
        .map(|(which, end, leaves)| Port {
            edge,
            which,
            node: end.node,
            side: if leaves || Drawing::is_loop(ends) {
                Side::Back
            } else {
                Side::Front
            },
            room: measure::hook(&end.hook, direction),
            offset: 0.0,
        })
    };
    part.edges.iter().enumerate().map(pair).collect()
}

/// The ports at a side of a node.
pub fn at(ports: &[[Port; 2]], node: usize, side: Side) -> impl Iterator<Item = &Port> {
    ports
        .as_flattened()
        .iter()
        .filter(move |port| port.node == node && port.side == side)
}

/// The extent of ports beside each other.
fn extent<'a>(ports: impl Iterator<Item = &'a Port>) -> f64 {
    ports.map(|port| port.room.before + port.room.behind).sum()
}

/// How large a node has to be for its ports, across the direction. Room for one port alone may be as large on both sides of its
/// line, so that the line is in the middle.
pub fn needed(ports: &[[Port; 2]], node: usize) -> f64 {
    let needed = |side| {
        let centred = match at(ports, node, side).collect::<Vec<_>>()[..] {
            [only] => 2.0 * only.room.before.max(only.room.behind),
            _ => 0.0,
        };
        let centred = if centred > WIDEST_FOR_ONE { 0.0 } else { centred };
        extent(at(ports, node, side)).max(centred)
    };
    needed(Side::Front).max(needed(Side::Back)) + 2.0 * CORNER
}

/// Puts the ports at a side of a node of this extent beside each other, in the order of where their links go. The lines of the
/// first and the last one are as far from the middle as each other, where there is room for that.
pub fn arrange(ports: &mut [[Port; 2]], node: usize, side: Side, size: f64, target: &dyn Fn(&Port) -> f64) {
    let mut order: Vec<Port> = at(ports, node, side).copied().collect();
    order.sort_by(|one, other| target(one).total_cmp(&target(other)).then(one.edge.cmp(&other.edge)));
    let (Some(first), Some(last)) = (order.first(), order.last()) else {
        return;
    };
    let total = extent(order.iter());
    let balanced = (last.room.behind - first.room.before - total) / 2.0;
    let free = (size / 2.0 - CORNER - total / 2.0).max(0.0);
    let mut next = balanced.clamp(-total / 2.0 - free, -total / 2.0 + free);
    for port in order {
        let offset = next + port.room.before;
        next = offset + port.room.behind;
        let place = usize::from(port.which == Which::Right);
        ports[port.edge][place].offset = offset;
    }
}
