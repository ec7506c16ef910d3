//! Points, boxes and lines, in pixels from the upper left corner; and the directions in which layers follow each other.

use clap::ValueEnum;

/// A place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Its left side.
    pub x: f64,
    /// Its upper side.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// A part of a line, from where the last one ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stroke {
    /// Nothing is drawn up to here.
    Move(Point),
    /// Straight.
    Line(Point),
    /// A Bézier curve: two points that it leans to, and its end.
    Curve(Point, Point, Point),
}

/// Which end of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its end.
    End,
}

/// The name of a hook: the room for it, and which side of that it leans to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// The room.
    pub rect: Rect,
    /// The side.
    pub anchor: Anchor,
}

/// The line of an edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Wire {
    /// From the left end to the right one, or the other way. It begins and ends under the boxes.
    pub path: Vec<Stroke>,
    /// The names of the hooks at the left and at the right end.
    pub labels: [Label; 2],
}

/// In which direction layers follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// From left to right
    Right,
    /// From top to bottom
    Down,
}

impl Direction {
    /// The place so far along the direction, and across it.
    pub(super) fn point(self, along: f64, across: f64) -> Point {
        match self {
            Self::Right => Point { x: along, y: across },
            Self::Down => Point { x: across, y: along },
        }
    }

    /// The rectangle that begins at a place and has these extents.
    pub(super) fn rect(self, begin: (f64, f64), size: (f64, f64)) -> Rect {
        let (begin, size) = (self.point(begin.0, begin.1), self.point(size.0, size.1));
        Rect {
            x: begin.x,
            y: begin.y,
            width: size.x,
            height: size.y,
        }
    }
}

impl Point {
    fn moved(self, by: Self) -> Self {
        Self {
            x: self.x + by.x,
            y: self.y + by.y,
        }
    }
}

impl Rect {
    pub(super) fn moved(self, by: Point) -> Self {
        Self {
            x: self.x + by.x,
            y: self.y + by.y,
            ..self
        }
    }
}

impl Wire {
    pub(super) fn moved(mut self, by: Point) -> Self {
        for label in &mut self.labels {
            label.rect = label.rect.moved(by);
        }
        let path = self.path.into_iter().map(|stroke| match stroke {
            Stroke::Move(to) => Stroke::Move(to.moved(by)),
            Stroke::Line(to) => Stroke::Line(to.moved(by)),
            Stroke::Curve(one, other, to) => Stroke::Curve(one.moved(by), other.moved(by), to.moved(by)),
        });
        Self {
            path: path.collect(),
            labels: self.labels,
        }
    }
}
