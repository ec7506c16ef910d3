//! `ng read`.

use std::os::fd::AsFd;
use std::path::PathBuf;

use clap::Args;
use netgraph::Transport;

use crate::failure::Result;
use crate::script;
use crate::session::Session;

/// Run the commands in a file, one per line
///
/// The same as -f FILE; in a file or at the prompt, the commands work on the node of ng that is there.
#[derive(Debug, Args)]
pub struct Read {
    /// The file; - is standard input
    file: PathBuf,
}

impl Read {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()>
    where
        T::Endpoint: AsFd,
    {
        script::run_file(session, &self.file, &|command, session| command.run(session))
    }
}
