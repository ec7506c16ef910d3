//! `ng config`.

use clap::Args;
use netgraph::{Address, Errno, TextConfig, Transport};
use serde::Serialize;

use crate::explain;
use crate::failure::Result;
use crate::session::Session;

/// Show a node's configuration text, or set it
///
/// Few types have one; that a node has none is no failure.
#[derive(Debug, Args)]
pub struct Config {
    /// The node
    path: Address,

    /// The configuration to set
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Serialize)]
struct Output<'a> {
    path: &'a str,
    config: Option<&'a str>,
}

impl Config {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let text = (!self.arguments.is_empty()).then(|| self.arguments.join(" "));
        let config = match session.socket.request(&self.path, &TextConfig(text)) {
            Ok(config) => Some(config),
            Err(error) if error.errno() == Some(Errno::EINVAL) => None,
            Err(error) => return Err(explain::refusal(&mut session.socket, error)),
        };
        let output = Output {
            path: self.path.as_str(),
            config: config.as_deref(),
        };
        session.print(&output, |out| match &config {
            Some(config) => writeln!(out, "Config for \"{}\":\n{config}", self.path),
            None => writeln!(out, "No config available for \"{}\"", self.path),
        })
    }
}
