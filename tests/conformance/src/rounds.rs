//! `--rounds`: many rounds of the storm, and what the kernel has allocated before and after.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::outcome::{Outcome, Stop};
use crate::system::here;
use crate::tests::storm::Nodes;
use crate::tests::{STORM, storm};

/// For how long what was allocated may take to come back: nodes go in their own time.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of each kind is allocated.
type Figures = BTreeMap<String, u64>;

/// Runs so many rounds, shared by so many processes; fails if something of netgraph's stays behind.
pub fn run(rounds: u32, processes: u32, nodes: Nodes) -> ExitCode {
    let end = storm_and_count(rounds, processes, nodes);
    if end.is_err() {
        here().abandon();
    }
    match end.and_then(|()| here().leave()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed(text) | Stop::NotHere(text)) => {
            println!("FAILED: {text}");
            ExitCode::FAILURE
        }
    }
}

fn storm_and_count(rounds: u32, processes: u32, nodes: Nodes) -> Outcome {
    // What is made with the first sockets and stays is there before the count begins.
    storm::arguments(100, 1, nodes)
        .iter()
        .try_for_each(|first| storm::probe(first))?;
    let before = settled(Figures::clone)?;
    let start = Instant::now();
    here().run_probes(STORM, &storm::arguments(rounds, processes, nodes))?;
    println!(
        "{rounds} rounds of {processes} processes: {:.1} s",
        start.elapsed().as_secs_f64()
    );
    storm::nobody_left()?;
    let after = settled(|_| before.clone())?;
    show(&before, &after);
    match grown(&before, &after).as_slice() {
        [] => Ok(()),
        kinds => Err(Stop::Failed(format!(
            "expected as much as before of {}, got more",
            kinds.join(", ")
        ))),
    }
}

/// What is allocated, once no more of netgraph's kinds is than `wanted`, or after some time.
fn settled(wanted: impl Fn(&Figures) -> Figures) -> Outcome<Figures> {
    let end = Instant::now() + PATIENCE;
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let figures = here().allocated()?;
        if grown(&wanted(&figures), &figures).is_empty() || Instant::now() > end {
            return Ok(figures);
        }
    }
}

/// The kinds of netgraph's of which more is allocated than before.
fn grown(before: &Figures, after: &Figures) -> Vec<String> {
    let more = after.iter().filter(|(kind, count)| {
        let is_netgraphs = kind.to_lowercase().starts_with("netgraph");
        is_netgraphs && **count > before.get(*kind).copied().unwrap_or(0)
    });
    more.map(|(kind, _)| kind.clone()).collect()
}

fn show(before: &Figures, after: &Figures) {
    println!("{:<24} {:>10} {:>10}", "in use", "before", "after");
    for (kind, count) in after {
        println!("{kind:<24} {:>10} {count:>10}", before.get(kind).copied().unwrap_or(0));
    }
}

#[cfg(test)]
mod check {
    use super::*;

    #[test]
    fn only_netgraph_s_growth_counts() {
        let figures = |netgraph, mbuf| Figures::from([("NetGraph items".into(), netgraph), ("mbuf".into(), mbuf)]);
        assert!(grown(&figures(3, 1), &figures(3, 9)).is_empty());
        assert_eq!(grown(&figures(3, 1), &figures(4, 1)), ["NetGraph items"]);
    }
}
