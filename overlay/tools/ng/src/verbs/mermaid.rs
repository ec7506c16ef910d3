//! `ng mermaid`.

use clap::Args;
use netgraph::Transport;

use super::picture::Subject;
use crate::failure::Result;
use crate::picture::mermaid;
use crate::session::Session;

/// Print the graph in the language of Mermaid
///
/// Forges and wikis draw it where a Markdown file has it in a code block called mermaid. The hooks at the two ends of a link
/// stand on it, in the order of the nodes.
#[derive(Debug, Args)]
pub struct Mermaid {
    #[command(flatten)]
    subject: Subject,
}

impl Mermaid {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        self.subject.run(session, |drawing| Ok(mermaid::text(drawing)))
    }

    pub fn run_offline(&self, json: bool) -> Option<Result<()>> {
        self.subject.run_offline(json, |drawing| Ok(mermaid::text(drawing)))
    }
}
