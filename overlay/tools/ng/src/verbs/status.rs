//! `ng status`.

use clap::Args;
use netgraph::{Address, Errno, TextStatus, Transport};
use serde::Serialize;

use crate::explain;
use crate::failure::Result;
use crate::session::Session;

/// Ask a node for its state in words
///
/// Few types have one; that a node has none is no failure.
#[derive(Debug, Args)]
pub struct Status {
    /// The node
    path: Address,
}

#[derive(Serialize)]
struct Output<'a> {
    path: &'a str,
    status: Option<&'a str>,
}

impl Status {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let status = match session.socket.request(&self.path, &TextStatus) {
            Ok(status) => Some(status),
            Err(error) if error.errno() == Some(Errno::EINVAL) => None,
            Err(error) => return Err(explain::refusal(&mut session.socket, error)),
        };
        let output = Output {
            path: self.path.as_str(),
            status: status.as_deref(),
        };
        session.print(&output, |out| match &status {
            Some(status) => writeln!(out, "Status for \"{}\":\n{status}", self.path),
            None => writeln!(out, "No status available for \"{}\"", self.path),
        })
    }
}
