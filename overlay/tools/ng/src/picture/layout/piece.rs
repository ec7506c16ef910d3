//! A connected part of a graph, laid out.

use super::geometry::{Direction, Rect, Wire};
use super::plan::Plan;
use crate::failure::Result;
use crate::picture::Drawing;

/// A part with places of its own, from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Which nodes of the drawing it has.
    pub nodes: Vec<usize>,
    /// Which edges of the drawing it has.
    pub edges: Vec<usize>,
    /// Its width and height.
    pub size: (f64, f64),
    /// The boxes of its nodes.
    pub boxes: Vec<Rect>,
    /// The lines of its edges.
    pub wires: Vec<Wire>,
}

/// Which nodes and edges of a drawing belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The nodes.
    pub nodes: Vec<usize>,
    /// The edges.
    pub edges: Vec<usize>,
    /// Those alone, with indices of their own.
    pub drawing: Drawing,
}

impl Piece {
    /// Lays a part out.
    pub fn new(part: &Part, direction: Direction) -> Result<Self> {
        let plan = Plan::new(&part.drawing, direction)?;
        let boxes: Vec<Rect> = (0..part.nodes.len()).map(|node| plan.rect(node)).collect();
        let wires = (0..part.edges.len()).map(|edge| plan.wire(edge)).collect();
        let along = plan.bands.last().map_or(0.0, |band| band.exit);
        let across = plan.extent();
        let size = direction.point(along, across);
        Ok(Self {
            nodes: part.nodes.clone(),
            edges: part.edges.clone(),
            size: (size.x, size.y),
            boxes,
            wires,
        })
    }
}
