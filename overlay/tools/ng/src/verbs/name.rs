//! `ng name`.

use clap::Args;
use netgraph::{Address, NodeName, Transport};

use crate::failure::Result;
use crate::session::Session;

/// Name a node, or give it another name
#[derive(Debug, Args)]
pub struct Name {
    /// The node
    path: Address,

    /// Its name: up to 31 bytes without `.` and `:`
    name: NodeName,
}

impl Name {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        session.request(&self.path, &netgraph::Name(self.name.clone()))
    }
}
