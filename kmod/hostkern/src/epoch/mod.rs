//! epoch(9): sections, counted per thread, and callbacks after every section that was open has ended.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_void;

use kpi::raw::epoch::epoch_tracker;

use crate::kernel::Config;
use crate::slot::Slot;
use crate::sync::{Condvar, Mutex, lock, thread_local};
use crate::{mutex, report, thread};

static STATE: Slot<State> = Slot::new();

/// The network's epoch, the only one: an address to compare.
static NET_EPOCH: u8 = 0;

/// A pointer in a static.
#[repr(transparent)]
pub struct EpochPointer(*const u8);

// SAFETY: the pointer never changes, and what it points to is never written.
unsafe impl Sync for EpochPointer {}

/// `net_epoch_preempt`: the `epoch_t` modules pass on.
#[unsafe(no_mangle)]
pub static net_epoch_preempt: EpochPointer = EpochPointer(&raw const NET_EPOCH);

thread_local! {
    /// The trackers of the sections this thread is in, by address.
    static TRACKERS: RefCell<Trackers> = RefCell::default();
    /// The number of the outermost of them.
    static SECTION: RefCell<Option<u64>> = RefCell::default();
}

#[derive(Default)]
struct Trackers(Vec<usize>);

impl Drop for Trackers {
    fn drop(&mut self) {
        if !self.0.is_empty() && !std::thread::panicking() {
            report::panic("the thread ends inside an epoch section");
        }
    }
}

#[derive(Default)]
struct State {
    sections: Mutex<Sections>,
    ended: Condvar,
}

#[derive(Default)]
struct Sections {
    /// The number of the next section.
    next: u64,
    /// The threads in sections, by the section's number.
    open: BTreeMap<u64, String>,
    /// Work for when every section before this number has ended, oldest first.
    deferred: Vec<(u64, Work)>,
}

type Work = Box<dyn FnOnce() + Send>;

impl Sections {
    /// Whether every section before `number` has ended.
    fn have_ended_before(&self, number: u64) -> bool {
        self.open.first_key_value().is_none_or(|(&first, _)| first >= number)
    }

    /// Takes out the work whose time has come.
    fn take_due(&mut self) -> Vec<Work> {
        let due = self
            .deferred
            .partition_point(|&(number, _)| self.have_ended_before(number));
        self.deferred.drain(..due).map(|(_, work)| work).collect()
    }
}

pub(crate) fn boot(_config: &Config) {
    STATE.fill(State::default());
}

pub(crate) fn halt() -> Vec<String> {
    run_due();
    let Some(state) = STATE.empty() else { return Vec::new() };
    let sections = state
        .sections
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let line = |name| format!("thread {name} is inside an epoch section");
    let mut left: Vec<_> = sections.open.into_values().map(line).collect();
    if !sections.deferred.is_empty() {
        left.push(format!("{} epoch callbacks have not run", sections.deferred.len()));
    }
    left
}

/// Whether the calling thread is inside a section.
pub(crate) fn is_inside() -> bool {
    TRACKERS
        .try_with(|trackers| !trackers.borrow().0.is_empty())
        .unwrap_or(false)
}

/// Panics if the calling thread is inside a section, at the end of a system call or of a test.
pub fn assert_outside() {
    if is_inside() {
        report::panic("the thread returns to user space inside an epoch section");
    }
}

/// Runs `work` once every section that is open now has ended: at once if there is none, else on the thread that ends the
/// last of them, or a later one. Work never runs inside a section of its thread or with a mutex held.
pub fn defer(work: impl FnOnce() + Send + 'static) {
    let mut sections = lock(&STATE.get().sections);
    let number = sections.next;
    sections.deferred.push((number, Box::new(work)));
    drop(sections);
    run_due();
}

/// Runs the deferred work whose time has come, if the thread may do so here.
pub(crate) fn run_due() {
    let Some(state) = STATE.try_get() else { return };
    if is_inside() || !mutex::held().is_empty() {
        return;
    }
    let due = lock(&state.sections).take_due();
    for work in due {
        work();
    }
}

fn enter(tracker: usize) {
    TRACKERS.with(|trackers| {
        let Trackers(trackers) = &mut *trackers.borrow_mut();
        if trackers.contains(&tracker) {
            report::panic("an epoch section is entered twice with one tracker");
        }
        trackers.push(tracker);
        if trackers.len() == 1 {
            open();
        }
    });
    crate::sync::yield_point();
}

/// Opens the thread's outermost section.
fn open() {
    let mut sections = lock(&STATE.get().sections);
    let number = sections.next;
    sections.next += 1;
    sections.open.insert(number, thread::name());
    SECTION.with(|section| section.replace(Some(number)));
}

fn exit(tracker: usize) {
    let is_last = TRACKERS.with(|trackers| {
        let Trackers(trackers) = &mut *trackers.borrow_mut();
        let Some(index) = trackers.iter().rposition(|&entered| entered == tracker) else {
            report::panic("an epoch section is left with a tracker it was not entered with");
        };
        trackers.remove(index);
        trackers.is_empty()
    });
    if is_last {
        close();
        run_due();
    }
    crate::sync::yield_point();
}

/// Closes the thread's outermost section.
fn close() {
    let state = STATE.get();
    let mut sections = lock(&state.sections);
    if let Some(number) = SECTION.with(RefCell::take) {
        sections.open.remove(&number);
    }
    state.ended.notify_all();
}

fn check(epoch: *mut c_void) {
    if epoch.addr() != (&raw const NET_EPOCH).addr() {
        report::panic(&format!("{epoch:p} is no epoch"));
    }
}

/// `NET_EPOCH_ENTER`
///
/// # Safety
/// Nothing is read or written through the pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _epoch_enter_preempt(epoch: *mut c_void, et: *mut epoch_tracker) {
    check(epoch);
    enter(et.addr());
}

/// `NET_EPOCH_EXIT`
///
/// # Safety
/// As [`_epoch_enter_preempt`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _epoch_exit_preempt(epoch: *mut c_void, et: *mut epoch_tracker) {
    check(epoch);
    exit(et.addr());
}

/// `NET_EPOCH_WAIT`: waits until every section that is open now has ended.
///
/// # Safety
/// As [`_epoch_enter_preempt`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn epoch_wait_preempt(epoch: *mut c_void) {
    check(epoch);
    if is_inside() {
        report::panic("a wait for the end of all epoch sections inside of one");
    }
    mutex::assert_none_held_but(std::ptr::null_mut(), "a wait for the end of epoch sections");
    let state = STATE.get();
    let mut sections = lock(&state.sections);
    let number = sections.next;
    while !sections.have_ended_before(number) {
        sections = state
            .ended
            .wait(sections)
            .unwrap_or_else(std::sync::PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests;
