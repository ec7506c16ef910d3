//! Takes a drawing apart into what is connected, and puts the pieces together again.

use super::Picture;
use super::geometry::{Anchor, Label, Point, Rect, Wire};
use super::piece::{Part, Piece};
use crate::picture::Drawing;

/// Around the whole picture.
const MARGIN: f64 = 16.0;
/// Between pieces.
const GAP: f64 = 30.0;
/// How much wider than high the picture is to be.
const ASPECT: f64 = 1.6;

/// The connected parts, those with the most nodes first.
pub fn parts(drawing: &Drawing) -> Vec<Part> {
    let mut number = vec![None; drawing.nodes.len()];
    let mut parts: Vec<Part> = Vec::new();
    for node in 0..drawing.nodes.len() {
        if number[node].is_none() {
            let distances = drawing.distances(node);
            let reached = (0..distances.len()).filter(|&other| distances[other].is_some());
            reached.for_each(|other| number[other] = Some(parts.len()));
            parts.push(Part::default());
        }
    }
    for (node, number) in number.iter().enumerate() {
        parts[number.unwrap_or(0)].nodes.push(node);
    }
    for (index, edge) in drawing.edges.iter().enumerate() {
        parts[number[edge.left.node].unwrap_or(0)].edges.push(index);
    }
    for (index, part) in parts.iter_mut().enumerate() {
        part.drawing = drawing.only(|node| number[node] == Some(index));
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.nodes.len()));
    parts
}

/// Puts pieces into rows, in their order.
pub fn together(drawing: &Drawing, pieces: Vec<Piece>) -> Picture {
    let nowhere = Rect {
        x: 0.0,
        y: 0.0,
        width: 0.0,
        height: 0.0,
    };
    let label = Label {
        rect: nowhere,
        anchor: Anchor::Start,
    };
    let wire = Wire {
        path: Vec::new(),
        labels: [label; 2],
    };
    let mut picture = Picture {
        width: 0.0,
        height: 0.0,
        boxes: vec![nowhere; drawing.nodes.len()],
        wires: vec![wire; drawing.edges.len()],
    };
    let row = row_width(&pieces);
    let (mut corner, mut height) = (Point { x: MARGIN, y: MARGIN }, 0.0_f64);
    for piece in pieces {
        if corner.x > MARGIN && corner.x + piece.size.0 > MARGIN + row {
            corner = Point {
                x: MARGIN,
                y: corner.y + height + GAP,
            };
            height = 0.0;
        }
        height = height.max(piece.size.1);
        let right = corner.x + piece.size.0;
        picture.width = picture.width.max(right);
        picture.height = picture.height.max(corner.y + piece.size.1);
        picture.put(piece, corner);
        corner.x = right + GAP;
    }
    picture.width += MARGIN;
    picture.height += MARGIN;
    picture
}

/// How wide rows are to be for the picture to be of a good shape.
fn row_width(pieces: &[Piece]) -> f64 {
    let widest = pieces.iter().map(|piece| piece.size.0).fold(0.0, f64::max);
    let area: f64 = pieces
        .iter()
        .map(|piece| (piece.size.0 + GAP) * (piece.size.1 + GAP))
        .sum();
    widest.max((area * ASPECT).sqrt())
}

impl Picture {
    fn put(&mut self, piece: Piece, corner: Point) {
        for (node, rect) in piece.nodes.into_iter().zip(piece.boxes) {
            self.boxes[node] = rect.moved(corner);
        }
        for (edge, wire) in piece.edges.into_iter().zip(piece.wires) {
            self.wires[edge] = wire.moved(corner);
        }
    }
}
