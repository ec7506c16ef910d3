//! `ng dot`.

use clap::Args;
use netgraph::Transport;

use super::picture::Subject;
use crate::failure::Result;
use crate::picture::dot;
use crate::session::Session;

/// Print the graph in the language of graphviz
///
/// Nodes are boxes, ellipses if they are interfaces, boxes with depth if they pass frames on between several links, and dashed
/// if they are sockets; each link is a line with its two hooks at the ends. `ng dot | dot -Tsvg` draws it. Nodes stand in the
/// order of their names, so that two outputs can be compared; ng's own node is left out unless it has hooks.
#[derive(Debug, Args)]
pub struct Dot {
    #[command(flatten)]
    subject: Subject,
}

impl Dot {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        self.subject.run(session, |drawing| Ok(dot::text(drawing)))
    }

    pub fn run_offline(&self, json: bool) -> Option<Result<()>> {
        self.subject.run_offline(json, |drawing| Ok(dot::text(drawing)))
    }
}
