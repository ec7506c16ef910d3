//! The boxes, lines and names of a plan.

use super::geometry::{Anchor, Direction, Label, Rect, Stroke, Wire};
use super::plan::{Plan, SWING};
use super::ports::{Port, Side};

/// How far under their boxes lines begin, so that none ends short of a rounded corner.
const UNDER: f64 = 20.0;

impl Plan {
    /// The box of a node.
    pub fn rect(&self, node: usize) -> Rect {
        let (along, across) = self.sizes[node];
        let middle = (self.bands[self.layers.layers[node]].middle, self.layers.across[node]);
        let begin = (middle.0 - along / 2.0, middle.1 - across / 2.0);
        self.direction.rect(begin, (along, across))
    }

    /// Where a port's line meets its node: along and across the direction.
    fn meets(&self, port: &Port) -> (f64, f64) {
        let middle = self.bands[self.layers.layers[port.node]].middle;
        let half = self.sizes[port.node].0 / 2.0;
        let along = match port.side {
            Side::Front => middle - half,
            Side::Back => middle + half,
        };
        (along, self.across(port))
    }

    /// Where a hook's name stands.
    fn label(&self, port: &Port) -> Label {
        let (along, across) = self.meets(port);
        let (away, aside) = port.room.name_at(self.direction);
        let (length, height) = port.room.name_size(self.direction);
        let (begin, anchor) = match port.side {
            Side::Front => (along - away - length, Anchor::End),
            Side::Back => (along + away, Anchor::Start),
        };
        let anchor = match self.direction {
            Direction::Right => anchor,
            Direction::Down => Anchor::Start,
        };
        let rect = self.direction.rect((begin, across + aside), (length, height));
        Label { rect, anchor }
    }

    /// The ports of an edge, in the order of their layers.
    pub fn ends(&self, edge: usize) -> (&Port, &Port) {
        let [left, right] = &self.ports[edge];
        if left.side == Side::Back {
            (left, right)
        } else {
            (right, left)
        }
    }

    /// Where an edge passes layers between those of its nodes.
    pub fn passed(&self, edge: usize) -> Vec<f64> {
        self.links[edge].map_or_else(Vec::new, |link| self.layers.bends[link].clone())
    }

    /// The line of an edge.
    pub fn wire(&self, edge: usize) -> Wire {
        let labels = [self.label(&self.ports[edge][0]), self.label(&self.ports[edge][1])];
        let path = match self.links[edge] {
            Some(_) => self.way(edge),
            None => self.swing(edge),
        };
        Wire { path, labels }
    }

    fn line(&self, along: f64, across: f64) -> Stroke {
        Stroke::Line(self.direction.point(along, across))
    }

    /// A curve that begins and ends along the direction.
    fn curve(&self, from: (f64, f64), to: (f64, f64)) -> Stroke {
        let half = f64::midpoint(from.0, to.0);
        let point = |along, across| self.direction.point(along, across);
        Stroke::Curve(point(half, from.1), point(half, to.1), point(to.0, to.1))
    }

    /// From node to node, through the layers between.
    fn way(&self, edge: usize) -> Vec<Stroke> {
        let (from, to) = self.ends(edge);
        let (begin, end) = (self.meets(from), self.meets(to));
        let first = self.layers.layers[from.node];
        let mut here = (self.bands[first].exit, begin.1);
        let mut path = vec![
            Stroke::Move(self.direction.point(begin.0 - UNDER, begin.1)),
            self.line(here.0, here.1),
        ];
        for (band, across) in self.bands[first + 1..]
            .iter()
            .zip(self.passed(edge).into_iter().chain([end.1]))
        {
            path.push(self.curve(here, (band.enter, across)));
            path.push(self.line(band.exit, across));
            here = (band.exit, across);
        }
        // The last layer is not passed.
        path.pop();
        path.push(self.line(end.0 + UNDER, end.1));
        path
    }

    /// Out of a node and back into it.
    fn swing(&self, edge: usize) -> Vec<Stroke> {
        let [one, other] = self.ports[edge].each_ref().map(|port| self.meets(port));
        let exit = self.bands[self.layers.layers[self.ports[edge][0].node]].exit - SWING;
        let far = exit + SWING * 4.0 / 3.0;
        let point = |along, across| self.direction.point(along, across);
        vec![
            Stroke::Move(point(one.0 - UNDER, one.1)),
            self.line(exit, one.1),
            Stroke::Curve(point(far, one.1), point(far, other.1), point(exit, other.1)),
            self.line(other.0 - UNDER, other.1),
        ]
    }
}
