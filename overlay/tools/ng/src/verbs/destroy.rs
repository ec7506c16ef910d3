//! `ng destroy`.

use std::path::PathBuf;

use clap::Args;
use graph::{Action, Graph};
use netgraph::Transport;
use serde::Serialize;

use super::validate;
use crate::engine::{Engine, Signals};
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Take away everything that ng made
///
/// Interfaces stay and only lose the links that ng made; what others made is left alone.
#[derive(Debug, Args)]
pub struct Destroy {
    /// The graph that was applied; what ng made is remembered, so that it need not be named
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Output {
    shut_down: Vec<String>,
    disconnected: usize,
}

impl Destroy {
    /// The jail that the graph is for, if it is named.
    pub fn jail(&self) -> Result<Option<String>> {
        let graph = self.file.as_deref().map(validate::read).transpose()?;
        Ok(graph.and_then(|graph| graph.jail().map(str::to_owned)))
    }

    /// Reads the file only, so that a wrong one is told without root and without netgraph.
    pub fn check(&self) -> Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| validate::read(file).map(drop))
    }

    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        self.check()?;
        let state = session.state.clone();
        let _lock = state.lock()?;
        let nothing = Graph::parse("version: 1\n", "(no graph)".as_ref());
        let nothing = nothing.map_err(|error| Failure::Usage(error.to_string()))?;
        let outcome = Engine::new(session, &state)?.apply(&nothing, &Signals::caught()?)?;
        state.forget_confirmed()?;
        let mut output = Output {
            shut_down: Vec::new(),
            disconnected: 0,
        };
        for change in outcome.changes {
            match change.action {
                Action::Remove { label, .. } => output.shut_down.push(label),
                Action::Disconnect { .. } => output.disconnected += 1,
                _ => {}
            }
        }
        session.print(&output, |out| {
            let names = &output.shut_down;
            names.iter().try_for_each(|name| writeln!(out, "shut down {name}"))
        })
    }
}
