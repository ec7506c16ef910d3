//! Runs tests over SSH, one after the other; a test that hangs or a guest that dies costs its deadline and no more.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::frames::Port;
use super::record::{Outcome, Record};
use super::spec::{Step, Suite, Test};
use crate::base::Base;
use crate::ssh::exec::{Captured, Exit, Output, Running};
use crate::ssh::{Connection, Deadline, Failure, Login};
use crate::vm::{Demise, Watch};

/// How long the guest may take to let us in again after a test that broke the connection.
const RECONNECT: Duration = Duration::from_secs(60);
/// The pause between two rounds of frames while a command waits for them.
const RESEND: Duration = Duration::from_millis(500);
/// The pause between two looks at what has arrived.
const LOOK: Duration = Duration::from_millis(10);
/// How long frames may take to leave the guest once the command has ended.
const STRAGGLERS: Duration = Duration::from_secs(5);
/// How long after a broken connection a guest may turn out to be dead.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// The guest's own limit is this much later than ours; it cleans up after a test that we have given up.
const GRACE: u64 = 2;

/// What a running test leaves for the judge.
#[derive(Default)]
struct Evidence {
    exit: Option<Exit>,
    stdout: Captured,
    stderr: Captured,
    complaints: Vec<String>,
}

/// Runs tests in one guest.
pub struct Runner<'a> {
    /// How to log in, again if need be.
    pub login: &'a Login,
    /// The guest.
    pub watch: &'a mut dyn Watch,
    /// The harness's ends of the network cards.
    pub ports: &'a [Port],
    /// What the guest runs.
    pub base: Base,
    /// Where the programs lie that tests upload, by name.
    pub programs: &'a BTreeMap<String, PathBuf>,
    /// The session, unless a test broke it.
    pub connection: Option<Connection>,
    /// Why no further test can run.
    pub over: Option<String>,
}

