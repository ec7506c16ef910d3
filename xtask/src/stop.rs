//! Ctrl-C, SIGTERM and SIGHUP: the first one asks every waiting loop to end in order, a second one ends at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

static ASKED: AtomicBool = AtomicBool::new(false);
static CHILDREN: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// The exit status of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Catches the signals from here on.
///
/// # Errors
/// The system refuses the handler.
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            kill_children();
            std::process::exit(INTERRUPTED);
        }
        eprintln!("\nstopping (once more to stop at once)");
    })
    .context("could not install a handler for Ctrl-C")
}

/// Whether somebody asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// A child that a second signal kills, until this value is dropped.
#[derive(Debug)]
pub struct Registered(Pid);

/// Registers a child process.
pub fn register(child: &std::process::Child) -> Registered {
    let pid = Pid::from_child(child);
    children().push(pid);
    Registered(pid)
}

impl Drop for Registered {
    fn drop(&mut self) {
        children().retain(|pid| *pid != self.0);
    }
}

/// The list, also when a thread panicked while it held it: pids are plain data.
fn children() -> std::sync::MutexGuard<'static, Vec<Pid>> {
    CHILDREN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn kill_children() {
    for pid in children().iter() {
        // A child that is gone already is what is wanted.
        let _ = kill_process(*pid, Signal::KILL);
    }
}
