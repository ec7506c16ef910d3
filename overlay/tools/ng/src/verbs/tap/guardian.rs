//! The guardian: a process of its own that inserts the tap, and takes it out when `ng tap` ends, however that ends.
//!
//! It shares neither session, terminal nor output with `ng tap`, only two pipes. It waits until its input ends, which the
//! kernel sees to when the other process is killed. What it does, it tells by lines of JSON.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use clap::Args;
use netgraph::{Address, GetNodeInfo, HookName, Name, NodeId, NodeInfo, NodeName, Transport};
use rustix::event::{PollFd, PollFlags, Timespec};
use serde::{Deserialize, Serialize};

use super::edge::{Edge, End, without_taps};
use super::names;
use super::surgery::{self, Removal};
use crate::failure::{Failure, Result};
use crate::session::Session;
use crate::signal;

/// The name of the command, which is not for people.
pub const COMMAND: &str = "__tap-guardian";

/// How long the guardian may take to insert or remove a tap: longer than it waits for others.
const PATIENCE: Duration = Duration::from_secs(30);

/// Insert a tap into an edge, and remove it when the input ends; started by ng tap
#[derive(Debug, Args)]
pub struct Guard {
    near: NodeId,
    near_hook: HookName,
    far: NodeId,
    far_hook: HookName,

    #[arg(long)]
    force: bool,
}

/// What a guardian tells.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Report {
    /// The ID of the tee.
    Inserted(u32),
    Removed,
    /// Somebody else has removed the tap.
    Gone,
    /// A neighbour was gone.
    Apart,
    Failed(String),
}

impl Guard {
    /// Does all of it, as the guardian.
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        // A process that leads its group already has no terminal to leave.
        let _ = rustix::process::setsid();
        signal::ignore_requests_to_end()?;
        if is_abandoned()? {
            return Ok(());
        }
        let (edge, tee) = match self.insert(session) {
            Ok(inserted) => inserted,
            Err(failure) => {
                tell(&Report::Failed(failure.to_string()));
                return Err(failure);
            }
        };
        tell(&Report::Inserted(tee.id.0));
        // Nothing is ever written there: this returns when the other end is closed.
        let ended = io::stdin().read_to_end(&mut Vec::new());
        let removed = surgery::alone(session, |session| surgery::remove(session, &tee, &edge));
        tell(&match &removed {
            Ok(Removal::Healed) => Report::Removed,
            Ok(Removal::Gone) => Report::Gone,
            Ok(Removal::Apart) => Report::Apart,
            Err(failure) => Report::Failed(failure.to_string()),
        });
        ended?;
        removed.map(drop)
    }

    fn insert<T: Transport>(&self, session: &mut Session<T>) -> Result<(Edge, NodeInfo)> {
        let own = names::guardian(std::process::id())?;
        session.request(&Address::here(), &Name(own))?;
        let near = end(session, self.near, &self.near_hook)?;
        let far = end(session, self.far, &self.far_hook)?;
        let edge = Edge { near, far };
        let whole = without_taps(session, &edge)?;
        let name = names::tee(std::process::id())?;
        let insert = |session: &mut Session<T>| surgery::insert(session, &edge, &name, self.force);
        let tee = surgery::alone(session, insert)?;
        Ok((whole, tee))
    }
}

/// Whether the input has ended already.
fn is_abandoned() -> Result<bool> {
    let input = io::stdin();
    let mut entries = [PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN)];
    let ready = rustix::event::poll(&mut entries, Some(&Timespec::default()));
    ready.map(|ready| ready > 0).map_err(|error| Failure::Io {
        what: "could not look at the input",
        error: error.into(),
    })
}

fn end<T: Transport>(session: &mut Session<T>, node: NodeId, hook: &HookName) -> Result<End> {
    let node = session.request(&Address::from(node), &GetNodeInfo)?;
    let hook = hook.clone();
    Ok(End { node, hook })
}

/// Tells `ng tap`, if it is still there.
fn tell(report: &Report) {
    let Ok(mut line) = serde_json::to_vec(report) else {
        return;
    };
    line.push(b'\n');
    let _ = io::stdout().write_all(&line).and_then(|()| io::stdout().flush());
}

/// A guardian, as `ng tap` has it. Dropped, its input ends, and it removes the tap.
#[derive(Debug)]
pub struct Guardian {
    process: Child,
    reports: BufReader<ChildStdout>,
}

impl Guardian {
    /// Starts one, which begins to insert a tap. `kernel`: the arguments of ng that choose the kernel.
    pub fn start(kernel: &[OsString], edge: &Edge, force: bool) -> Result<Self> {
        let what = "could not start the process that removes the tap in the end";
        let failed = |error| Failure::Io { what, error };
        let program = env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.args(kernel).arg(COMMAND);
        for end in [&edge.near, &edge.far] {
            command.arg(end.node.id.to_string()).arg(end.hook.as_str());
        }
        if force {
            command.arg("--force");
        }
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).spawn().map_err(failed)?;
        let Some(output) = process.stdout.take() else {
            return Err(failed(io::ErrorKind::BrokenPipe.into()));
        };
        let reports = BufReader::new(output);
        Ok(Self { process, reports })
    }

    /// The name of the tee that it inserts.
    pub fn tee(&self) -> Result<NodeName> {
        names::tee(self.process.id())
    }

    /// Waits until the tap is inserted, and returns the ID of its tee. None when the guardian was killed.
    pub fn inserted(&mut self) -> Result<Option<NodeId>> {
        match self.report()? {
            Some(Report::Inserted(id)) => Ok(Some(NodeId(id))),
            Some(Report::Failed(text)) => Err(Failure::Refused(text)),
            _ => Ok(None),
        }
    }

    /// Has the tap removed. None when the guardian was killed.
    pub fn remove(&mut self) -> Result<Option<Removal>> {
        drop(self.process.stdin.take());
        let report = self.report()?;
        // It ends now; how, its report has said.
        let _ = self.process.wait();
        match report {
            Some(Report::Removed) => Ok(Some(Removal::Healed)),
            Some(Report::Gone) => Ok(Some(Removal::Gone)),
            Some(Report::Apart) => Ok(Some(Removal::Apart)),
            Some(Report::Failed(text)) => Err(Failure::Refused(text)),
            Some(Report::Inserted(_)) | None => Ok(None),
        }
    }

    /// The next report; None when the guardian has ended.
    fn report(&mut self) -> Result<Option<Report>> {
        let what = "could not hear from the process that removes the tap";
        let failed = |error| Failure::Io { what, error };
        if !self.wait().map_err(|error| failed(error.into()))? {
            return Err(failed(io::ErrorKind::TimedOut.into()));
        }
        let mut line = String::new();
        self.reports.read_line(&mut line).map_err(failed)?;
        if line.is_empty() {
            return Ok(None);
        }
        serde_json::from_str(&line)
            .map(Some)
            .map_err(|error| failed(error.into()))
    }

    fn wait(&self) -> rustix::io::Result<bool> {
        let time = Timespec::try_from(PATIENCE).map_err(|_| rustix::io::Errno::INVAL)?;
        loop {
            let mut entries = [PollFd::from_borrowed_fd(self.as_fd(), PollFlags::IN)];
            match rustix::event::poll(&mut entries, Some(&time)) {
                Err(rustix::io::Errno::INTR) => {}
                other => return other.map(|ready| ready > 0),
            }
        }
    }
}

impl AsFd for Guardian {
    /// Readable when the guardian has something to tell, or has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reports.get_ref().as_fd()
    }
}
