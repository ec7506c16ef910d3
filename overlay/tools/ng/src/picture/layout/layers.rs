//! Layers, order and coordinates, by dugong.

use std::io;

use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel};

use crate::failure::{Failure, Result};

/// Between nodes, across the direction.
pub const NODE_GAP: f64 = 22.0;
/// Between links that pass a layer, across the direction.
pub const LINK_GAP: f64 = 12.0;
/// The extent of nodes and the distance of layers that dugong is told; only which layer is which is taken from it.
const STEP: f64 = 10.0;

/// A link from one node to another, which stands in a later layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The first node.
    pub from: usize,
    /// The other node.
    pub to: usize,
}

/// Where nodes and links go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layers {
    /// The layer of each node, from 0.
    pub layers: Vec<usize>,
    /// The middle of each node, across the direction.
    pub across: Vec<f64>,
    /// Where each link passes the layers between those of its nodes, in their order: across the direction.
    pub bends: Vec<Vec<f64>>,
}

/// Finds layers for nodes with these extents across the direction.
pub fn layers(extents: &[f64], links: &[Link]) -> Result<Layers> {
    let mut graph = graph(extents, links);
    dugong::layout(&mut graph).map_err(|error| Failure::Io {
        what: "could not lay the graph out",
        error: io::Error::other(error.to_string()),
    })?;
    let nodes = (0..extents.len()).map(|index| graph.node(&index.to_string()));
    let places: Vec<(f64, f64)> = nodes
        .map(|node| node.map_or((0.0, 0.0), |node| (node.x.unwrap_or(0.0), node.y.unwrap_or(0.0))))
        .collect();
    let levels = levels(&places);
    let level = |along: f64| levels.iter().position(|level| is_same(*level, along));
    let bends = links.iter().enumerate().map(|(index, link)| {
        let edge = graph.edge(&link.from.to_string(), &link.to.to_string(), Some(&index.to_string()));
        let points = edge.map_or(&[][..], |edge| &edge.points);
        // The first and the last are where the link meets its nodes.
        let inner = points.iter().skip(1).take(points.len().saturating_sub(2));
        inner
            .filter(|point| level(point.y).is_some())
            .map(|point| point.x)
            .collect()
    });
    Ok(Layers {
        layers: places.iter().map(|place| level(place.1).unwrap_or(0)).collect(),
        across: places.iter().map(|place| place.0).collect(),
        bends: bends.collect(),
    })
}

fn graph(extents: &[f64], links: &[Link]) -> Graph<NodeLabel, EdgeLabel, GraphLabel> {
    let mut graph = Graph::new(GraphOptions {
        directed: true,
        multigraph: true,
        compound: false,
    });
    graph.set_graph(GraphLabel {
        nodesep: NODE_GAP,
        edgesep: LINK_GAP,
        ranksep: STEP * 4.0,
        ..GraphLabel::default()
    });
    for (index, &width) in extents.iter().enumerate() {
        let height = STEP;
        let label = NodeLabel {
            width,
            height,
            ..NodeLabel::default()
        };
        graph.set_node(index.to_string(), label);
    }
    for (index, link) in links.iter().enumerate() {
        let label = EdgeLabel {
            weight: 1.0,
            ..EdgeLabel::default()
        };
        let name = Some(index.to_string());
        graph.set_edge_named(link.from.to_string(), link.to.to_string(), name, Some(label));
    }
    graph
}

/// The places of the layers along the direction, in order.
fn levels(places: &[(f64, f64)]) -> Vec<f64> {
    let mut levels: Vec<f64> = places.iter().map(|place| place.1).collect();
    levels.sort_by(f64::total_cmp);
    levels.dedup_by(|one, other| is_same(*one, *other));
    levels
}

fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() < STEP / 4.0
}
