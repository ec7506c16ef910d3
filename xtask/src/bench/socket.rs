//! `cargo xtask bench socket`: what an operation of a socket takes, with our module and with another one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use crate::vm::options::MachineOptions;
use crate::{kmod, preflight, util};

mod callgrind;
mod guest;
mod symbols;
mod table;

use callgrind::Profile;
use symbols::Functions;
use table::{Cost, Row};

/// How often an operation is performed. Every hook of a thousand is sent to once.
const COUNT: u32 = 1000;
/// Our module may take at most this times what the reference takes.
const LIMIT: f64 = 0.9;
/// Sending by name with 100,000 hooks may take at most this times what it takes with 1,000.
const GROWTH_LIMIT: f64 = 1.1;
/// How many functions are shown of a module.
const SHOWN: usize = 12;

/// Cases: what `sockbench` calls them, and what they are.
const CASES: [(&str, &str); 9] = [
    ("packet-64-name", "send and receive 64 bytes, by name"),
    ("packet-64-only", "send and receive 64 bytes, the only hook"),
    ("packet-1500-name", "send and receive 1500 bytes, by name"),
    ("packet-1500-only", "send and receive 1500 bytes, the only hook"),
    ("message", "control message and its answer"),
    ("open", "open and close a control socket"),
    ("hooks-1", "send by name, 1 hook"),
    (FEW_HOOKS, "send by name, 1,000 hooks"),
    (MANY_HOOKS, "send by name, 100,000 hooks"),
];
const FEW_HOOKS: &str = "hooks-1000";
const MANY_HOOKS: &str = "hooks-100000";

/// Instructions that socket operations take, with our module and with another one
///
/// Both run on the hosted kernel under callgrind: `module` is what the module itself executes, `calls` how often it calls
/// the kernel, and `all` everything including the hosted kernel, which is not FreeBSD's. With --guest they run on FreeBSD
/// in QEMU with a clock that counts instructions, and `all` is the whole system call. The ratio is that of `module` where
/// it is known, else that of `all`.
#[derive(Args)]
pub struct SocketBench {
    /// Our module [default: built for the release series of the hosted kernel, or of the image]
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// The module to compare with, such as FreeBSD's own ng_socket.ko
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Only cases whose name or description contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Show which functions of the modules the instructions are in, and what they call
    #[arg(long, conflicts_with = "guest")]
    functions: bool,
    /// Measure on FreeBSD, in the image
    #[arg(long)]
    guest: bool,
    #[command(flatten)]
    machine: MachineOptions,
}

impl SocketBench {
    /// Measures and compares.
    ///
    /// # Errors
    /// Something needed is missing, a case fails, or our module takes more than it may.
    pub fn run(self) -> Result<()> {
        let shell = util::shell()?;
        let cases = self.cases()?;
        let rows = if self.guest {
            guest::measure(&shell, &self, &cases)?
        } else {
            self.hosted(&shell, &cases)?
        };
        print!("{}", table::table(&rows));
        verdict(&rows)
    }

    fn cases(&self) -> Result<Vec<Case>> {
        let wanted = |case: &Case| {
            let matches = |text: &String| case.0.contains(text) || case.1.contains(text);
            self.filter.as_ref().is_none_or(matches)
        };
        let cases: Vec<Case> = CASES.into_iter().filter(wanted).collect();
        ensure!(
            !cases.is_empty(),
            "no case contains {}",
            self.filter.as_deref().unwrap_or("")
        );
        Ok(cases)
    }

    /// Our module: the one given, or one built for this release.
    fn module(&self, shell: &Shell, release: &str) -> Result<PathBuf> {
        match &self.module {
            Some(module) => Ok(std::path::absolute(module)?),
            None => kmod::build(shell, release),
        }
    }

    fn hosted(&self, shell: &Shell, cases: &[Case]) -> Result<Vec<Row>> {
        preflight::need("valgrind")?;
        let bench = Hosted {
            shell,
            program: build(shell)?,
            functions: self.functions,
        };
        let ours = self.module(shell, "14.0")?;
        let reference = self.reference.as_deref().map(std::path::absolute).transpose()?;
        let row = |&(name, case): &Case| {
            Ok(Row {
                case,
                ours: bench.measure(name, &ours)?,
                reference: reference
                    .as_deref()
                    .map(|module| bench.measure(name, module))
                    .transpose()?,
            })
        };
        cases.iter().map(row).collect()
    }
}

/// A case's name and description.
type Case = (&'static str, &'static str);

/// The program that performs the operations, for this machine.
fn build(shell: &Shell) -> Result<PathBuf> {
    cmd!(shell, "cargo build --quiet --release --package sockbench").run()?;
    Ok(util::target_dir().join("release/sockbench"))
}

