//! A connected part of a graph, laid out.

use super::geometry::{Anchor, Direction, Label, Rect, Stroke, Wire};
use super::layers::{self, LINK_GAP, Layers, Link, NODE_GAP};
use super::ports::{self, Port, Side, Which};
use super::{measure, orient, space};
use crate::failure::Result;
use crate::picture::Drawing;

/// How far under their boxes lines begin, so that none ends short of a rounded corner.
const UNDER: f64 = 20.0;
/// How far lines swing out that lead back to their node.
const SWING: f64 = 22.0;
/// The least and the largest room between two layers.
const BETWEEN: (f64, f64) = (18.0, 170.0);
/// How much of the distance across that a line covers between two layers becomes room between them.
const SLOPE: f64 = 0.35;

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

/// What is known while a part is laid out. Nodes and edges are the part's.
struct Plan {
    direction: Direction,
    /// Extents of the nodes, along and across.
    sizes: Vec<(f64, f64)>,
    ports: Vec<[Port; 2]>,
    layers: Layers,
    /// By edge, which link it is; None if it leads back to its node.
    links: Vec<Option<usize>>,
    /// Where each layer is, along the direction.
    bands: Vec<Band>,
}

/// A layer, along the direction.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Band {
    /// Where lines may not bend any more.
    enter: f64,
    /// The middle of its nodes.
    middle: f64,
    /// Where lines may bend again.
    exit: f64,
}

