//! Signals that would end the process while it changes the graph.

use crate::failure::{Failure, Result};
use crate::signal;

/// Whether the process was asked to end (SIGHUP, SIGINT, SIGTERM) since this was made.
///
/// They do not end it from then on: what was begun is taken back first.
#[derive(Debug)]
pub struct Signals(Option<signal::Flag>);

impl Signals {
    /// Waits for signals from now on, until the process ends.
    pub fn caught() -> Result<Self> {
        signal::Flag::new().map(|flag| Self(Some(flag)))
    }

    /// Does not look for signals.
    pub fn ignored() -> Self {
        Self(None)
    }

    /// An error when a signal came. Asking takes no time worth mentioning.
    pub fn check(&self) -> Result<()> {
        match &self.0 {
            Some(flag) if flag.is_set() => Err(Failure::Interrupted),
            _ => Ok(()),
        }
    }
}
