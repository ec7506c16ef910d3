//! A running machine: started, watched through its serial log, and stopped without fail.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::qemu::{Console, Machine};
use super::qmp::Qmp;
use super::serial::{Verdict, Watcher};
use super::timeline::Stage;
use crate::{preflight, stop};

/// How long QEMU may take to open its control socket.
const START_TIME: Duration = Duration::from_secs(20);
/// After a sign of trouble the log is read on until it has been silent this long, for the backtrace.
const SETTLED: Duration = Duration::from_secs(1);
/// … but no longer than this.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);
/// How long QEMU may take to end when asked, before it is killed.
const STOP_TIME: Duration = Duration::from_secs(3);

/// Why a guest is of no use any more.
#[derive(Debug, thiserror::Error)]
pub enum Demise {
    /// Its console shows that it failed.
    #[error("{0}")]
    Console(Verdict),
    /// It stopped writing to its console before it was up.
    #[error("the guest has written nothing to its serial console for {} s", .0.as_secs())]
    Silent(Duration),
    /// The virtual machine is gone.
    #[error("QEMU ended ({status}): {said}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// What QEMU wrote, or what that usually means.
        said: String,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// Whether the guest must keep its console busy.
#[derive(Debug, Clone, Copy)]
pub enum Phase {
    /// A booting guest talks; silence for this long is the end of it.
    Booting(Duration),
    /// A guest that is up may be silent.
    Up,
}

/// Something that must stay well while somebody waits for an answer from it.
pub trait Watch {
    /// To be called often by whoever waits.
    ///
    /// # Errors
    /// Waiting on is of no use.
    fn check(&mut self) -> Result<(), Demise>;

    /// What the console shows after its first `mark` lines.
    fn console(&self, mark: u64) -> Vec<String>;

    /// How many lines the console has shown.
    fn mark(&self) -> u64;
}

/// What becomes of the machine when the harness is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leash {
    /// It is killed, too.
    Tight,
    /// It goes on: it may be meant to outlive the harness.
    Loose,
}

/// A running machine. Dropping it stops QEMU, unless it was told to go on.
#[derive(Debug)]
pub struct Guest {
    child: Child,
    /// None once it may outlive the harness.
    registered: Option<stop::Registered>,
    qmp: Qmp,
    errors: PathBuf,
    log: Option<File>,
    watcher: Watcher,
    in_trouble_since: Option<Instant>,
    phase: Phase,
}

impl Guest {
    /// Starts QEMU, paused.
    ///
    /// # Errors
    /// QEMU does not start; its own words are in the message.
    pub fn start(machine: &Machine, dir: &Path, leash: Leash) -> Result<Self> {
        let errors = dir.join("qemu-errors.txt");
        let log = match &machine.console {
            Console::Terminal => None,
            Console::Log(path) => Some(fresh(path)?),
        };
        let child = command(machine, &errors, leash)?
            .spawn()
            .with_context(|| format!("could not start {}", machine.qemu.display()))?;
        let registered = stop::register(&child);
        let mut starting = Starting { child: Some(child) };
        let qmp = starting.control(&machine.control, &errors)?;
        Ok(Self {
            child: starting.child.take().context("QEMU ended while it was starting")?,
            registered: Some(registered),
            qmp,
            errors,
            log,
            watcher: Watcher::new(Instant::now()),
            in_trouble_since: None,
            phase: Phase::Up,
        })
    }

    /// The loopback port on which the guest's SSH is to be found.
    ///
    /// # Errors
    /// QEMU does not say.
    pub fn ssh_port(&mut self) -> Result<u16> {
        self.qmp.forwarded_ssh_port()
    }

    /// Lets the guest run.
    ///
    /// # Errors
    /// QEMU does not answer, or ends at once.
    pub fn boot(&mut self, phase: Phase) -> Result<()> {
        self.watcher = Watcher::new(Instant::now());
        self.phase = phase;
        let answer = self.qmp.execute("cont", &serde_json::json!({}));
        answer.map(drop).map_err(|error| self.cause(error))
    }

    /// A guest that ends QEMU at once may take its answer with it.
    fn cause(&mut self, error: anyhow::Error) -> anyhow::Error {
        let deadline = Instant::now() + STOP_TIME;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return self.ended(status).into();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        error
    }

    /// The process number of QEMU.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The last lines of the serial console.
    pub fn tail(&self, count: usize) -> Vec<String> {
        self.watcher.tail(count)
    }

    /// Where the time from power-on to `end` went.
    pub fn stages(&mut self, end: Instant) -> Vec<Stage> {
        self.read_log(end);
        self.watcher.stages(end)
    }

    /// The guest is up: from here on it may be silent.
    pub fn is_up(&mut self) {
        self.phase = Phase::Up;
    }

