//! `ng svg`.

use clap::Args;
use netgraph::Transport;

use super::picture::Subject;
use crate::failure::Result;
use crate::picture::{Direction, Drawing, svg};
use crate::session::Session;

/// Draw the graph as an SVG picture
///
/// No other program is needed. Interfaces are round, what passes frames on between several links is green, sockets are dashed;
/// hooks stand at the ends of their links. Browsers tell more under the pointer. The same graph always gives the same picture.
#[derive(Debug, Args)]
pub struct Svg {
    #[command(flatten)]
    subject: Subject,

    /// Which way the graph goes; without it, the way that gives the better shape
    #[arg(long, value_name = "WAY")]
    direction: Option<Direction>,
}

impl Svg {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        self.subject.run(session, |drawing| self.draw(drawing))
    }

    pub fn run_offline(&self, json: bool) -> Option<Result<()>> {
        self.subject.run_offline(json, |drawing| self.draw(drawing))
    }

    fn draw(&self, drawing: &Drawing) -> Result<String> {
        svg::text(drawing, &self.subject.title(), self.direction)
    }
}
