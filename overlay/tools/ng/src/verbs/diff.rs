//! `ng diff`.

use std::borrow::Cow;
use std::collections::HashSet;

use clap::Args;
use graph::{Dump, Graph, LiveNode, Record, RecordedEdge, Snapshot};
use netgraph::Transport;
use serde::Serialize;

use super::declared::Declared;
use crate::engine::{Engine, difference};
use crate::failure::{Failure, Result};
use crate::live;
use crate::session::Session;

/// Show how the live graph differs from a file, what others made included
///
/// Beside the lines of `ng plan`, `?` is what is in the live graph, is not declared, and was not made by ng: applying the
/// file leaves it alone. Exits with 1 when there is a difference.
#[derive(Debug, Args)]
pub struct Diff {
    #[command(flatten)]
    declared: Declared,
}

#[derive(Serialize)]
struct Output {
    file: String,
    changes: Vec<String>,
    others: Vec<String>,
}

impl Diff {
    /// The jail that the graph is for.
    pub fn jail(&self) -> Result<Option<String>> {
        self.declared.jail()
    }

    /// Reads the file only, so that a wrong one is told without root and without netgraph.
    pub fn check(&self) -> Result<()> {
        self.declared.graph().map(drop)
    }

    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let graph = self.declared.graph()?;
        let state = session.state.clone();
        let mut engine = Engine::new(session, &state)?;
        let record = engine.record()?;
        let changes = difference(graph, &engine.preview(graph)?.changes);
        let others = others(graph, &live::everything(session)?, &record);
        let output = Output {
            file: self.declared.file().display().to_string(),
            changes,
            others,
        };
        session.print(&output, |out| {
            output.changes.iter().try_for_each(|line| writeln!(out, "{line}"))?;
            output.others.iter().try_for_each(|line| writeln!(out, "? {line}"))
        })?;
        if output.changes.is_empty() && output.others.is_empty() {
            Ok(())
        } else {
            Err(Failure::Different)
        }
    }
}

/// Nodes and links that are neither declared nor recorded. Interfaces without links are no part of a graph.
fn others(graph: &Graph, snapshot: &Snapshot, record: &Record) -> Vec<String> {
    let declared: HashSet<Cow<'_, str>> = graph.nodes().iter().map(graph::Node::live_name).collect();
    let edges: HashSet<RecordedEdge> = graph
        .edges()
        .iter()
        .map(|edge| RecordedEdge::declared(graph, &edge.left, &edge.right))
        .collect();
    let is_known =
        |node: &LiveNode| node.name.as_ref().is_some_and(|name| declared.contains(name.as_str())) || record.owns(node);
    let is_bare = |node: &LiveNode| node.type_name == "ether" && node.hooks == 0;
    let nodes = snapshot
        .nodes
        .iter()
        .filter(|node| node.type_name != "socket" && !is_known(node) && !is_bare(node));
    let mut lines: Vec<String> = nodes
        .map(|node| format!("node {} ({})", node.label(), node.type_name))
        .collect();
    let dump = Dump::of(snapshot, &|_| true);
    for (left, right) in dump.links() {
        let edge = RecordedEdge::new((&left.0, &left.1), (&right.0, &right.1));
        if !edges.contains(&edge) && !record.edges.contains(&edge) {
            lines.push(format!("edge {}.{} -- {}.{}", left.0, left.1, right.0, right.1));
        }
    }
    lines
}
