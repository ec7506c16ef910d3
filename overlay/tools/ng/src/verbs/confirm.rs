//! `ng confirm`.

use clap::Args;
use netgraph::Transport;
use serde::Serialize;

use crate::failure::{Failure, Result};
use crate::session::Session;

/// Keep the graph that was applied with `ng apply --confirm`
#[derive(Debug, Args)]
pub struct Confirm {}

#[derive(Serialize)]
struct Output {
    file: String,
}

impl Confirm {
    #[expect(clippy::unused_self, reason = "every verb is called like this")]
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let state = session.state.clone();
        let _lock = state.lock()?;
        let pending = state.pending()?;
        let instance = session.host.instance()?;
        let Some(pending) = pending.filter(|pending| pending.guard != 0 && pending.instance == instance) else {
            return Err(Failure::Usage(
                "nothing waits to be confirmed; the time may have run out, and the graph before be back".to_owned(),
            ));
        };
        state.confirm(&pending.applied)?;
        let output = Output {
            file: pending.applied.file.display().to_string(),
        };
        session.print(&output, |out| {
            writeln!(out, "the graph of {} is confirmed", output.file)
        })
    }
}
