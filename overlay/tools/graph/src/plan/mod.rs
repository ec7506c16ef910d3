//! What has to be done so that the live graph becomes the declared one.
//!
//! Planning is a function of three things: the declared [`Graph`], a [`Snapshot`] of the live one, and the [`Record`] of
//! what was made for earlier graphs. What is neither declared nor recorded belongs to somebody else and stays as it is;
//! what is declared and there already is not touched.

use netgraph::NodeId;

use crate::error::Error;
use crate::{End, Graph, Origin};

mod assume;
mod edges;
mod matching;
mod order;
mod record;
mod records;
mod snapshot;
#[cfg(test)]
mod tests;
mod words;

pub use record::{Made, Record, RecordedEdge};
pub use snapshot::{Link, LiveNode, Snapshot};

/// What is to be done, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Each action, with what in the file asks for it; None where it is the absence of something that does.
    pub actions: Vec<(Option<Origin>, Action)>,
    /// How many declared nodes and edges are there already and stay untouched.
    pub kept: (usize, usize),
    /// Declared nodes and edges that it makes.
    made_nodes: Vec<usize>,
    made_edges: Vec<usize>,
    /// The greatest ID of all nodes that were there before.
    greatest: u32,
}

/// An end of a live link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveEnd {
    /// The node.
    pub node: NodeId,
    /// What to call it: its name, or its ID where it has none.
    pub label: String,
    /// The hook.
    pub hook: String,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Name a node without a name that is found where a declared one is missing, or that was to get the name before.
    Adopt {
        /// The live node.
        id: NodeId,
        /// The declared one that it becomes.
        node: usize,
    },
    /// Link a node to this process's own one, because it would go with its last link.
    Hold {
        /// The hook by which it is held.
        end: End,
    },
    /// Break a link that was made for an earlier graph.
    Disconnect {
        /// One end.
        left: LiveEnd,
        /// The other end.
        right: LiveEnd,
        /// Whether `ng tap` sits in between, so that both ends have to be broken.
        tapped: bool,
    },
    /// Shut down a node that was made for an earlier graph.
    Remove {
        /// The node.
        id: NodeId,
        /// What to call it.
        label: String,
        /// Its type.
        type_name: String,
    },
    /// Make a node at the end of a link of one that is there, and name it.
    Make {
        /// The end that is there.
        at: End,
        /// The end to be made.
        new: End,
    },
    /// Make a node at the end of a link of this process's own node, and name it.
    MakeAlone {
        /// The end to be made.
        new: End,
    },
    /// Take away the link to this process's own node by which a node was made or held.
    Release {
        /// The node's end of it.
        end: End,
    },
    /// Link two nodes that are there.
    Connect {
        /// One end.
        left: End,
        /// The other end.
        right: End,
    },
    /// Give the node's interface its hardware address, unless it has it.
    SetMac {
        /// The node.
        node: usize,
    },
    /// Give the node's interface its name, unless it has it.
    Rename {
        /// The node.
        node: usize,
    },
    /// Move the node's interface to its jail, unless it is there.
    MoveToJail {
        /// The node.
        node: usize,
    },
    /// Send a message, unless the node is known to be in that state already.
    Send {
        /// The node.
        node: usize,
        /// Which of its messages.
        message: usize,
        /// Whether the node, or what it was told, is as the record says.
        told: Told,
    },
}

/// Whether a node has been sent a message before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The node is made by this plan, and so in no state yet.
    Fresh,
    /// Never, as far as is recorded.
    Never,
    /// For an earlier graph, or for this one.
    Before,
}

/// Compares a declared graph with a live one.
///
/// # Errors
/// The live graph contradicts the declared one: a missing interface, a node of another type, a hook that is in use by
/// somebody else.
pub fn plan(graph: &Graph, live: &Snapshot, record: &Record) -> Result<Plan, Error> {
    let live = assume::assume_names(live, record);
    let matched = matching::match_nodes(graph, &live, record)?;
    let differences = edges::compare(&matched)?;
    order::order(&matched, differences)
}