/// Measures on the hosted kernel.
struct Hosted<'a> {
    shell: &'a Shell,
    program: PathBuf,
    functions: bool,
}

impl Hosted<'_> {
    fn measure(&self, case: &str, module: &Path) -> Result<Cost> {
        let (program, count) = (&self.program, COUNT.to_string());
        let output = tempfile::NamedTempFile::new().context("could not make a temporary file")?;
        let place = output.path();
        let printed = cmd!(
            self.shell,
            "valgrind --quiet --tool=callgrind --toggle-collect=measured_operation --dump-instr=yes
             --callgrind-out-file={place} {program} {case} {count} {module}"
        )
        .quiet()
        .read()
        .with_context(|| format!("the case {case} fails with {}", module.display()))?;
        let profile = Profile::parse(&fs::read_to_string(place)?)?;
        if self.functions {
            show_functions(case, module, &profile, &printed)?;
        }
        let each = |number: u64| number as f64 / f64::from(COUNT);
        Ok(Cost {
            module: Some(each(profile.in_module())),
            calls: Some(each(profile.kernel_calls())),
            total: each(profile.total),
        })
    }
}

/// Prints where the module's instructions are. The program has printed where its code begins.
fn show_functions(case: &str, module: &Path, profile: &Profile, printed: &str) -> Result<()> {
    let base = printed
        .rsplit_once("0x")
        .and_then(|(_, digits)| u64::from_str_radix(digits, 16).ok());
    let base = base.with_context(|| format!("sockbench printed no address but {printed}"))?;
    let functions = Functions::of(&fs::read(module)?)?;
    println!("{case}, {}:", module.display());
    let each = |number: u64| number as f64 / f64::from(COUNT);
    for (name, cost) in functions.sum(base, &profile.module).into_iter().take(SHOWN) {
        println!("{:>10.1} instructions in {name}", each(cost));
    }
    for (name, count) in &profile.calls {
        println!("{:>10.1} calls of {name}", each(*count));
    }
    Ok(())
}

/// What is beyond the limits.
fn misses(rows: &[Row]) -> Vec<String> {
    let mut misses = Vec::new();
    for row in rows {
        if let Some(ratio) = row.ratio().filter(|ratio| *ratio > LIMIT) {
            misses.push(format!("{}: {ratio:.2} of the reference, at most {LIMIT}", row.case));
        }
    }
    if let Some(growth) = growth(rows).filter(|growth| *growth > GROWTH_LIMIT) {
        misses.push(format!(
            "100,000 hooks take {growth:.2} of what 1,000 take, at most {GROWTH_LIMIT}"
        ));
    }
    misses
}

/// What 100,000 hooks take by what 1,000 take, if both were measured.
fn growth(rows: &[Row]) -> Option<f64> {
    let ours = |name: &str| {
        let (_, case) = CASES.into_iter().find(|case| case.0 == name)?;
        Some(rows.iter().find(|row| row.case == case)?.ours.judged())
    };
    Some(ours(MANY_HOOKS)? / ours(FEW_HOOKS)?)
}

fn verdict(rows: &[Row]) -> Result<()> {
    if let Some(growth) = growth(rows) {
        println!("by name, 100,000 hooks / 1,000 hooks: {growth:.3} (at most {GROWTH_LIMIT})");
    }
    let misses = misses(rows);
    if misses.is_empty() {
        return Ok(());
    }
    bail!("the module takes more than it may\n{}", misses.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(total: f64) -> Cost {
        Cost {
            module: None,
            calls: None,
            total,
        }
    }

    fn rows(few: f64, many: f64, reference: f64) -> Vec<Row> {
        let row = |case, ours| Row {
            case,
            ours: cost(ours),
            reference: Some(cost(reference)),
        };
        vec![row(CASES[7].1, few), row(CASES[8].1, many)]
    }

    #[test]
    fn within_the_limits_nothing_is_missed() {
        assert_eq!(misses(&rows(80.0, 88.0, 100.0)), Vec::<String>::new());
    }

    #[test]
    fn what_is_missed_is_named() {
        assert_eq!(
            misses(&rows(80.0, 100.0, 100.0)),
            [
                "send by name, 100,000 hooks: 1.00 of the reference, at most 0.9",
                "100,000 hooks take 1.25 of what 1,000 take, at most 1.1"
            ]
        );
    }

    #[test]
    fn without_a_reference_only_growth_is_judged() {
        let mut rows = rows(100.0, 120.0, 1.0);
        rows.iter_mut().for_each(|row| row.reference = None);
        assert_eq!(
            misses(&rows),
            ["100,000 hooks take 1.20 of what 1,000 take, at most 1.1"]
        );
        assert_eq!(growth(&rows[..1]), None);
    }
}
