//! Processes: children to run checks in, privileges, signals. With [`crate::sys`] the only place with `unsafe`.
//!
//! The program has one thread, so that a forked child may do whatever it likes.

use std::io::{Read, Write};
use std::time::Duration;

use libc::{c_int, pid_t};

use crate::errno::{Errno, Failure, Outcome};
use crate::sys::checked;

/// The user without any privilege.
pub const NOBODY: libc::uid_t = 65534;

/// A child that works on its own; it is killed if nobody waits for it.
#[must_use]
pub struct Child {
    pid: pid_t,
    answer: Option<std::io::PipeReader>,
}

impl Child {
    /// Runs `work` in a child for at most so many seconds, with SIGPIPE as every program finds it.
    pub fn start(seconds: u32, work: impl FnOnce() -> Outcome) -> Result<Self, Failure> {
        let (answer, mut question) = std::io::pipe()?;
        // SAFETY: this process has one thread, so that the child finds nothing half done.
        let pid = checked("fork", unsafe { libc::fork() })?;
        if pid != 0 {
            return Ok(Self {
                pid,
                answer: Some(answer),
            });
        }
        drop(answer);
        // SAFETY: the default for a signal, which Rust's startup code has set to be ignored.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        // SAFETY: an integer only.
        unsafe { libc::alarm(seconds) };
        let status = match work() {
            Ok(()) => 0,
            Err(Failure(text)) => {
                // Should nobody be there to read it, the status says enough.
                let _ = question.write_all(text.as_bytes());
                1
            }
        };
        // SAFETY: ends the child without running what belongs to the parent.
        unsafe { libc::_exit(status) }
    }

    /// Waits for its end and says how it was.
    pub fn wait(mut self) -> Outcome {
        let mut text = String::new();
        if let Some(mut answer) = self.answer.take() {
            answer.read_to_string(&mut text)?;
        }
        match self.reap()? {
            Ending::Exit(0) => Ok(()),
            Ending::Exit(1) => Err(Failure(text)),
            Ending::Exit(status) => Err(Failure(format!("expected an orderly end, got exit status {status}"))),
            Ending::Signal(libc::SIGALRM) => Err(Failure("expected an end, got none in time".into())),
            Ending::Signal(libc::SIGPIPE) => Err(Failure("expected no SIGPIPE, got it".into())),
            Ending::Signal(signal) => Err(Failure(format!("expected an orderly end, got signal {signal}"))),
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: c_int) -> Result<(), Errno> {
        // SAFETY: integers only; the child has not been waited for, so that the number is still its own.
        checked("kill", unsafe { libc::kill(self.pid, signal) }).map(drop)
    }

    /// Waits for the end of a child that was sent `signal`.
    pub fn wait_for_signal(mut self, signal: c_int) -> Outcome {
        match self.reap()? {
            Ending::Signal(other) if other == signal => Ok(()),
            other => Err(Failure(format!("expected an end by signal {signal}, got {other:?}"))),
        }
    }

    fn reap(&mut self) -> Result<Ending, Errno> {
        let mut status = 0;
        // SAFETY: the kernel writes one integer.
        checked("waitpid", unsafe { libc::waitpid(self.pid, &raw mut status, 0) })?;
        self.pid = 0;
        Ok(if libc::WIFSIGNALED(status) {
            Ending::Signal(libc::WTERMSIG(status))
        } else {
            Ending::Exit(libc::WEXITSTATUS(status))
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.pid > 0 && self.signal(libc::SIGKILL).is_ok() {
            // It has been killed: there is nothing else to learn.
            let _ = self.reap();
        }
    }
}

#[derive(Debug)]
enum Ending {
    Exit(c_int),
    Signal(c_int),
}

/// Gives up root for good, in a child that does nothing else.
pub fn become_nobody() -> Result<(), Errno> {
    // SAFETY: an integer only.
    checked("setuid", unsafe { libc::setuid(NOBODY) }).map(drop)
}

/// Has SIGPIPE do nothing, where a call's answer does not matter.
pub fn ignore_broken_pipes() {
    // SAFETY: sets a signal to be ignored, which needs no handler.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

extern "C" fn ignore(_: c_int) {}

/// Has `SIGUSR1` interrupt system calls and do nothing else; they are restarted if so asked.
pub fn catch_signal(restart: bool) -> Result<(), Errno> {
    // SAFETY: sigaction is made of integers and a pointer, for which zero is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = ignore as extern "C" fn(c_int) as usize;
    action.sa_flags = if restart { libc::SA_RESTART } else { 0 };
    // SAFETY: the kernel reads one action, whose handler touches nothing.
    checked("sigaction", unsafe {
        libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut())
    })
    .map(drop)
}

/// A child that does something to this process's surroundings in a moment.
pub fn later(milliseconds: u64, work: impl FnOnce() -> Outcome) -> Result<Child, Failure> {
    Child::start(20, || {
        std::thread::sleep(Duration::from_millis(milliseconds));
        work()
    })
}

/// Sends a signal to the parent of this process.
pub fn signal_parent(signal: c_int) -> Result<(), Errno> {
    // SAFETY: no arguments.
    let parent = unsafe { libc::getppid() };
    // SAFETY: integers only.
    checked("kill", unsafe { libc::kill(parent, signal) }).map(drop)
}

/// FreeBSD's major version.
pub fn release() -> u32 {
    // SAFETY: utsname is made of characters, for which zero is a value.
    let mut system: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills one structure.
    unsafe { libc::uname(&raw mut system) };
    let text: String = system
        .release
        .iter()
        .map(|byte| char::from(byte.cast_unsigned()))
        .collect();
    text.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
}
