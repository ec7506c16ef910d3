//! Where links meet their nodes.

use super::geometry::Direction;
use super::measure::{self, Room};
use crate::picture::Drawing;

/// Between the first or last hook and the corner of its node.
const CORNER: f64 = 4.0;

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

/// How large a node has to be for its ports, across the direction.
pub fn needed(ports: &[[Port; 2]], node: usize) -> f64 {
    let sides = [Side::Front, Side::Back].map(|side| extent(at(ports, node, side)));
    sides[0].max(sides[1]) + 2.0 * CORNER
}

/// Puts the ports at a side of a node beside each other, in the order of where their links go.
pub fn arrange(ports: &mut [[Port; 2]], node: usize, side: Side, target: &dyn Fn(&Port) -> f64) {
    let mut order: Vec<Port> = at(ports, node, side).copied().collect();
    order.sort_by(|one, other| target(one).total_cmp(&target(other)).then(one.edge.cmp(&other.edge)));
    let mut next = -extent(order.iter()) / 2.0;
    for port in order {
        let offset = next + port.room.before;
        next = offset + port.room.behind;
        let place = usize::from(port.which == Which::Right);
        ports[port.edge][place].offset = offset;
    }
}
