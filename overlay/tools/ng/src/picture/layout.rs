//! Where everything in a picture goes.
//!
//! Each connected part of the graph is laid out by itself ([`piece`]), and the parts are put beside each other ([`pack`]).
//! Within a part, nodes stand in layers, and every link leads from a layer to a later one ([`orient`]). The crate dugong, a
//! port of dagre, finds layers, order and coordinates ([`layers`]). Unlike rust-sugiyama, it tells where long links pass other
//! nodes, and comes to an end with every graph that was tried; unlike layout-rs, it keeps drawing apart from layout, and needs
//! but a tenth of the time. What it leaves too close together is moved apart ([`space`]).
//!
//! The rest follows from room that is set aside, so that nothing ever covers anything else: a layer has, before and behind
//! its nodes, room for the names of hooks; a node is as large as its hooks need ([`ports`]); and lines bend between layers only.

mod geometry;
mod layers;
mod measure;
mod orient;
mod pack;
mod piece;
mod plan;
mod ports;
mod space;
#[cfg(test)]
mod tests;
mod wires;

pub use geometry::{Anchor, Direction, Label, Point, Rect, Stroke, Wire};
pub use measure::{DETAIL_SIZE, HOOK_SIZE, NAME_SIZE};

use super::Drawing;
use crate::failure::Result;
use piece::Piece;

/// A picture of this width and height, in pixels, can be looked at as a whole, with text above and below.
const IDEAL: (f64, f64) = (1000.0, 1000.0);

/// How much less it must have to shrink to go down instead of right, as lines of text do.
const PREFERENCE: f64 = 1.1;

/// A drawing with places, in pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// The boxes of the nodes, in their order.
    pub boxes: Vec<Rect>,
    /// The lines of the edges, in their order.
    pub wires: Vec<Wire>,
}

impl Picture {
    /// By how much it has to shrink to be of the ideal size.
    fn excess(&self) -> f64 {
        (self.width / IDEAL.0).max(self.height / IDEAL.1)
    }
}

/// Lays a drawing out; without a direction, in the one in which it has to shrink less.
pub fn picture(drawing: &Drawing, direction: Option<Direction>) -> Result<Picture> {
    if let Some(direction) = direction {
        return directed(drawing, direction);
    }
    let right = directed(drawing, Direction::Right)?;
    if right.excess() <= 1.0 {
        return Ok(right);
    }
    let down = directed(drawing, Direction::Down)?;
    let is_better = down.excess() * PREFERENCE < right.excess();
    Ok(if is_better { down } else { right })
}

fn directed(drawing: &Drawing, direction: Direction) -> Result<Picture> {
    let parts = pack::parts(drawing);
    let pieces = parts.iter().map(|part| Piece::new(part, direction));
    let pieces = pieces.collect::<Result<Vec<Piece>>>()?;
    Ok(pack::together(drawing, pieces))
}
