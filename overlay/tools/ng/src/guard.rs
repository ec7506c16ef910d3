//! `ng apply --confirm`: the process that goes back to the graph before, unless somebody confirms the new one.
//!
//! It is this program once more, in a session of its own, so that it outlives the terminal, the SSH connection and the ng
//! that started it.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use graph::Graph;
use netgraph::Transport;

use crate::engine::{Engine, Signals};
use crate::failure::{Failure, Result};
use crate::session::Session;
use crate::state::{Pending, State};

/// The command that it is called by.
pub const COMMAND: &str = "__await-confirmation";

/// How often it looks whether somebody has confirmed.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long it waits for another ng that is changing the graph.
const PATIENCE: Duration = Duration::from_secs(30);

/// A graph that declares nothing.
const NOTHING: &str = "version: 1\n";

/// The process.
#[derive(Debug)]
pub struct Guard(Child);

impl Guard {
    /// Starts it.
    pub fn start<T: Transport>(session: &Session<T>, seconds: u64) -> Result<Self> {
        let failed = |error| Failure::Io {
            what: "could not start the process that waits for the confirmation",
            error,
        };
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command
            .args(session.host.arguments()?)
            .arg("--state")
            .arg(session.state.folder());
        command.args([COMMAND, &seconds.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(voice());
        command.spawn().map(Self).map_err(failed)
    }

    /// Its process ID.
    pub fn process(&self) -> u32 {
        self.0.id()
    }

    /// Has it look from now on whether the graph is still pending.
    pub fn watch(mut self) {
        drop(self.0.stdin.take());
    }
}

/// Where it says that it went back: on the terminal, if there is one. Whoever reads a pipe would wait for its end.
fn voice() -> Stdio {
    if io::stderr().is_terminal() {
        Stdio::inherit()
    } else {
        Stdio::null()
    }
}

/// Wait for `ng confirm`, or go back to the graph before
#[derive(Debug, Args)]
pub struct Wait {
    /// How long, in seconds
    seconds: u64,
}

impl Wait {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        // Without a session of its own it would go with the terminal. It has one already if it was started as a leader.
        let _ = rustix::process::setsid();
        let signals = Signals::caught()?;
        let deadline = Instant::now() + Duration::from_secs(self.seconds);
        let state = session.state.clone();
        // Until then, nothing is pending; the end comes when the other ng dies, too.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        while Instant::now() < deadline && signals.check().is_ok() {
            if !is_mine(state.pending()?.as_ref()) {
                return Ok(());
            }
            thread::sleep(INTERVAL);
        }
        let lock = wait_for_lock(&state)?;
        if !is_mine(state.pending()?.as_ref()) {
            return Ok(());
        }
        go_back(session, &state)?;
        drop(lock);
        tell!(
            "ng: no confirmation came within {} s; the graph is as it was before",
            self.seconds
        );
        Ok(())
    }
}

fn is_mine(pending: Option<&Pending>) -> bool {
    pending.is_some_and(|pending| pending.guard == std::process::id())
}

fn wait_for_lock(state: &State) -> Result<crate::state::Lock> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match state.lock() {
            Err(Failure::Busy(_)) if Instant::now() < deadline => thread::sleep(INTERVAL),
            result => return result,
        }
    }
}

/// Makes the last graph that was confirmed, and returns the file it came from; without one, none is left of what ng made.
///
/// A graph that waits to be confirmed cannot be any more. It is remembered only for its text, which the next boot is not to
/// apply.
pub fn go_back<T: Transport>(session: &mut Session<T>, state: &State) -> Result<Option<PathBuf>> {
    if let Some(pending) = state.pending()? {
        state.write_pending(&Pending { guard: 0, ..pending })?;
    }
    let file = state.confirmed()?.map(|applied| applied.file);
    let graph = confirmed(state)?;
    Engine::new(session, state)?.apply(&graph, &Signals::ignored())?;
    Ok(file)
}

/// The last graph that was confirmed; one that declares nothing if none was.
pub fn confirmed(state: &State) -> Result<Graph> {
    let (file, text) = match state.confirmed()? {
        Some(applied) => (applied.file, applied.text),
        None => ("(no graph)".into(), NOTHING.to_owned()),
    };
    Graph::parse(&text, &file).map_err(|error| Failure::Graph {
        error: Box::new(error),
        offline: true,
    })
}
