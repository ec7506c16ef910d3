//! `cargo xtask bench graph`: what it takes to make a graph, and to see that there is nothing to change.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use super::median;
use crate::{preflight, util};

mod daemon;
mod measure;
mod sketch;
mod table;

use daemon::Daemon;
use measure::Time;
use sketch::Sketch;
use table::Row;

const NODES: usize = 1000;
const EDGES: usize = 2000;
/// `ng apply` may take at most this times what the bare messages take.
const APPLY_LIMIT: f64 = 1.2;
/// `ng plan` may take at most so many milliseconds of processors when there is nothing to change.
const PLAN_LIMIT: f64 = 50.0;

/// `ng apply` of 1,000 nodes and 2,000 edges against the bare messages that make them, and `ng plan` after it
///
/// Each round makes the graph twice, each time on a hosted kernel that was just started: a program sends the messages with
/// the library that ng uses, and nothing else; `ng apply` reads the file and does it. Which of both is first alternates. The
/// times are of whole processes, from start to end. The ratio is that of the least times, since what else a machine does only
/// adds to them. All of it runs on one processor: with two, it would be measured how long the other one takes to wake up.
/// Instructions are counted once, by callgrind, and do not include the kernel's.
#[derive(Args)]
pub struct GraphBench {
    /// How many rounds
    #[arg(long, value_name = "N", default_value_t = 21)]
    rounds: usize,
}

/// What one round took.
struct Round {
    bare: Time,
    apply: Time,
    plan: Time,
}

impl GraphBench {
    /// Measures and compares.
    ///
    /// # Errors
    /// Something needed is missing, something measured fails, or takes more than it may.
    pub fn run(self) -> Result<()> {
        ensure!(self.rounds > 0, "no rounds, no result\nhint: --rounds 21");
        let bench = Prepared::new(&util::shell()?)?;
        measure::use_one_processor()?;
        bench.check()?;
        let rounds = (0..self.rounds).map(|number| bench.round(number));
        let rounds: Vec<Round> = rounds.collect::<Result<_>>()?;
        let counts = bench.count()?;
        println!("{NODES} nodes, {EDGES} edges, {} rounds", rounds.len());
        print!("{}", table::table(&rows(&rounds, counts)));
        verdict(&rounds)
    }
}

/// Everything that is ready before the clock starts.
struct Prepared {
    /// Where the programs are.
    programs: PathBuf,
    /// Where the graph is, and where ng remembers what it made.
    folder: PathBuf,
    /// Where hosted kernels are served: in a short path, as Unix sockets need it.
    served: tempfile::TempDir,
}

impl Prepared {
    fn new(shell: &Shell) -> Result<Self> {
        cmd!(
            shell,
            "cargo build --quiet --release --package ng --package hostkernd --package graphbench"
        )
        .run()?;
        let folder = util::target_dir().join("bench/graph");
        let sketch = Sketch::new(NODES, EDGES);
        util::write_atomically(&folder.join("graph.yaml"), sketch.yaml().as_bytes())?;
        util::write_atomically(&folder.join("messages"), sketch.messages().as_bytes())?;
        Ok(Self {
            programs: util::target_dir().join("release"),
            folder,
            served: tempfile::tempdir().context("could not make a temporary folder")?,
        })
    }

    /// A hosted kernel with an empty graph, of which nothing is remembered.
    fn kernel(&self) -> Result<Daemon> {
        let state = self.state();
        if state.exists() {
            fs::remove_dir_all(&state).with_context(|| format!("{}: could not be removed", state.display()))?;
        }
        Daemon::start(&self.programs.join("hostkernd"), &self.served.path().join("ng"))
    }

    fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Sends the bare messages.
    fn bare(&self, kernel: &Daemon) -> Command {
        let mut command = Command::new(self.programs.join("graphbench"));
        command.arg(kernel.socket()).arg(self.folder.join("messages"));
        command
    }

    fn ng(&self, verb: &str, kernel: &Daemon) -> Command {
        let mut command = Command::new(self.programs.join("ng"));
        command.arg("--hosted").arg(kernel.socket());
        command.arg("--state").arg(self.state());
        command.arg(verb).arg(self.folder.join("graph.yaml"));
        command
    }

