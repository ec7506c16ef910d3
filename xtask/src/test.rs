//! `cargo xtask test`: every test that needs no FreeBSD.

mod sanitize;

use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use xshell::{Cmd, Shell, cmd};

use crate::fuzz::{self, MANIFEST as FUZZ};
use crate::util;

/// Run every test that needs no FreeBSD
///
/// All steps run even if one fails; the table at the end shows each.
#[derive(Args)]
pub struct Test {
    /// Run only these steps
    #[arg(value_enum, value_name = "STEP")]
    steps: Vec<Step>,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// The source is formatted
    Format,
    /// clippy finds nothing
    Lint,
    /// The kernel module builds for FreeBSD 14 and 15
    Kmod,
    /// The programs of the appliance build for FreeBSD
    Tools,
    /// Every line of ng_socket's behaviour holds on the hosted kernel, and the statement of what holds is up to date
    Conformance,
    /// Examples in the documentation work
    Doc,
    /// Unit and integration tests pass
    Unit,
    /// The hosted base is built twice to the same bytes, boots, and passes its smoke tests; guests of it that misbehave are reported
    Hosted,
    /// ng_socket survives every interleaving with few preemptions
    Models,
    /// The address and thread sanitizers find nothing; runs when named only
    Sanitize,
    /// The model of the fuzz targets is tested, and 20 seconds of each target find nothing
    Fuzz,
}

/// The module's crates as they are built for FreeBSD 15; the workspace as a whole has them for 14.
const OTHER_ABI: [&str; 7] = [
    "--package",
    "kpi",
    "--package",
    "ng_socket",
    "--no-default-features",
    "--features",
    "kpi/freebsd15,ng_socket/freebsd15",
];

/// The races, as only the model checker can run them.
const MODELS: [&str; 4] = ["--package", "models", "--features", "shuttle"];

/// How a step ended.
struct Ending {
    step: Step,
    time: Duration,
    result: Result<()>,
}

impl Test {
    /// Runs the steps.
    ///
    /// # Errors
    /// One of them failed.
    pub fn run(self) -> Result<()> {
        let shell = util::shell()?;
        let all = Step::value_variants().iter().copied();
        let chosen = all.filter(|step| match self.steps.as_slice() {
            [] => *step != Step::Sanitize,
            named => named.contains(step),
        });
        // Steps run this program in processes of their own. Asked for now: a later step may build it anew, in its place.
        let xtask = env::current_exe().context("could not find this program's own file")?;
        let endings: Vec<Ending> = chosen.map(|step| step.run(&shell, &xtask)).collect();
        println!("\n{}", table(&endings));
        let failed: Vec<_> = endings.iter().filter(|ending| ending.result.is_err()).collect();
        if !failed.is_empty() {
            bail!("{} of {} steps failed", failed.len(), endings.len());
        }
        Ok(())
    }
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lint => "lint",
            Self::Kmod => "kmod",
            Self::Tools => "tools",
            Self::Conformance => "conformance",
            Self::Doc => "doc",
            Self::Unit => "unit",
            Self::Hosted => "hosted",
            Self::Models => "models",
            Self::Sanitize => "sanitize",
            Self::Fuzz => "fuzz",
        }
    }

    fn run(self, shell: &Shell, xtask: &Path) -> Ending {
        eprintln!("\n==> {}", self.name());
        let start = Instant::now();
        let result = self.commands(shell, xtask).and_then(|commands| run_all(&commands));
        if let Err(error) = &result {
            eprintln!("==> {} failed: {error:#}", self.name());
        }
        Ending {
            step: self,
            time: start.elapsed(),
            result,
        }
    }

    fn commands<'a>(self, shell: &'a Shell, xtask: &Path) -> Result<Vec<Cmd<'a>>> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let fuzz_dir = fuzz::build_dir();
        Ok(match self {
            Self::Format => vec![cmd!(shell, "{cargo} fmt --all --check")],
            Self::Lint => vec![
                cmd!(
                    shell,
                    "{cargo} clippy --workspace --all-targets --locked -- -D warnings"
                ),
                cmd!(shell, "{cargo} clippy --locked {OTHER_ABI...} -- -D warnings"),
                cmd!(
                    shell,
                    "{cargo} clippy --locked {MODELS...} --all-targets -- -D warnings"
                ),
            ],
            Self::Kmod => ["14", "15"]
                .map(|release| cmd!(shell, "{xtask} kmod --release {release}"))
                .into(),
            Self::Tools => vec![cmd!(shell, "{xtask} tools")],
            Self::Conformance => ["--dry", "--check"]
                .map(|how| cmd!(shell, "{xtask} conformance {how}"))
                .into(),
            Self::Doc => vec![cmd!(shell, "{cargo} test --workspace --locked --doc")],
            Self::Hosted => vec![
                cmd!(shell, "{xtask} image --base hosted --verify"),
                cmd!(shell, "{xtask} smoke --base hosted"),
                // Two at a time: in one of them SSH is waited for in vain, for a minute in which the others can run.
                cmd!(
                    shell,
                    "{cargo} test --locked --package xtask --test hosted_cli -- --ignored --test-threads 2"
                ),
            ],
            Self::Models => vec![cmd!(
                shell,
                "{cargo} test --locked --profile models {MODELS...} --test races"
            )],
            Self::Sanitize => sanitize::commands(shell)?,
            // Not cargo-nextest: it runs every test in a process of its own, and those that read one image back would
            // each build it.
            Self::Unit => vec![
                cmd!(shell, "{cargo} test --locked {OTHER_ABI...}"),
                cmd!(shell, "{cargo} test --workspace --locked --all-targets --no-fail-fast"),
            ],
            // A workspace of its own.
            Self::Fuzz => vec![
                cmd!(shell, "{cargo} fmt --manifest-path {FUZZ} --all --check"),
                cmd!(
                    shell,
                    "{cargo} clippy --manifest-path {FUZZ} --workspace --all-targets --locked --target-dir {fuzz_dir} -- -D warnings"
                ),
                cmd!(
                    shell,
                    "{cargo} test --manifest-path {FUZZ} --package oracle --locked --target-dir {fuzz_dir}"
                ),
                // Always from the same number: what a change is told is not to be a matter of luck.
                cmd!(shell, "{xtask} fuzz --seconds 20 --seed 1"),
            ],
        })
    }
}

/// Runs every command; the first failure is reported once all have run.
fn run_all(commands: &[Cmd<'_>]) -> Result<()> {
    let results: Vec<_> = commands.iter().map(Cmd::run).collect();
    results.into_iter().collect::<Result<(), _>>()?;
    Ok(())
}

fn table(endings: &[Ending]) -> String {
    let row = |ending: &Ending| {
        let word = match ending.result {
            Ok(()) => "ok",
            Err(_) => "FAILED",
        };
        format!("{word:<8} {:>6.1} s  {}", ending.time.as_secs_f64(), ending.step.name())
    };
    endings.iter().map(row).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_commands_run_though_one_fails() {
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("mark");
        let shell = Shell::new().unwrap();
        let commands = [cmd!(shell, "false").quiet(), cmd!(shell, "touch {mark}").quiet()];
        assert!(run_all(&commands).is_err());
        assert!(mark.exists());
    }

    #[test]
    fn the_table_shows_each_step() {
        let ending = |step, result| Ending {
            step,
            time: Duration::from_millis(1500),
            result,
        };
        let endings = [
            ending(Step::Format, Ok(())),
            ending(Step::Unit, Err(anyhow::anyhow!("x"))),
        ];
        assert_eq!(table(&endings), "ok          1.5 s  format\nFAILED      1.5 s  unit");
    }
}
