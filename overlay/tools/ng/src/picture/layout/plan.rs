//! Where the nodes of a connected part stand, where its links pass them, and in which order hooks are.

use super::geometry::Direction;
use super::layers::{self, LINK_GAP, Layers, Link, NODE_GAP};
use super::ports::{self, Port, Side, Which};
use super::{measure, orient, space};
use crate::failure::Result;
use crate::picture::Drawing;

/// How far lines swing out that lead back to their node.
pub const SWING: f64 = 22.0;
/// The least and the largest room between two layers.
const BETWEEN: (f64, f64) = (18.0, 170.0);
/// How much of the distance across that a line covers between two layers becomes room between them.
const SLOPE: f64 = 0.35;

/// What is known while a part is laid out. Nodes and edges are the part's.
pub struct Plan {
    /// In which direction its layers follow each other.
    pub direction: Direction,
    /// Extents of the nodes, along and across.
    pub sizes: Vec<(f64, f64)>,
    /// By edge, its left and its right end.
    pub ports: Vec<[Port; 2]>,
    /// Layers, and places across.
    pub layers: Layers,
    /// By edge, which link it is; None if it leads back to its node.
    pub links: Vec<Option<usize>>,
    /// Where each layer is, along the direction.
    pub bands: Vec<Band>,
}

/// A layer, along the direction.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Band {
    /// Where lines may not bend any more.
    pub enter: f64,
    /// The middle of its nodes.
    pub middle: f64,
    /// Where lines may bend again.
    pub exit: f64,
}

impl Plan {
    /// Decides all of it.
    pub fn new(part: &Drawing, direction: Direction) -> Result<Self> {
        let mut plan = Self::layered(part, direction)?;
        plan.separate();
        plan.arrange_ports();
        plan.place_bands();
        Ok(plan)
    }

    /// Finds the layers.
    fn layered(part: &Drawing, direction: Direction) -> Result<Self> {
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
        let extents: Vec<f64> = sizes.iter().map(|size| size.1).collect();
        let (numbers, links) = links(part, is_forward);
        Ok(Self {
            direction,
            sizes,
            ports,
            layers: layers::layers(&extents, &links)?,
            links: numbers,
            bands: Vec::new(),
        })
    }

    /// What stands in a layer, in its order across the direction.
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

    /// The links that pass a layer, and which of their bends is in it.
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
    pub fn extent(&self) -> f64 {
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
    pub fn across(&self, port: &Port) -> f64 {
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
}

/// By edge, which link it is, and the links; an edge that leads back to its node is none.
fn links(part: &Drawing, is_forward: impl Fn(usize) -> bool) -> (Vec<Option<usize>>, Vec<Link>) {
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
    (numbers.collect(), links)
}

/// What stands in a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Node(usize),
    /// A link, and which of its bends.
    Bend(usize, usize),
}
