//! `ng watch`.

mod graph;
mod rates;
mod screen;

use std::io::{self, IsTerminal};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use netgraph::{Address, ListHooks, NodeId, NodeInfo, Transport};
use serde::Serialize;

use crate::clock;
use crate::failure::Result;
use crate::session::Session;
use graph::{Event, Graph};
use rates::{Rate, Rates};
use screen::Screen;

/// Show what changes in the graph, and counters
///
/// The kernel does not tell of changes, so it is asked for all nodes again and again, and for the links of those whose number
/// of hooks has changed; what comes and goes between two rounds is not seen, nor is a link of another node than PATH that is
/// replaced by another one meanwhile. Counters are those of the node types that have the command getstats, as rates per second.
///
/// On a terminal, a table is drawn anew each round. Elsewhere, each change and each counter that moves is one line; with --json,
/// one object.
#[derive(Debug, Args)]
pub struct Watch {
    /// Only these nodes; without any, all of them
    #[arg(value_name = "PATH")]
    nodes: Vec<Address>,

    /// How many seconds a round takes
    #[arg(short = 'i', long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    interval: Duration,

    /// End after so many rounds
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Show no counters
    #[arg(short = 'e', long)]
    events: bool,
}

/// A tenth of a second to an hour.
fn interval(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number of seconds".to_owned())?;
    if (0.1..=3600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("it is not between 0.1 and 3600".to_owned())
    }
}

/// What happened, as a line of JSON.
#[derive(Serialize)]
struct EventLine<'a> {
    /// Seconds since 1970.
    time: String,
    #[serde(flatten)]
    event: &'a Event,
}

/// A counter, as a line of JSON.
#[derive(Serialize)]
struct RateLine<'a> {
    time: String,
    event: &'static str,
    #[serde(flatten)]
    rate: &'a Rate,
}

impl Watch {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let chosen = self.chosen(session)?;
        let mut graph = Graph::new(chosen);
        let mut rates = Rates::default();
        let mut screen = (io::stdout().is_terminal() && !session.json).then(Screen::default);
        graph.look(session)?;
        self.count(session, &graph, &mut rates);
        let mut next = Instant::now();
        for round in 1.. {
            next += self.interval;
            thread::sleep(next.saturating_duration_since(Instant::now()));
            let events = graph.look(session)?;
            let counted = self.count(session, &graph, &mut rates);
            match &mut screen {
                Some(screen) => screen.draw(session, events, &counted, graph.nodes().count())?,
                None => lines(session, &events, &counted)?,
            }
            if self.count.is_some_and(|count| round >= count) {
                break;
            }
        }
        Ok(())
    }

    /// The nodes that are named; None for all.
    fn chosen<T: Transport>(&self, session: &mut Session<T>) -> Result<Option<Vec<NodeId>>> {
        let mut chosen = Vec::new();
        for path in &self.nodes {
            chosen.push(session.request(path, &ListHooks)?.node.id);
        }
        Ok((!chosen.is_empty()).then_some(chosen))
    }

    fn count<T: Transport>(&self, session: &mut Session<T>, graph: &Graph, rates: &mut Rates) -> Vec<Rate> {
        if self.events {
            return Vec::new();
        }
        let nodes: Vec<(&NodeInfo, Vec<&str>)> = graph.nodes().collect();
        rates.take(session, &nodes, Instant::now())
    }
}

fn lines<T: Transport>(session: &mut Session<T>, events: &[Event], rates: &[Rate]) -> Result<()> {
    let now = clock::now();
    for event in events {
        let time = clock::seconds(now);
        let line = EventLine { time, event };
        session.print(&line, |out| writeln!(out, "{} {event}", clock::time_of_day(now)))?;
    }
    for rate in rates.iter().filter(|rate| rate.rate > 0.0) {
        let line = RateLine {
            time: clock::seconds(now),
            event: "counter",
            rate,
        };
        session.print(&line, |out| writeln!(out, "{} {rate}", clock::time_of_day(now)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_take_a_reasonable_time() {
        assert_eq!(interval("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "x", "1e9", "nan"] {
            assert!(interval(bad).is_err(), "{bad}");
        }
    }
}
