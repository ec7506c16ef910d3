//! The table on a terminal.

use std::collections::VecDeque;
use std::fmt::Write;

use netgraph::Transport;

use super::graph::Event;
use super::rates::Rate;
use crate::clock;
use crate::failure::Result;
use crate::session::Session;

/// How many events stay on the screen.
const EVENTS: usize = 10;

/// How many counters fit, those that move first.
const COUNTERS: usize = 40;

/// To the upper left corner, and all behind it is cleared (ECMA-48).
const CLEAR: &str = "\x1b[H\x1b[J";

/// What is on the screen.
#[derive(Debug, Default)]
pub struct Screen {
    /// The latest events, the newest last.
    events: VecDeque<String>,
}

impl Screen {
    /// Draws it anew.
    pub fn draw<T: Transport>(
        &mut self,
        session: &mut Session<T>,
        events: Vec<Event>,
        rates: &[Rate],
        nodes: usize,
    ) -> Result<()> {
        let time = clock::time_of_day(clock::now());
        self.events.extend(events.iter().map(|event| format!("{time} {event}")));
        let surplus = self.events.len().saturating_sub(EVENTS);
        self.events.drain(..surplus);
        let text = self.text(&time, rates, nodes);
        session.print(&(), |out| write!(out, "{CLEAR}{text}"))
    }

    fn text(&self, time: &str, rates: &[Rate], nodes: usize) -> String {
        let mut text = format!("{time}  {nodes} nodes\n");
        let shown = shown(rates);
        if !shown.is_empty() {
            let width = shown.iter().map(|rate| rate.label().len()).max().unwrap_or(0);
            let _ = writeln!(text, "\n{:width$}  {:>14}  {:>20}", "Counter", "per second", "total");
            for rate in &shown {
                let _ = writeln!(text, "{:width$}  {:>14.1}  {:>20}", rate.label(), rate.rate, rate.value);
            }
        }
        if !self.events.is_empty() {
            text.push_str("\nChanges\n");
            self.events.iter().for_each(|event| text.extend([event, "\n"]));
        }
        text
    }
}

/// The counters that fit: those that move, then the others, each in the order of the nodes.
fn shown(rates: &[Rate]) -> Vec<&Rate> {
    let (moving, still): (Vec<&Rate>, Vec<&Rate>) = rates.iter().partition(|rate| rate.rate > 0.0);
    moving.into_iter().chain(still).take(COUNTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_stands_first() {
        let rate = |node: &str, rate: f64| Rate {
            node: node.to_owned(),
            hook: Some("link0".to_owned()),
            counter: "recvPackets".to_owned(),
            value: 7,
            rate,
        };
        let screen = Screen {
            events: ["12:00:00 + node x".to_owned()].into(),
        };
        let text = screen.text("12:00:01", &[rate("still", 0.0), rate("sw0", 2.5)], 4);
        let expected = "\
12:00:01  4 nodes

Counter                      per second                 total
sw0.link0 recvPackets               2.5                     7
still.link0 recvPackets             0.0                     7

Changes
12:00:00 + node x
";
        assert_eq!(text, expected);
    }
}
