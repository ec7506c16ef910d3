//! What became of each test, and of the run.

use serde::Serialize;

use crate::base::Base;
use crate::vm::timeline::Stage;

/// What became of one test.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// The file it comes from.
    pub suite: String,
    /// Its name.
    pub name: String,
    /// Its result.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took.
    pub seconds: f64,
    /// What the command wrote to its standard output, as far as it is kept.
    pub stdout: String,
    /// The same of its standard error.
    pub stderr: String,
}

/// The result of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "reason", rename_all = "snake_case")]
pub enum Outcome {
    /// Everything was as expected.
    Passed,
    /// Something was not; each complaint is one sentence.
    Failed(Vec<String>),
    /// It is not meant for this guest.
    Skipped(String),
    /// The run ended before its turn.
    NotRun(String),
}

impl Outcome {
    /// Passed if there is nothing to complain about.
    pub fn of(complaints: Vec<String>) -> Self {
        if complaints.is_empty() {
            Self::Passed
        } else {
            Self::Failed(complaints)
        }
    }

    /// One word for the table.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed(_) => "FAILED",
            Self::Skipped(_) => "skipped",
            Self::NotRun(_) => "not run",
        }
    }

    /// Why, for everything that did not pass.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::Passed => Vec::new(),
            Self::Failed(complaints) => complaints.clone(),
            Self::Skipped(reason) | Self::NotRun(reason) => vec![reason.clone()],
        }
    }
}

/// Everything about one run.
#[derive(Debug, Serialize)]
pub struct Run {
    /// The image's name.
    pub image: String,
    /// What it runs.
    pub base: Base,
    /// The same in words.
    pub introduction: String,
    /// FreeBSD's release; of a hosted base, the one that its module is built for.
    pub release: String,
    /// What ran the guest's instructions, and why.
    pub accelerator: String,
    /// Seconds from power-on to a session; nothing if there never was one.
    pub boot_seconds: Option<f64>,
    /// Where they went: firmware, loader, kernel, rc, ssh.
    pub timeline: Vec<Stage>,
    /// Seconds from the first to the last test.
    pub test_seconds: f64,
    /// Why the run ended early.
    pub ended_early: Option<String>,
    /// The last lines of the serial console, if the run ended early.
    pub console: Vec<String>,
    /// Each test.
    pub tests: Vec<Record>,
}

/// How many tests had each result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// As expected.
    pub passed: usize,
    /// Not as expected.
    pub failed: usize,
    /// Not meant for this guest.
    pub skipped: usize,
    /// Not reached.
    pub not_run: usize,
}

impl Run {
    /// Counts the results.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for record in &self.tests {
            let count = match record.outcome {
                Outcome::Passed => &mut tally.passed,
                Outcome::Failed(_) => &mut tally.failed,
                Outcome::Skipped(_) => &mut tally.skipped,
                Outcome::NotRun(_) => &mut tally.not_run,
            };
            *count += 1;
        }
        tally
    }

    /// Whether the appliance is proven: at least one test passed, none failed, all were reached.
    pub fn is_proof(&self) -> bool {
        let tally = self.tally();
        self.ended_early.is_none() && tally.passed > 0 && tally.failed == 0 && tally.not_run == 0
    }
}
