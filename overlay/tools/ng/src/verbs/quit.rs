//! `ng quit`.

use clap::Args;
use netgraph::Transport;

use crate::failure::Result;
use crate::session::Session;

/// End, leaving out the rest of a file
#[derive(Debug, Args)]
pub struct Quit {}

impl Quit {
    #[expect(clippy::unnecessary_wraps, reason = "it stands beside verbs that can fail")]
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        session.over = true;
        Ok(())
    }
}
