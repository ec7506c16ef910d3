//! `ng plan`.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;
use graph::Graph;
use netgraph::Transport;

use super::declared::Declared;
use crate::engine::{Engine, Outcome, Report, difference};
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Show what applying a file would change
///
/// Nothing is touched. `+` is what would be made, `-` what ng made earlier and would take away, `~` what would be set
/// differently. Exits with 1 when there is something to change, and with 0 when there is not.
#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    declared: Declared,
}

impl Plan {
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
        let outcome = Engine::new(session, &state)?.preview(graph)?;
        print(session, graph, self.declared.file(), true, &outcome)?;
        if outcome.changes.is_empty() {
            Ok(())
        } else {
            Err(Failure::Different)
        }
    }
}

/// Prints what was, or would be, changed.
pub(super) fn print<T: Transport>(
    session: &mut Session<T>,
    graph: &Graph,
    file: &Path,
    dry_run: bool,
    outcome: &Outcome,
) -> Result<()> {
    let file = file.display().to_string();
    if session.json {
        let report = Report::new(graph, file, dry_run, outcome);
        return session.print(&report, |_| Ok(()));
    }
    session.print(&(), |out| lines(out, graph, &file, outcome))
}

fn lines(out: &mut dyn Write, graph: &Graph, file: &str, outcome: &Outcome) -> io::Result<()> {
    if outcome.changes.is_empty() {
        return writeln!(out, "the graph is as {file} declares it");
    }
    for line in difference(graph, &outcome.changes) {
        writeln!(out, "{line}")?;
    }
    let (nodes, edges) = outcome.kept;
    writeln!(out, "untouched: {}, {}", counted(nodes, "node"), counted(edges, "edge"))
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
