//! `ng debug`.

use clap::Args;
use netgraph::Transport;
use serde::Serialize;

use super::usage;
use crate::failure::Result;
use crate::session::Session;

/// Show how much is told of what is sent and received, or change it
///
/// 0 tells nothing, 1 one line for each message or packet, 2 and more its bytes, too; on standard error. -d sets it before
/// the first command.
#[derive(Debug, Args)]
pub struct Debug {
    /// The level, or `+` or `-` for one more or less
    #[arg(allow_hyphen_values = true)]
    level: Option<String>,
}

#[derive(Serialize)]
struct Output {
    debug: u8,
}

impl Debug {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let now = session.level.get();
        let Some(level) = &self.level else {
            let output = Output { debug: now };
            return session.print(&output, |out| writeln!(out, "Current debug level is {now}"));
        };
        let level = match level.as_str() {
            "+" => now.saturating_add(1),
            "-" => now.saturating_sub(1),
            text => text
                .parse()
                .map_err(|_| usage(format!("`{text}` is no level: + or -, or from 0 to 255")))?,
        };
        session.level.set(level);
        session.done("debug", &Output { debug: level })
    }
}
