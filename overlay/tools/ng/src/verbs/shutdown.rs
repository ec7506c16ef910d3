//! `ng shutdown`.

use clap::Args;
use netgraph::{Address, Transport};

use crate::failure::Result;
use crate::session::Session;

/// Shut a node down
///
/// Its links are broken, and it goes; nodes of a lasting kind, such as those of Ethernet interfaces, only lose their links.
#[derive(Debug, Args)]
pub struct Shutdown {
    /// The node
    path: Address,
}

impl Shutdown {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        session.request(&self.path, &netgraph::Shutdown)
    }
}
