//! What report.json says of a smoke run, as far as the page tells it.

use std::fs;
use std::path::Path;

use serde::Deserialize;

/// A smoke run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SmokeRun {
    /// The image's name.
    pub image: String,
    /// What it runs.
    pub introduction: String,
    /// What ran the guest's instructions.
    pub accelerator: String,
    /// Seconds from power-on to a session.
    pub boot_seconds: Option<f64>,
    /// Seconds from the first to the last test.
    pub test_seconds: f64,
    /// Why it ended early.
    pub ended_early: Option<String>,
    /// The stretches of the boot.
    pub timeline: Vec<Stage>,
    /// Each test.
    pub tests: Vec<Test>,
}

/// A stretch of a boot.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Stage {
    /// What it is called.
    #[serde(alias = "phase")]
    pub name: String,
    /// How long it took.
    pub seconds: f64,
}

/// A test.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Test {
    /// The file it comes from.
    pub suite: String,
    /// Its name.
    pub name: String,
    /// `passed`, `failed`, `skipped` or `not_run`.
    pub outcome: String,
    /// Why: a text, or a list of them.
    pub reason: Reasons,
    /// How long it took.
    pub seconds: f64,
    /// What it wrote.
    pub stdout: String,
    /// The same, on standard error.
    pub stderr: String,
}

/// Why a test did not pass.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
pub enum Reasons {
    /// It did.
    #[default]
    None,
    /// For one reason.
    One(String),
    /// For several.
    Several(Vec<String>),
}

impl Reasons {
    /// All of them.
    pub fn all(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(reason) => std::slice::from_ref(reason),
            Self::Several(reasons) => reasons,
        }
    }
}

impl SmokeRun {
    /// How many tests ended like that.
    pub fn count(&self, outcome: &str) -> usize {
        self.tests.iter().filter(|test| test.outcome == outcome).count()
    }

    /// The stretches of the boot; the whole of it if no more is known.
    pub fn stages(&self) -> Vec<Stage> {
        if !self.timeline.is_empty() {
            return self.timeline.clone();
        }
        let whole = |seconds| Stage {
            name: "power-on to SSH".into(),
            seconds,
        };
        self.boot_seconds.map(whole).into_iter().collect()
    }
}

/// Reads it; the text says why there is none.
pub fn load(path: &Path) -> Result<SmokeRun, String> {
    let text = fs::read(path).map_err(|_| "No smoke run was reported. `cargo xtask smoke` makes one.".to_owned())?;
    serde_json::from_slice(&text).map_err(|error| format!("{} cannot be understood: {error}", path.display()))
}
