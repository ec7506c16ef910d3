//! Runs tests, each in a process of its own, and says how they ended.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Test;
use crate::options::{Format, Options};
use crate::outcome::{Outcome, Stop};
use crate::system::here;
use crate::{pool, tests};

/// A test's exit status when the system lacks what it needs.
const NOT_HERE: i32 = 77;
/// The pause between two looks at a test's process.
const LOOK: Duration = Duration::from_millis(2);
/// How the hosted kernel's report begins that something was left over.
const LEFT_OVER: &str = "panic: left over when the kernel was taken down:";
/// How much of a report on standard error is kept, from its end.
const TAIL: usize = 4096;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Passed,
    Failed,
    /// The process died: with a hosted kernel, the kernel.
    Crashed,
    /// It went well, but something of the kernel's stayed allocated.
    Leaked,
    /// It did not end in time.
    Hung,
    /// The system lacks what the test needs.
    NotHere,
}

/// What is said of a test.
#[derive(Debug, Serialize)]
struct Report {
    test: &'static str,
    verdict: Verdict,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    seconds: f64,
}

/// Runs the tests asked for; fails if one of them does.
pub fn run_all(options: &Options) -> ExitCode {
    if options.format == Format::Json && show_system(options).is_err() {
        eprintln!("conformance: the system cannot be started");
        return ExitCode::from(69);
    }
    let mut worst = ExitCode::SUCCESS;
    let mut count = 0;
    let tests: Vec<_> = options.tests().collect();
    pool::in_order(
        &tests,
        |test| report(test, options),
        |report| {
            show(&report, options.format);
            count += 1;
            if !matches!(report.verdict, Verdict::Passed | Verdict::NotHere) {
                worst = ExitCode::FAILURE;
            }
        },
    );
    if count == 0 {
        eprintln!("conformance: no test has such a name");
        return ExitCode::from(64);
    }
    worst
}

/// Says, in JSON, which system the tests run on.
fn show_system(options: &Options) -> std::io::Result<()> {
    let output = this_program(options)?.arg("--name").stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(std::io::ErrorKind::Other.into());
    }
    let name = String::from_utf8_lossy(&output.stdout);
    println!("{}", serde_json::json!({ "system": name.trim() }));
    Ok(())
}

fn show(report: &Report, format: Format) {
    let line = match format {
        Format::Json => serde_json::to_string(report).expect("a report has no maps and no odd numbers"),
        Format::Text => text(report),
    };
    println!("{line}");
}

fn text(report: &Report) -> String {
    let word = match report.verdict {
        Verdict::Passed => return format!("ok {}", report.test),
        Verdict::Failed => "FAILED",
        Verdict::Crashed => "CRASHED",
        Verdict::Leaked => "LEAKED",
        Verdict::Hung => "HUNG",
        Verdict::NotHere => "not here",
    };
    format!("{word} {}: {}", report.test, report.text)
}

/// Runs one test in a process of its own.
fn report(test: &'static Test, options: &Options) -> Report {
    let start = Instant::now();
    let (verdict, text) = judge(test, options).unwrap_or_else(|error| (Verdict::Failed, error.to_string()));
    Report {
        test: test.name,
        verdict,
        text,
        seconds: start.elapsed().as_secs_f64(),
    }
}

fn judge(test: &Test, options: &Options) -> std::io::Result<(Verdict, String)> {
    let mut command = this_program(options)?;
    let mut child = { command.args(["--run", test.name]) }
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (gather(child.stdout.take()), gather(child.stderr.take()));
    let status = wait(&mut child, Duration::from_secs(test.seconds))?;
    let read = |thread: std::thread::JoinHandle<String>| thread.join().unwrap_or_default();
    let (stdout, stderr) = (read(stdout), read(stderr));
    Ok(match status {
        None => (
            Verdict::Hung,
            format!("expected an end within {} s; {stderr}", test.seconds),
        ),
        Some(status) => verdict(status, stdout, stderr),
    })
}

/// What the end of a process says of its test.
fn verdict(status: ExitStatus, stdout: String, stderr: String) -> (Verdict, String) {
    match (status.code(), status.signal()) {
        (Some(0), _) => (Verdict::Passed, String::new()),
        (Some(1), _) => (Verdict::Failed, stdout),
        (Some(NOT_HERE), _) => (Verdict::NotHere, stdout),
        _ if stderr.starts_with(LEFT_OVER) => (Verdict::Leaked, stderr[LEFT_OVER.len()..].trim_start().to_owned()),
        (Some(status), _) => (Verdict::Crashed, format!("exit status {status}: {stderr}")),
        (None, signal) => (Verdict::Crashed, format!("signal {}: {stderr}", signal.unwrap_or(0))),
    }
}

/// This program with the same subject.
fn this_program(options: &Options) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    if let Some(module) = &options.subject {
        command.arg("--module").arg(module);
    }
    Ok(command)
}

/// Reads a pipe to its end, in a thread, and keeps the last of it.
fn gather(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What could be read is what there is to say.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let start = bytes.len().saturating_sub(TAIL);
        String::from_utf8_lossy(&bytes[start..]).trim().to_owned()
    })
}

/// Waits for the end of a process, or kills it when time is up.
fn wait(child: &mut Child, time: Duration) -> std::io::Result<Option<ExitStatus>> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(LOOK);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// Runs one test here.
pub fn run_one(name: &str) -> ExitCode {
    match tests::all().find(|test| test.name == name) {
        Some(test) => end((test.run)()),
        None => end(Err(Stop::Failed(format!("expected a test, got `{name}`")))),
    }
}

/// Runs here what a test wants done in another process.
pub fn run_probe(name: &str, argument: &str) -> ExitCode {
    end(probe(name, argument))
}

/// Runs a probe by its name.
pub fn probe(name: &str, argument: &str) -> Outcome {
    let known = tests::PROBES.iter().find(|(known, _)| *known == name);
    let (_, run) = known.ok_or_else(|| Stop::Failed(format!("expected a probe, got `{name}`")))?;
    run(argument)
}

/// Ends this process as the test ended. What belongs to the system is taken down first.
fn end(outcome: Outcome) -> ExitCode {
    let outcome = match outcome {
        Ok(()) => here().leave(),
        failed => {
            here().abandon();
            failed
        }
    };
    let (status, text) = match outcome {
        Ok(()) => (0, String::new()),
        Err(Stop::Failed(text)) => (1, text),
        Err(Stop::NotHere(text)) => (NOT_HERE, text),
    };
    // Should nobody be there to read it, the status says enough.
    let _ = write!(std::io::stdout(), "{text}");
    std::process::exit(status)
}
