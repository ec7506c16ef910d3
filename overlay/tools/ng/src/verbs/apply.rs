//! `ng apply`.

use clap::Args;
use netgraph::Transport;

use super::declared::Declared;
use super::plan::print;
use crate::engine::{Engine, Outcome, Signals};
use crate::failure::{Failure, Result};
use crate::guard::{self, Guard};
use crate::session::Session;
use crate::state::{Applied, Pending, State};

/// Make the live graph what a file declares
///
/// Makes what is missing, takes away what ng made for an earlier file and this one does not declare, and sends the nodes'
/// messages. What is as declared already stays untouched, so applying twice changes nothing; what others made is left
/// alone. When something fails, the line that asked for it is shown, and the graph is made what it was before.
///
/// A message that sets what another one asks for (setconfig, getconfig) is sent when the answer shows that it would change
/// something; of a structure, only the fields in the file are compared and set. Other messages are sent once.
#[derive(Debug, Args)]
pub struct Apply {
    #[command(flatten)]
    declared: Declared,

    /// Only say what would be done, as `ng plan` does
    #[arg(long, conflicts_with_all = ["confirm", "boot"])]
    dry_run: bool,

    /// Go back to the graph before unless `ng confirm` comes within that many seconds
    ///
    /// For those at the other end of the link that they change. A process of its own keeps the time; it also goes back when
    /// this one hangs or is killed. After a reboot without a confirmation, the graph before is made.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    confirm: Option<u64>,

    /// When the file is wrong, cannot be applied, or was never confirmed, apply the last graph that was
    ///
    /// For the start of the machine. The exit status still tells of the failure.
    #[arg(long, conflicts_with = "confirm")]
    boot: bool,
}

impl Apply {
    /// The jail that the graph is for. At boot, a wrong file is none's: another graph may be applied in its place.
    pub fn jail(&self) -> Result<Option<String>> {
        match self.declared.jail() {
            Err(_) if self.boot => Ok(None),
            result => result,
        }
    }

    /// Reads the file only, so that a wrong one is told without root and without netgraph.
    pub fn check(&self) -> Result<()> {
        if self.boot {
            Ok(())
        } else {
            self.declared.graph().map(drop)
        }
    }

    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let state = session.state.clone();
        match self.confirm {
            _ if self.boot => self.at_boot(session, &state),
            _ if self.dry_run => self.preview(session, &state),
            Some(seconds) => self.until_confirmed(session, &state, seconds),
            None => {
                let graph = self.declared.graph()?;
                let lock = state.lock()?;
                let prepared = state.prepare(self.declared.applied()?)?;
                let outcome = Engine::new(session, &state)?.apply(graph, &Signals::caught()?)?;
                prepared.confirm()?;
                drop(lock);
                self.print(session, false, &outcome)
            }
        }
    }

    fn preview<T: Transport>(&self, session: &mut Session<T>, state: &State) -> Result<()> {
        let outcome = Engine::new(session, state)?.preview(self.declared.graph()?)?;
        self.print(session, true, &outcome)?;
        if outcome.changes.is_empty() {
            Ok(())
        } else {
            Err(Failure::Different)
        }
    }

    fn print<T: Transport>(&self, session: &mut Session<T>, dry_run: bool, outcome: &Outcome) -> Result<()> {
        print(session, self.declared.graph()?, self.declared.file(), dry_run, outcome)
    }

    /// Applies it with somebody who goes back when no confirmation comes.
    fn until_confirmed<T: Transport>(&self, session: &mut Session<T>, state: &State, seconds: u64) -> Result<()> {
        let applied = self.declared.applied()?;
        let lock = state.lock()?;
        let guard = Guard::start(session, seconds)?;
        state.write_pending(&Pending {
            guard: guard.process(),
            instance: session.host.instance()?,
            seconds,
            applied,
        })?;
        guard.watch();
        let result = Engine::new(session, state)?.apply(self.declared.graph()?, &Signals::caught()?);
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(failure) => {
                state.forget_pending()?;
                return Err(failure);
            }
        };
        drop(lock);
        self.print(session, false, &outcome)?;
        tell!("ng: `ng confirm` within {seconds} s keeps this graph; without it, the one before comes back");
        Ok(())
    }

    /// Applies the file, or else the last graph that was confirmed.
    fn at_boot<T: Transport>(&self, session: &mut Session<T>, state: &State) -> Result<()> {
        let lock = state.lock()?;
        let result = self.confirmed_file(state).and_then(|applied| {
            let prepared = state.prepare(applied)?;
            let outcome = Engine::new(session, state)?.apply(self.declared.graph()?, &Signals::caught()?)?;
            prepared.confirm()?;
            Ok(outcome)
        });
        let failure = match result {
            Ok(outcome) => return self.print(session, false, &outcome),
            Err(failure) => failure,
        };
        failure.tell(session.program, session.json);
        let outcome = guard::go_back(session, state);
        drop(lock);
        match outcome {
            Ok(Some(file)) => tell!(
                "ng: applied the last graph that was confirmed instead; it came from {}",
                file.display()
            ),
            Ok(None) => tell!("ng: no graph was ever confirmed here, so none is applied"),
            Err(error) => tell!("ng: the last graph that was confirmed could not be applied either: {error}"),
        }
        Err(Failure::Told(failure.status()))
    }

    /// The file, unless its text was applied before and never confirmed.
    fn confirmed_file(&self, state: &State) -> Result<Applied> {
        let applied = self.declared.applied()?;
        match state.pending()? {
            Some(pending) if pending.applied.text == applied.text => {
                Err(Failure::Unconfirmed(self.declared.file().display().to_string()))
            }
            _ => Ok(applied),
        }
    }
}
