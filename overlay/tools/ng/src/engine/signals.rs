//! Signals that would end the process while it changes the graph.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::failure::{Failure, Result};

/// Whether one of SIGHUP, SIGINT and SIGTERM came since this was made.
///
/// They do not end the process from then on: what was begun is taken back first.
#[derive(Debug, Clone)]
pub struct Signals(Option<Arc<AtomicBool>>);

impl Signals {
    /// Waits for signals from now on, until the process ends.
    pub fn caught() -> Result<Self> {
        let came = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&came))?;
        }
        Ok(Self(Some(came)))
    }

    /// Does not look for signals.
    pub fn ignored() -> Self {
        Self(None)
    }

    /// An error once a signal came.
    pub fn check(&self) -> Result<()> {
        match &self.0 {
            Some(came) if came.load(Ordering::Relaxed) => Err(Failure::Interrupted),
            _ => Ok(()),
        }
    }
}
