//! The graph that a seed brings.

use std::path::Path;

use graph::{Graph, Kind, Origin, Selector};

use crate::error::{Error, Result};
use crate::network::Card;

/// Checks the text of a graph: what it says, and, if the machine's cards are known, whether those that it chooses by name or
/// hardware address are there. Where others are, only the kernel knows.
///
/// # Errors
/// Everything that is wrong, with file, line and column.
pub fn check(text: &str, file: &str, cards: Option<&[Card]>) -> Result<Graph> {
    let wrong = |error: graph::Error| Error::Graph(error.to_string());
    let graph = Graph::parse(text, Path::new(file)).map_err(wrong)?;
    if let Some(cards) = cards {
        for (index, node) in graph.nodes().iter().enumerate() {
            if let Some(missing) = missing(&node.kind, cards) {
                let there: Vec<&str> = cards.iter().map(|card| card.name.as_str()).collect();
                let hint = format!("this machine has {}", there.join(", "));
                return Err(wrong(graph.error(Origin::Node(index), missing, Some(hint))));
            }
        }
    }
    Ok(graph)
}

/// What a node needs that no card is.
fn missing(kind: &Kind, cards: &[Card]) -> Option<String> {
    match kind {
        Kind::Interface(Selector::Name(name)) if !cards.iter().any(|card| card.name == *name) => {
            Some(format!("there is no interface {name}"))
        }
        Kind::Interface(Selector::Mac(mac)) if !cards.iter().any(|card| card.mac == Some(*mac)) => {
            Some(format!("there is no interface with the hardware address {mac}"))
        }
        _ => None,
    }
}

/// The names of the cards that belong to a graph.
pub fn owned(graph: &Graph, cards: &[Card]) -> Vec<String> {
    let name = |node: &graph::Node| match &node.kind {
        Kind::Interface(Selector::Name(name)) => Some(name.clone()),
        Kind::Interface(Selector::Mac(mac)) => {
            { cards.iter().find(|card| card.mac == Some(*mac)) }.map(|card| card.name.clone())
        }
        _ => None,
    };
    graph.nodes().iter().filter_map(name).collect()
}
