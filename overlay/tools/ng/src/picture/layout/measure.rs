//! How large things are, in pixels.
//!
//! All text is set in a font whose characters are equally wide, as the names of nodes and hooks are in a terminal; so its
//! width is known without looking at fonts.

use super::geometry::Direction;
use crate::picture::Node;

/// The size of the font of nodes' names.
pub const NAME_SIZE: f64 = 13.0;
/// The size of the font of nodes' types.
pub const DETAIL_SIZE: f64 = 11.0;
/// The size of the font of hooks' names.
pub const HOOK_SIZE: f64 = 11.0;

/// The height of a node with a few hooks.
const NODE: f64 = 44.0;
/// The least width of a node.
const NARROWEST: f64 = 64.0;
/// Beside the text in a node, on both sides together.
const PADDING: f64 = 28.0;
/// From a hook's name to the line and the node that it belongs to.
const GAP: f64 = 4.0;
/// The height of a hook's name.
pub const HOOK_HEIGHT: f64 = 12.0;

/// The width of a character in monospaced fonts, as part of the size; those that are drawn in full width have twice that.
fn advance(character: char) -> f64 {
    // From here on are the scripts of East Asia, and pictograms.
    if u32::from(character) < 0x1100 { 0.602 } else { 1.204 }
}

/// The width of a text.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The least extents of a node along and across the direction, for its text.
pub fn node(node: &Node, direction: Direction) -> (f64, f64) {
    let text = width(&node.label(), NAME_SIZE).max(width(&node.detail(), DETAIL_SIZE));
    let wide = (text + PADDING).max(NARROWEST);
    match direction {
        Direction::Right => (wide, NODE),
        Direction::Down => (NODE, wide),
    }
}

/// The room for a hook: along the direction, and across it before and behind its line.
///
/// The name is above the line, or else at its right.
pub fn hook(name: &str, direction: Direction) -> Room {
    let width = width(name, HOOK_SIZE);
    match direction {
        Direction::Right => Room {
            along: width + 2.0 * GAP,
            before: HOOK_HEIGHT + 3.0,
            behind: 5.0,
        },
        Direction::Down => Room {
            along: HOOK_HEIGHT + 2.0 * GAP,
            before: 8.0,
            behind: width + 2.0 * GAP,
        },
    }
}

/// The room that a hook needs at its node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// Away from the node.
    pub along: f64,
    /// Along its side, before the line.
    pub before: f64,
    /// Along its side, behind the line.
    pub behind: f64,
}

impl Room {
    /// Where the name begins, seen from where the line meets the node: along, away from it, and across.
    pub fn name_at(self, direction: Direction) -> (f64, f64) {
        match direction {
            Direction::Right => (GAP, -(HOOK_HEIGHT + 2.0)),
            Direction::Down => (GAP, GAP),
        }
    }

    /// The extents of the name along and across.
    pub fn name_size(self, direction: Direction) -> (f64, f64) {
        match direction {
            Direction::Right => (self.along - 2.0 * GAP, HOOK_HEIGHT),
            Direction::Down => (HOOK_HEIGHT, self.behind - 2.0 * GAP),
        }
    }
}
