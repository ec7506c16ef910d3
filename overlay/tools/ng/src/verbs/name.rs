//! `ng name`.

use clap::Args;
use netgraph::{Address, Errno, NodeName, Transport};
use serde::Serialize;

use crate::explain;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Name a node, or give it another name
#[derive(Debug, Args)]
pub struct Name {
    /// The node
    path: Address,

    /// Its name: up to 31 bytes without `.` and `:`
    name: NodeName,
}

#[derive(Serialize)]
struct Output<'a> {
    path: &'a str,
    name: &'a str,
}

impl Name {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let request = netgraph::Name(self.name.clone());
        let named = session.socket.request(&self.path, &request);
        named.map_err(|error| self.explain(session, error))?;
        let output = Output {
            path: self.path.as_str(),
            name: self.name.as_str(),
        };
        session.done("name", &output)
    }

    fn explain<T: Transport>(&self, session: &mut Session<T>, error: netgraph::Error) -> Failure {
        if error.errno() != Some(Errno::EADDRINUSE) {
            return explain::refusal(&mut session.socket, error);
        }
        let hints = explain::named(&mut session.socket, &self.name).into_iter().collect();
        Failure::Netgraph { error, hints }
    }
}
