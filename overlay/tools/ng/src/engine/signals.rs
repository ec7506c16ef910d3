//! Signals that would end the process while it changes the graph.

use std::io::Read;
use std::os::unix::net::UnixStream;

use crate::failure::{Failure, Result};
use crate::signal;

/// Whether the process was asked to end (SIGHUP, SIGINT, SIGTERM) since this was made.
///
/// They do not end it from then on: what was begun is taken back first.
#[derive(Debug)]
pub struct Signals(Option<UnixStream>);

impl Signals {
    /// Waits for signals from now on, until the process ends.
    pub fn caught() -> Result<Self> {
        signal::requests_to_end().map(|stream| Self(Some(stream)))
    }

    /// Does not look for signals.
    pub fn ignored() -> Self {
        Self(None)
    }

    /// An error when a signal came since the last time.
    pub fn check(&self) -> Result<()> {
        let came = |mut stream: &UnixStream| stream.read(&mut [0]).is_ok_and(|length| length > 0);
        match &self.0 {
            Some(stream) if came(stream) => Err(Failure::Interrupted),
            _ => Ok(()),
        }
    }
}