    /// The bare messages make the graph that is declared: `ng plan` fails if there is something to change.
    fn check(&self) -> Result<()> {
        let kernel = self.kernel()?;
        measure::time(&mut self.bare(&kernel))?;
        let plan = measure::time(&mut self.ng("plan", &kernel));
        plan.map(drop).context("the bare messages do not make the graph")
    }

    fn round(&self, number: usize) -> Result<Round> {
        let mut bare = None;
        if number.is_multiple_of(2) {
            bare = Some(self.time_bare()?);
        }
        let kernel = self.kernel()?;
        let apply = measure::time(&mut self.ng("apply", &kernel))?;
        let plan = measure::time(&mut self.ng("plan", &kernel))?;
        drop(kernel);
        let bare = bare.map_or_else(|| self.time_bare(), Ok)?;
        Ok(Round { bare, apply, plan })
    }

    fn time_bare(&self) -> Result<Time> {
        measure::time(&mut self.bare(&self.kernel()?))
    }

    /// Instructions of the bare messages, of `ng apply` and of `ng plan`; without valgrind they are not known.
    fn count(&self) -> Result<Option<[u64; 3]>> {
        if preflight::find("valgrind").is_none() {
            println!("{}", preflight::missing("valgrind"));
            return Ok(None);
        }
        let bare = measure::instructions(&self.bare(&self.kernel()?))?;
        let kernel = self.kernel()?;
        let apply = measure::instructions(&self.ng("apply", &kernel))?;
        let plan = measure::instructions(&self.ng("plan", &kernel))?;
        Ok(Some([bare, apply, plan]))
    }
}

fn rows(rounds: &[Round], counts: Option<[u64; 3]>) -> [Row; 3] {
    let row = |what, number: usize, time: fn(&Round) -> Time| Row {
        what,
        least: least(rounds.iter().map(|round| time(round).wall)),
        wall: median(rounds.iter().map(|round| time(round).wall)),
        processor: median(rounds.iter().map(|round| time(round).processor)),
        instructions: counts.map(|counts| counts[number]),
    };
    [
        row("the bare messages", 0, |round| round.bare),
        row("ng apply", 1, |round| round.apply),
        row("ng plan, nothing to change", 2, |round| round.plan),
    ]
}

fn verdict(rounds: &[Round]) -> Result<()> {
    let wall = |time: fn(&Round) -> Time| least(rounds.iter().map(|round| time(round).wall));
    let ratio = wall(|round| round.apply) / wall(|round| round.bare);
    let plan = median(rounds.iter().map(|round| round.plan.processor));
    println!("ng apply / the bare messages: {ratio:.2} (at most {APPLY_LIMIT})");
    println!("ng plan, processors:          {plan:.1} ms (at most {PLAN_LIMIT})");
    ensure!(ratio <= APPLY_LIMIT, "ng apply takes more than it may");
    ensure!(plan <= PLAN_LIMIT, "ng plan takes more than it may");
    Ok(())
}

fn least(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(bare: f64, apply: f64, plan: f64) -> Round {
        let time = |milliseconds| Time {
            wall: milliseconds,
            processor: milliseconds,
        };
        Round {
            bare: time(bare),
            apply: time(apply),
            plan: time(plan),
        }
    }

    #[test]
    fn a_machine_that_is_busy_in_some_rounds_does_not_decide() {
        let rounds = [
            round(50.0, 90.0, 10.0),
            round(90.0, 55.0, 60.0),
            round(70.0, 80.0, 10.0),
        ];
        assert!(verdict(&rounds).is_ok());
    }

    #[test]
    fn what_takes_too_long_is_told() {
        let said = |rounds: &[Round]| verdict(rounds).unwrap_err().to_string();
        assert_eq!(said(&[round(50.0, 61.0, 10.0)]), "ng apply takes more than it may");
        assert_eq!(said(&[round(50.0, 50.0, 51.0)]), "ng plan takes more than it may");
    }
}
