//! What a process took.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;

/// Time of one process, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    /// From before its start until it has ended.
    pub wall: f64,
    /// Of processors, its own and the kernel's for it.
    pub processor: f64,
}

/// Keeps this process, and those that it starts from now on, on one processor: the last one that it may use.
///
/// # Errors
/// The system refuses.
pub fn use_one_processor() -> Result<()> {
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).context("the system does not tell which processors there are")?;
    let last = (0..CpuSet::count())
        .rev()
        .find(|&number| allowed.is_set(number).unwrap_or(false));
    let mut one = CpuSet::new();
    one.set(last.unwrap_or(0)).context("there is no such processor")?;
    sched_setaffinity(this, &one).context("the system does not keep this process on one processor")
}

/// Runs a process; no other child of this one may end meanwhile.
///
/// # Errors
/// It cannot be run, or fails.
pub fn time(command: &mut Command) -> Result<Time> {
    let before = children()?;
    let since = Instant::now();
    run(command)?;
    let wall = since.elapsed().as_secs_f64() * 1e3;
    let processor = children()? - before;
    Ok(Time { wall, processor })
}

/// Instructions that a process executes, the kernel's for it not included.
///
/// # Errors
/// It cannot be run, fails, or valgrind does.
pub fn instructions(command: &Command) -> Result<u64> {
    let output = tempfile::NamedTempFile::new().context("could not make a temporary file")?;
    let mut counted = Command::new("valgrind");
    counted.args(["--quiet", "--tool=callgrind"]);
    counted.arg(format!("--callgrind-out-file={}", output.path().display()));
    counted.arg(command.get_program()).args(command.get_args());
    run(&mut counted)?;
    total(&fs::read_to_string(output.path())?).context("callgrind wrote no total")
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_owned();
    let program = Path::new(&program).display();
    let output = command.stdout(Stdio::null()).output();
    let output = output.with_context(|| format!("{program}: could not be run"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {}\n{said}", output.status);
    Ok(())
}

/// Milliseconds of processors that all children took that have ended and were waited for.
fn children() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("the system does not tell what processes took")?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(microseconds as f64 / 1e3)
}

/// The sum at the end of callgrind's output.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals: "))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_waits_takes_time_and_one_that_works_a_processor() {
        let waits = time(Command::new("sleep").arg("0.1")).unwrap();
        assert!(waits.wall >= 100.0, "{waits:?}");
        let works = time(Command::new("sh").args(["-c", "i=0; while [ $i -lt 9999 ]; do i=$((i+1)); done"])).unwrap();
        assert!(works.processor > 0.0, "{works:?}");
    }

    #[test]
    fn a_process_that_fails_is_an_error() {
        let failed = time(Command::new("sh").args(["-c", "echo no >&2; exit 3"])).unwrap_err();
        assert!(failed.to_string().contains("no"), "{failed}");
    }

    #[test]
    fn the_total_is_at_the_end() {
        let output = "events: Ir\nsummary: 7\n\nfn=(1) main\n1 7\n\ntotals: 1234\n";
        assert_eq!(total(output), Some(1234));
        assert_eq!(total("events: Ir\n"), None);
    }
}
