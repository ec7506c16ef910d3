//! For the unit tests of the primitives: one kernel at a time, and children that die.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::kernel::{Config, Subject};
use crate::slot::TURN;
use crate::sync::{MutexGuard, lock};
use crate::{clock, epoch, faults, memory, mutex, report, sleep, thread};

/// Says which test's child a process is.
const CHILD: &str = "HOSTKERN_TEST_CHILD";

/// The primitives of a kernel, while a test runs.
pub(crate) struct Kernel {
    _turn: MutexGuard<'static, ()>,
}

impl Kernel {
    /// With poisoned allocations.
    pub(crate) fn plain() -> Self {
        Self::boot(false)
    }

    /// With each allocation in pages of its own.
    pub(crate) fn guarded() -> Self {
        Self::boot(true)
    }

    fn boot(guard_pages: bool) -> Self {
        let turn = lock(&TURN);
        let config = Config {
            subject: Subject::None,
            guard_pages,
            check_leaks: false,
        };
        report::boot(&config);
        faults::boot(&config);
        thread::boot(&config);
        memory::boot(&config);
        mutex::boot(&config);
        sleep::boot(&config);
        clock::boot();
        epoch::boot(&config);
        Self { _turn: turn }
    }

    /// Takes the kernel down and says what is left over.
    pub(crate) fn halt(self) -> Vec<String> {
        halt()
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        halt();
    }
}

/// Takes the parts down; those that are down already have nothing to say.
fn halt() -> Vec<String> {
    let parts = [
        epoch::halt,
        sleep::halt,
        mutex::halt,
        memory::halt,
        thread::halt,
        faults::halt,
        report::halt,
    ];
    let left = parts.iter().flat_map(|halt| halt()).collect();
    clock::halt();
    left
}

/// Runs `work`, of the test called `test`, in a child, which must not survive it; returns what the child wrote to standard
/// error.
pub(crate) fn death(test: &str, work: impl FnOnce()) -> String {
    death_by(test, libc::SIGABRT, work)
}

/// As [`death`], by another signal than that of abort(3).
pub(crate) fn death_by(test: &str, signal: i32, work: impl FnOnce()) -> String {
    if std::env::var_os(CHILD).is_some_and(|child| child == test) {
        work();
        std::process::exit(0);
    }
    let child = Command::new(std::env::current_exe().expect("the test's own path"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, test)
        .output()
        .expect("the test starts once more");
    let report = String::from_utf8_lossy(&child.stderr).into_owned();
    assert_eq!(child.status.signal(), Some(signal), "{:?}: {report}", child.status);
    report
}