    fn read_log(&mut self, now: Instant) {
        let Some(log) = &mut self.log else { return };
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = log.read(&mut buffer) {
            self.watcher.feed(&buffer[..count], now);
        }
    }

    /// A sign of trouble counts once the console has settled, so that the report holds what follows it.
    fn check_console(&mut self, now: Instant, ended: Option<ExitStatus>) -> Result<(), Demise> {
        let Some(verdict) = self.watcher.verdict() else {
            return Ok(());
        };
        let since = *self.in_trouble_since.get_or_insert(now);
        let settled = self.watcher.silence(now) >= SETTLED || now - since >= SETTLE_LIMIT;
        if settled || ended.is_some() {
            return Err(Demise::Console(verdict.clone()));
        }
        Ok(())
    }

    fn ended(&self, status: ExitStatus) -> Demise {
        let said = match read_errors(&self.errors) {
            said if said.is_empty() => "the guest powered off or reset itself, or somebody ended QEMU".into(),
            said => said,
        };
        Demise::Ended { status, said }
    }

    /// Leaves the machine running for good.
    pub fn keep(mut self) {
        self.registered = None;
    }

    /// Ends QEMU at once, as a power cut would: what the guest has not flushed to its disk may be lost.
    pub fn kill(mut self) {
        // It may have ended by itself: nothing to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until QEMU ends by itself or somebody asks to stop.
    ///
    /// # Errors
    /// The process cannot be waited for.
    pub fn wait(&mut self) -> Result<Option<ExitStatus>> {
        while !stop::asked() {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(None)
    }
}

impl Watch for Guest {
    fn check(&mut self) -> Result<(), Demise> {
        if stop::asked() {
            return Err(Demise::Interrupted);
        }
        let ended = self.child.try_wait().ok().flatten();
        let now = Instant::now();
        self.read_log(now);
        self.check_console(now, ended)?;
        if let Some(status) = ended {
            return Err(self.ended(status));
        }
        match self.phase {
            Phase::Booting(limit) if self.watcher.silence(now) > limit => Err(Demise::Silent(limit)),
            _ => Ok(()),
        }
    }

    fn console(&self, mark: u64) -> Vec<String> {
        self.watcher.since(mark)
    }

    fn mark(&self) -> u64 {
        self.watcher.count()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if self.registered.is_some() {
            end(&mut self.child);
        }
    }
}

/// Asks QEMU to end (it gives the terminal back), then makes it end.
fn end(child: &mut Child) {
    if matches!(child.try_wait(), Ok(Some(_))) {
        return;
    }
    // It may be gone between the question and the signal: nothing to do then.
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let deadline = Instant::now() + STOP_TIME;
    while Instant::now() < deadline {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// QEMU before its control socket answers; dropping it ends QEMU.
struct Starting {
    child: Option<Child>,
}

impl Starting {
    fn control(&mut self, socket: &Path, errors: &Path) -> Result<Qmp> {
        let deadline = Instant::now() + START_TIME;
        loop {
            let attempt = Qmp::connect(socket);
            let Err(error) = attempt else { return attempt };
            let child = self.child.as_mut().context("QEMU was not started")?;
            if let Some(status) = child.try_wait()? {
                bail!("QEMU does not start ({status}):\n{}", read_errors(errors));
            }
            if stop::asked() {
                bail!(Demise::Interrupted);
            }
            if Instant::now() > deadline {
                let seconds = START_TIME.as_secs();
                return Err(error.context(format!("QEMU did not open its control socket within {seconds} s")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            end(child);
        }
    }
}

fn fresh(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("could not write the serial log {}", path.display()))?;
    File::open(path).with_context(|| format!("could not read the serial log {}", path.display()))
}

/// What QEMU wrote to its standard error; nothing if it is on the terminal.
fn read_errors(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// QEMU's command: its own process group and no input for a machine that nobody sits at.
fn command(machine: &Machine, errors: &Path, leash: Leash) -> Result<Command> {
    let mut command = leashed(&machine.qemu, leash);
    command.args(machine.arguments());
    if let Console::Log(_) = machine.console {
        use std::os::unix::process::CommandExt;
        command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
        command.stderr(File::create(errors).with_context(|| format!("could not write {}", errors.display()))?);
    }
    Ok(command)
}

/// A program that Linux kills when the harness dies, however that happens: `setpriv` sets the parent-death signal, which
/// Rust can do itself only with unsafe code. Elsewhere the harness relies on its own orderly end.
fn leashed(program: &Path, leash: Leash) -> Command {
    match (leash, preflight::find("setpriv")) {
        (Leash::Tight, Some(setpriv)) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        _ => Command::new(program),
    }
}

#[cfg(test)]
#[path = "guest_tests.rs"]
mod tests;