impl Runner<'_> {
    /// Runs every test of these suites that `wanted` selects, and reports each as it ends.
    pub fn run(&mut self, suites: &[Suite], wanted: &dyn Fn(&Suite, &Test) -> bool, report: &mut dyn FnMut(Record)) {
        for suite in suites {
            for test in suite.tests.iter().filter(|test| wanted(suite, test)) {
                report(self.record(suite, test));
            }
        }
    }

    fn record(&mut self, suite: &Suite, test: &Test) -> Record {
        let start = Instant::now();
        let (outcome, evidence) = self.judge(test);
        Record {
            suite: suite.name.clone(),
            name: test.name.clone(),
            outcome,
            seconds: start.elapsed().as_secs_f64(),
            stdout: evidence.stdout.text(),
            stderr: evidence.stderr.text(),
        }
    }

    fn judge(&mut self, test: &Test) -> (Outcome, Evidence) {
        if let Some(base) = test.on.filter(|base| *base != self.base) {
            let reason = format!("only on {}; this is {}", base.name(), self.base.name());
            return (Outcome::Skipped(reason), Evidence::default());
        }
        if let Some(reason) = &self.over {
            return (Outcome::NotRun(reason.clone()), Evidence::default());
        }
        let mut evidence = Evidence::default();
        if let Err(failure) = self.attempt(test, &mut evidence) {
            let failure = self.cause(failure);
            self.note(&failure);
            evidence.complaints.insert(0, failure.to_string());
        }
        let complaints = std::mem::take(&mut evidence.complaints);
        (Outcome::of(complaints), evidence)
    }

    /// A connection breaks when the guest dies, and may tell so before the guest's own end is seen.
    fn cause(&mut self, failure: Failure) -> Failure {
        if !matches!(failure, Failure::Broken { .. }) {
            return failure;
        }
        let deadline = Deadline::after(LAST_WORDS);
        loop {
            match self.watch.check() {
                Err(demise) => return Failure::Guest(demise),
                Ok(()) if deadline.is_over() => return failure,
                Ok(()) => std::thread::sleep(LOOK),
            }
        }
    }

    /// A connection on which something went wrong is not used again; without a guest nothing is.
    fn note(&mut self, failure: &Failure) {
        self.connection = None;
        match failure {
            Failure::Guest(demise @ Demise::Interrupted) => self.over = Some(demise.to_string()),
            Failure::Guest(demise) => self.over = Some(format!("the guest failed: {demise}")),
            Failure::NeverOpened { .. } | Failure::Refused { .. } => {
                self.over = Some("SSH did not come back".into());
            }
            Failure::Deadline { .. } | Failure::Broken { .. } => {}
        }
    }

    fn attempt(&mut self, test: &Test, evidence: &mut Evidence) -> Result<(), Failure> {
        self.watch.check()?;
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.login, Deadline::after(RECONNECT), self.watch)?,
        };
        let deadline = Deadline::after(Duration::from_secs(test.timeout));
        if let Some(program) = &test.upload {
            self.upload(&connection, program, deadline)?;
        }
        let mark = self.watch.mark();
        match &test.command {
            Some(command) => self.with_command(&connection, command, test, deadline, evidence)?,
            None => self.frames_only(&test.frames, deadline, evidence)?,
        }
        self.await_console(test, mark, deadline, evidence)?;
        self.connection = Some(connection);
        Ok(())
    }

    /// Lays a program into the guest's /tmp, by way of a command that reads it from its standard input.
    fn upload(&mut self, connection: &Connection, program: &str, deadline: Deadline) -> Result<(), Failure> {
        let doing = "uploading the test's program";
        let broken = |source| Failure::Broken { doing, source };
        let missing = || broken(std::io::Error::other(format!("{program} has not been built")));
        let bytes = std::fs::read(self.programs.get(program).ok_or_else(missing)?).map_err(broken)?;
        let line = format!("umask 077 && cat > /tmp/{program} && chmod 700 /tmp/{program}");
        let mut running = connection.start(&line, bytes, deadline, self.watch)?;
        let output = self.pump(connection, &mut running, &[], deadline)?;
        if output.exit == Exit::Status(0) {
            return Ok(());
        }
        let reason = format!("{program}: {}", output.stderr.text().trim_end());
        Err(broken(std::io::Error::other(reason)))
    }

    fn with_command(
        &mut self,
        connection: &Connection,
        command: &str,
        test: &Test,
        deadline: Deadline,
        evidence: &mut Evidence,
    ) -> Result<(), Failure> {
        let script = command.as_bytes().to_vec();
        let line = wrapped(test.timeout + GRACE);
        let marks = self.marks();
        let mut running = connection.start(&line, script, deadline, self.watch)?;
        let output = match self.pump(connection, &mut running, &test.frames, deadline) {
            Ok(output) => output,
            Err(failure) => {
                evidence.stdout = running.stdout().clone();
                evidence.stderr = running.stderr().clone();
                return Err(failure);
            }
        };
        evidence.judge_output(test, output);
        self.await_leaves(&test.frames, &marks, deadline.or_sooner(STRAGGLERS))?;
        for (index, step) in test.frames.iter().enumerate() {
            self.judge_leaves(index, step, &marks, evidence);
        }
        let all: Vec<_> = test.frames.iter().map(|step| (step, marks.clone())).collect();
        self.judge_avoids(&all, evidence);
        Ok(())
    }

    /// Runs a command to its end and sends frames meanwhile.
    fn pump(
        &mut self,
        connection: &Connection,
        running: &mut Running,
        frames: &[Step],
        deadline: Deadline,
    ) -> Result<Output, Failure> {
        let mut next_round = Instant::now();
        loop {
            if let Some(output) = running.step()? {
                return Ok(output);
            }
            if Instant::now() >= next_round {
                for step in frames {
                    self.send(step)?;
                }
                next_round = Instant::now() + RESEND;
            }
            self.watch.check()?;
            if deadline.is_over() {
                return Err(deadline.missed("waiting for the command to end"));
            }
            connection.wait();
        }
    }

    /// The last frames may still be on their way out of the guest when the command has ended.
    fn await_leaves(&mut self, steps: &[Step], marks: &[u64], deadline: Deadline) -> Result<(), Failure> {
        while !deadline.is_over() && !steps.iter().all(|step| self.has_left(step, marks)) {
            self.watch.check()?;
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    fn frames_only(&mut self, steps: &[Step], deadline: Deadline, evidence: &mut Evidence) -> Result<(), Failure> {
        let mut sent = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let marks = self.marks();
            self.send(step)?;
            self.await_leaves(std::slice::from_ref(step), &marks, deadline)?;
            self.judge_leaves(index, step, &marks, evidence);
            sent.push((step, marks));
        }
        self.judge_avoids(&sent, evidence);
        Ok(())
    }

    fn port(&self, nic: u8) -> Result<&Port, Failure> {
        let port = self.ports.iter().find(|port| port.nic == nic);
        port.ok_or_else(|| Failure::Broken {
            doing: "looking for the test's network card",
            source: std::io::Error::other(format!("the machine has no network card {nic}")),
        })
    }

    fn send(&self, step: &Step) -> Result<(), Failure> {
        let doing = "sending a frame into the guest";
        let Some(nic) = step.into else { return Ok(()) };
        match self.port(nic)?.send(&step.frame.bytes) {
            Ok(()) => Ok(()),
            // The guest takes none from its card, so that they pile up: the frame is lost, as it would be on a wire.
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(source) => Err(Failure::Broken { doing, source }),
        }
    }

    /// For each port, how many frames it has seen.
    fn marks(&self) -> Vec<u64> {
        self.ports.iter().map(Port::mark).collect()
    }

    /// How often a step's frame has left by a card since the marks were taken.
    fn sightings(&self, step: &Step, nic: u8, marks: &[u64]) -> usize {
        let ports = self.ports.iter().zip(marks);
        ports
            .filter(|(port, _)| port.nic == nic)
            .map(|(port, mark)| port.count_since(*mark, &step.frame.bytes))
            .sum()
    }

    fn has_left(&self, step: &Step, marks: &[u64]) -> bool {
        step.leaves.iter().all(|nic| self.sightings(step, *nic, marks) > 0)
    }

    fn judge_leaves(&self, index: usize, step: &Step, marks: &[u64], evidence: &mut Evidence) {
        for nic in { step.leaves.iter() }.filter(|nic| self.sightings(step, **nic, marks) == 0) {
            evidence.complaints.push(format!(
                "frame {}, {}, did not leave network card {nic}",
                index + 1,
                origin(step)
            ));
        }
    }

    fn judge_avoids(&self, sent: &[(&Step, Vec<u64>)], evidence: &mut Evidence) {
        for (index, (step, marks)) in sent.iter().enumerate() {
            for nic in { step.avoids.iter() }.filter(|nic| self.sightings(step, **nic, marks) > 0) {
                evidence.complaints.push(format!(
                    "frame {}, {}, left network card {nic}, which it must not",
                    index + 1,
                    origin(step)
                ));
            }
        }
    }

    /// The serial line is slow: what a test writes to the console may show a little later.
    fn await_console(
        &mut self,
        test: &Test,
        mark: u64,
        deadline: Deadline,
        evidence: &mut Evidence,
    ) -> Result<(), Failure> {
        if test.serial.is_empty() {
            return Ok(());
        }
        loop {
            self.watch.check()?;
            let text = self.watch.console(mark).join("\n");
            let complaints = test.serial.complaints("the serial console", &text);
            if complaints.is_empty() {
                return Ok(());
            }
            if deadline.is_over() {
                evidence.complaints.extend(complaints);
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
    }
}

fn origin(step: &Step) -> String {
    match step.into {
        Some(nic) => format!("sent into network card {nic}"),
        None => "made by the command".into(),
    }
}

/// The command line that runs a script from its standard input, whatever root's login shell is, and ends it with all its
/// children when time is up.
fn wrapped(seconds: u64) -> String {
    format!("exec timeout -k 5 {seconds} /bin/sh -c 'eval \"$(cat)\"'")
}

impl Evidence {
    fn judge_output(&mut self, test: &Test, output: Output) {
        if output.exit != Exit::Status(test.status) {
            let exit = match &output.exit {
                Exit::Status(status) => format!("exit status {status}"),
                Exit::Signal(name) => format!("ended by signal {name}"),
            };
            self.complaints.push(format!("{exit} instead of {}", test.status));
        }
        let streams = [
            ("stdout", &test.stdout, &output.stdout),
            ("stderr", &test.stderr, &output.stderr),
        ];
        for (what, expect, captured) in streams {
            self.complaints.extend(expect.complaints(what, &captured.text()));
            if captured.is_cut() {
                self.complaints.push(format!(
                    "{what} has {} bytes; a test may print {}",
                    captured.total,
                    crate::ssh::exec::KEPT
                ));
            }
        }
        self.exit = Some(output.exit);
        self.stdout = output.stdout;
        self.stderr = output.stderr;
    }
}

#[cfg(test)]
#[path = "runner_tests.rs"]
mod tests;