impl Piece {
    /// Lays a part out.
    pub fn new(drawing: &Drawing, part: &Part, direction: Direction) -> Result<Self> {
        debug_assert_eq!(
            part.drawing.nodes.first(),
            part.nodes.first().map(|&node| &drawing.nodes[node])
        );
        let mut plan = Plan::new(&part.drawing, direction)?;
        plan.separate();
        plan.arrange_ports();
        plan.place_bands();
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

impl Plan {
    /// Finds the layers.
    fn new(part: &Drawing, direction: Direction) -> Result<Self> {
        let ranks = orient::ranks(part);
        let is_forward = |edge: usize| {
            let edge = &part.edges[edge];
            ranks[edge.left.node] <= ranks[edge.right.node]
        };
        let ports = ports::ports(part, direction, is_forward);
        let sizes = part.nodes.iter().enumerate().map(|(index, node)| {
            let (along, across) = measure::node(node, direction);
            (along, across.max(ports::needed(&ports, index)))
        });
        let sizes: Vec<(f64, f64)> = sizes.collect();
        let mut links = Vec::new();
        let numbers = part.edges.iter().enumerate().map(|(index, edge)| {
            let (left, right) = (edge.left.node, edge.right.node);
            let (from, to) = if is_forward(index) {
                (left, right)
            } else {
                (right, left)
            };
            (from != to).then(|| {
                links.push(Link { from, to });
                links.len() - 1
            })
        });
        let numbers = numbers.collect();
        let extents: Vec<f64> = sizes.iter().map(|size| size.1).collect();
        Ok(Self {
            direction,
            sizes,
            ports,
            layers: layers::layers(&extents, &links)?,
            links: numbers,
            bands: Vec::new(),
        })
    }

    /// The links that pass each layer, as link and bend, and the nodes in it: in their order across.
    fn items(&self, layer: usize) -> Vec<(Place, space::Item)> {
        let nodes = (0..self.sizes.len()).filter(|&node| self.layers.layers[node] == layer);
        let nodes = nodes.map(|node| {
            let item = space::Item {
                middle: self.layers.across[node],
                extent: self.sizes[node].1,
                gap: NODE_GAP,
            };
            (Place::Node(node), item)
        });
        let bends = self.edges_passing(layer).map(|(link, bend)| {
            let item = space::Item {
                middle: self.layers.bends[link][bend],
                extent: 0.0,
                gap: LINK_GAP,
            };
            (Place::Bend(link, bend), item)
        });
        let mut items: Vec<(Place, space::Item)> = nodes.chain(bends).collect();
        items.sort_by(|one, other| one.1.middle.total_cmp(&other.1.middle).then(one.0.cmp(&other.0)));
        items
    }

    fn edges_passing(&self, layer: usize) -> impl Iterator<Item = (usize, usize)> {
        let firsts = self.ports.iter().zip(&self.links).filter_map(|(ports, link)| {
            let layers = ports.map(|port| self.layers.layers[port.node]);
            Some((layers[0].min(layers[1]), (*link)?))
        });
        firsts.filter_map(move |(first, link)| {
            let bend = layer.checked_sub(first + 1)?;
            (bend < self.layers.bends[link].len()).then_some((link, bend))
        })
    }

    fn layer_count(&self) -> usize {
        self.layers.layers.iter().max().map_or(0, |last| last + 1)
    }

    /// Sees to it that nothing in a layer touches anything else, and that nothing is before 0.
    fn separate(&mut self) {
        for layer in 0..self.layer_count() {
            let (places, items): (Vec<Place>, Vec<space::Item>) = self.items(layer).into_iter().unzip();
            for (place, middle) in places.into_iter().zip(space::apart(&items)) {
                match place {
                    Place::Node(node) => self.layers.across[node] = middle,
                    Place::Bend(link, bend) => self.layers.bends[link][bend] = middle,
                }
            }
        }
        let starts = self
            .layers
            .across
            .iter()
            .zip(&self.sizes)
            .map(|(middle, size)| middle - size.1 / 2.0);
        let first = starts
            .chain(self.layers.bends.iter().flatten().copied())
            .fold(f64::INFINITY, f64::min);
        let all = self
            .layers
            .across
            .iter_mut()
            .chain(self.layers.bends.iter_mut().flatten());
        all.for_each(|place| *place -= first);
    }

    /// The extent of everything across the direction.
    fn extent(&self) -> f64 {
        let ends = self
            .layers
            .across
            .iter()
            .zip(&self.sizes)
            .map(|(middle, size)| middle + size.1 / 2.0);
        ends.chain(self.layers.bends.iter().flatten().copied())
            .fold(0.0, f64::max)
    }

    /// Where an edge goes from a port: across, in the next layer on its way.
    fn target(&self, port: &Port) -> f64 {
        let Some(link) = self.links[port.edge] else {
            // Behind all others.
            return f64::INFINITY;
        };
        let bends = &self.layers.bends[link];
        let next = match port.side {
            Side::Back => bends.first(),
            Side::Front => bends.last(),
        };
        let other = match port.which {
            Which::Left => self.ports[port.edge][1].node,
            Which::Right => self.ports[port.edge][0].node,
        };
        next.copied().unwrap_or(self.layers.across[other])
    }

    fn arrange_ports(&mut self) {
        let mut ports = self.ports.clone();
        for node in 0..self.sizes.len() {
            for side in [Side::Front, Side::Back] {
                ports::arrange(&mut ports, node, side, self.sizes[node].1, &|port| self.target(port));
            }
        }
        self.ports = ports;
    }

    /// Where a port is, across the direction.
    fn across(&self, port: &Port) -> f64 {
        self.layers.across[port.node] + port.offset
    }

    /// How far lines move across between a layer and the next one.
    fn steepest(&self, layer: usize) -> f64 {
        let steps = (0..self.ports.len()).flat_map(|edge| {
            let (from, to) = self.ends(edge);
            let (first, passed) = (self.layers.layers[from.node], self.passed(edge));
            let stops: Vec<f64> = passed.into_iter().chain([self.across(to)]).collect();
            let starts = std::iter::once(self.across(from)).chain(stops.clone());
            let steps = starts.zip(stops).enumerate();
            let steps = steps.filter(move |(index, _)| first + index == layer);
            steps.map(|(_, (start, stop))| (stop - start).abs()).collect::<Vec<_>>()
        });
        steps.fold(0.0, f64::max)
    }

    /// Puts the layers one behind the other, with room for the names of hooks, and between them for lines to bend.
    fn place_bands(&mut self) {
        let mut next = 0.0;
        for layer in 0..self.layer_count() {
            let nodes: Vec<usize> = (0..self.sizes.len())
                .filter(|&node| self.layers.layers[node] == layer)
                .collect();
            let thickest = nodes.iter().map(|&node| self.sizes[node].0).fold(0.0, f64::max);
            let room = |side| {
                let ports = nodes.iter().flat_map(|&node| ports::at(&self.ports, node, side));
                ports.map(|port| port.room.along).fold(0.0, f64::max)
            };
            let loops = nodes.iter().flat_map(|&node| ports::at(&self.ports, node, Side::Back));
            let has_loops = loops.map(|port| self.links[port.edge]).any(|link| link.is_none());
            let middle = next + room(Side::Front) + thickest / 2.0;
            let exit = middle + thickest / 2.0 + room(Side::Back) + if has_loops { SWING } else { 0.0 };
            self.bands.push(Band {
                enter: next,
                middle,
                exit,
            });
            next = exit + (self.steepest(layer) * SLOPE).clamp(BETWEEN.0, BETWEEN.1);
        }
    }

    fn rect(&self, node: usize) -> Rect {
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
    fn ends(&self, edge: usize) -> (&Port, &Port) {
        let [left, right] = &self.ports[edge];
        if left.side == Side::Back {
            (left, right)
        } else {
            (right, left)
        }
    }

    /// Where an edge passes layers between those of its nodes.
    fn passed(&self, edge: usize) -> Vec<f64> {
        self.links[edge].map_or_else(Vec::new, |link| self.layers.bends[link].clone())
    }

    fn wire(&self, edge: usize) -> Wire {
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

/// What stands in a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Node(usize),
    /// A link, and which of its bends.
    Bend(usize, usize),
}
