//! `cargo xtask conformance`: every line of ng_socket's behaviour, on the hosted kernel, and the record of what holds where.
//!
//! The results of each subject lie in `tests/conformance/results/` as JSON; `kmod/ng_socket/CONFORMANCE.md` is made of them
//! and of `tests/conformance/rows.yaml` alone.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use xshell::{Shell, cmd};

use crate::kmod;
use crate::util;

mod record;
mod rows;
mod table;

pub use record::{Record, Subject};

/// Run every line of ng_socket's behaviour on the hosted kernel
///
/// The module is linked into the test program, and loaded as the two kernel modules that images carry. What FreeBSD
/// itself said comes from `cargo xtask smoke --conformance`. kmod/ng_socket/CONFORMANCE.md says what holds where.
#[derive(Args)]
pub struct Conformance {
    /// Also run FreeBSD's own module: an ng_socket.ko out of a kernel.txz
    #[arg(long, value_name = "C.ko")]
    reference: Option<PathBuf>,
    /// Record what the program said on FreeBSD 14 (`conformance --json`)
    #[arg(long, value_name = "FILE")]
    freebsd: Option<PathBuf>,
    /// Record what the program said on FreeBSD 14 with FreeBSD's own module
    #[arg(long, value_name = "FILE")]
    reference_freebsd: Option<PathBuf>,
    /// Run nothing; fail unless CONFORMANCE.md is what the recorded results make it
    #[arg(long, conflicts_with_all = ["reference", "freebsd", "reference_freebsd"])]
    check: bool,
    /// Run, but record nothing; fail if a test of ours does
    #[arg(long, conflicts_with_all = ["freebsd", "reference_freebsd", "check"])]
    dry: bool,
}

impl Conformance {
    /// Runs, records, and writes what holds where.
    ///
    /// # Errors
    /// Something does not build, a test of our module fails, or (`--check`) the statement is out of date.
    pub fn run(self) -> Result<()> {
        if self.check {
            return check();
        }
        let shell = util::shell()?;
        let mut records = self.hosted(&shell)?;
        for (subject, file) in [
            (Subject::RustFreeBsd, &self.freebsd),
            (Subject::ReferenceFreeBsd, &self.reference_freebsd),
        ] {
            if let Some(file) = file {
                let lines = fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
                records.push(Record::new(&shell, subject, &lines, None)?);
            }
        }
        records.iter().for_each(|record| println!("{}", record.summary()));
        if !self.dry {
            records.iter().try_for_each(Record::store)?;
            write_statement()?;
        }
        let broken: Vec<_> = records.iter().filter(|record| record.is_broken()).collect();
        if broken.is_empty() {
            return Ok(());
        }
        bail!(
            "{} of {} subjects have failed tests; see above",
            broken.len(),
            records.len()
        )
    }

    /// Runs the program on the hosted kernel, once for each subject.
    fn hosted(&self, shell: &Shell) -> Result<Vec<Record>> {
        let program = build(shell)?;
        let mut runs = vec![(Subject::Native, None)];
        for (subject, release) in [(Subject::Module14, "14.0"), (Subject::Module15, "15.0")] {
            runs.push((subject, Some(kmod::build(shell, release)?)));
        }
        if let Some(reference) = &self.reference {
            runs.push((Subject::Reference, Some(std::path::absolute(reference)?)));
        }
        runs.into_iter()
            .map(|(subject, module)| {
                let lines = run(shell, &program, module.as_deref())?;
                Record::new(shell, subject, &lines, module.as_deref())
            })
            .collect()
    }
}

/// Records what the program said on a FreeBSD guest, and writes what holds where anew.
///
/// # Errors
/// The text is none of the program's, or a file cannot be written.
pub fn adopt(subject: Subject, lines: &str) -> Result<()> {
    let record = Record::new(&util::shell()?, subject, lines, None)?;
    println!("{}", record.summary());
    record.store()?;
    write_statement()
}

/// Builds the program for this machine.
fn build(shell: &Shell) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    cmd!(shell, "{cargo} build --locked --package conformance")
        .run()
        .context("the conformance tests do not compile")?;
    Ok(util::target_dir().join("debug/conformance"))
}

/// What the program says of one subject: a line of JSON for each test. That tests fail is no error here.
fn run(shell: &Shell, program: &Path, module: Option<&Path>) -> Result<String> {
    let mut command = cmd!(shell, "{program} --json");
    if let Some(module) = module {
        command = command.arg("--module").arg(module);
    }
    let output = command.ignore_status().output()?;
    String::from_utf8(output.stdout).context("the conformance program writes JSON")
}

fn statement_file() -> PathBuf {
    util::root().join("kmod/ng_socket/CONFORMANCE.md")
}

fn statement() -> Result<String> {
    Ok(table::statement(&rows::load()?, &Record::load_all()?))
}

fn write_statement() -> Result<()> {
    let place = statement_file();
    util::write_atomically(&place, statement()?.as_bytes())?;
    println!("{}", place.display());
    Ok(())
}

fn check() -> Result<()> {
    let place = statement_file();
    if fs::read_to_string(&place).is_ok_and(|text| statement().is_ok_and(|fresh| fresh == text)) {
        return Ok(());
    }
    bail!(
        "{} is not what the recorded results make it\nhint: `cargo xtask conformance` runs the tests and writes it",
        place.display()
    )
}
