//! sleep(9): `_sleep` and `wakeup`.

use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use kpi::raw::mutex::{lock_object, mtx};
use kpi::raw::systm::PCATCH;

use crate::faults::{self, Site};
use crate::kernel::Config;
use crate::report::{self, lossy};
use crate::slot::Slot;
use crate::sync::{Condvar, Mutex, MutexGuard, lock, now, yield_point};
use crate::{Errno, epoch, mutex, thread};

/// `_sleep` is not to take the mutex again.
const PDROP: c_int = 0x200;
/// The time is one since boot, not one from now on.
const C_ABSOLUTE: c_int = 0x200;

static STATE: Slot<State> = Slot::new();

#[derive(Default)]
struct State {
    queue: Mutex<Queue>,
    changed: Condvar,
    /// What a thread does before it really sleeps; true if it did something.
    help: OnceLock<fn() -> bool>,
}

#[derive(Default)]
struct Queue {
    next_ticket: u64,
    /// Who sleeps, longest sleep first.
    sleepers: Vec<Sleeper>,
}

struct Sleeper {
    ticket: u64,
    channel: usize,
    is_woken: bool,
}

impl Queue {
    fn add(&mut self, channel: usize) -> u64 {
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        self.sleepers.push(Sleeper {
            ticket,
            channel,
            is_woken: false,
        });
        ticket
    }

    fn is_woken(&self, ticket: u64) -> bool {
        self.sleepers
            .iter()
            .any(|sleeper| sleeper.ticket == ticket && sleeper.is_woken)
    }

    fn remove(&mut self, ticket: u64) {
        self.sleepers.retain(|sleeper| sleeper.ticket != ticket);
    }

    /// Wakes up to `most` of those who sleep on a channel, the longest sleep first.
    fn wake(&mut self, channel: usize, most: usize) {
        let asleep = |sleeper: &&mut Sleeper| sleeper.channel == channel && !sleeper.is_woken;
        for sleeper in self.sleepers.iter_mut().filter(asleep).take(most) {
            sleeper.is_woken = true;
        }
    }
}

pub(crate) fn boot(_config: &Config) {
    STATE.fill(State::default());
}

pub(crate) fn halt() -> Vec<String> {
    drop(STATE.empty());
    Vec::new()
}

/// Has threads call `help` instead of sleeping, as long as it does something: it returns false when there is nothing to do.
/// For a kernel without threads of its own; no mutex is held meanwhile.
pub(crate) fn have_help(help: fn() -> bool) {
    // The first help stays; there is one kind of it only.
    let _ = STATE.get().help.set(help);
}

/// One sleep.
struct Sleep<'a> {
    channel: usize,
    interruptible: bool,
    message: &'a str,
    /// `None` for ever, or until there is no such instant.
    deadline: Option<Instant>,
}

impl Sleep<'_> {
    /// Sleeps with the mutex given up; the answer is 0 or an errno.
    ///
    /// # Safety
    /// `mutex` is held by this thread, or null.
    unsafe fn run(&self, mutex: *mut mtx) -> c_int {
        yield_point();
        let state = STATE.get();
        let handle = thread::handle();
        let mut queue = lock(&state.queue);
        let ticket = queue.add(self.channel);
        handle.set_sleeping_on(Some(self.message));
        drop(queue);
        // Whoever wakes the channel from here on finds the ticket, so that no wakeup is lost.
        if !mutex.is_null() {
            // SAFETY: this thread holds it, as the caller says.
            unsafe { mutex::unlock(mutex) };
        }
        yield_point();
        let mut queue = self.wait(lock(&state.queue), state, ticket, &handle);
        let result = self.result(&queue, ticket, &handle);
        queue.remove(ticket);
        handle.set_sleeping_on(None);
        result
    }

    fn wait<'q>(
        &self,
        mut queue: MutexGuard<'q, Queue>,
        state: &'q State,
        ticket: u64,
        handle: &thread::Handle,
    ) -> MutexGuard<'q, Queue> {
        while !(queue.is_woken(ticket) || self.is_over() || self.interruptible && handle.is_interrupted()) {
            if let Some(help) = state.help.get() {
                drop(queue);
                let helped = help();
                queue = lock(&state.queue);
                if helped {
                    continue;
                }
            }
            queue = match self.deadline {
                None => state
                    .changed
                    .wait(queue)
                    .unwrap_or_else(std::sync::PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(now());
                    let waited = state.changed.wait_timeout(queue, left);
                    waited.unwrap_or_else(std::sync::PoisonError::into_inner).0
                }
            };
        }
        queue
    }

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now())
    }

    /// Why the sleep has ended. An interrupt that came with a wakeup is left to the next sleep.
    fn result(&self, queue: &Queue, ticket: u64, handle: &thread::Handle) -> c_int {
        if queue.is_woken(ticket) {
            0
        } else if self.interruptible && handle.take_interrupt() {
            Errno::EINTR.get()
        } else {
            Errno::EWOULDBLOCK.get()
        }
    }
}

/// Sleeps on `channel` until [`wakeup`], with `mutex` given up meanwhile. Returns 0, `EINTR` or `EWOULDBLOCK`.
///
/// # Safety
/// `mutex` is held by this thread, or null.
pub unsafe fn sleep(
    channel: usize,
    mutex: *mut mtx,
    interruptible: bool,
    message: &str,
    timeout: Option<Duration>,
) -> i32 {
    // SAFETY: the caller vouches for the mutex.
    let result = unsafe { sleep_and_drop(channel, mutex, interruptible, message, timeout) };
    if !mutex.is_null() {
        // SAFETY: as above; it was given up.
        unsafe { mutex::lock(mutex) };
    }
    result
}

/// As [`sleep`], but the mutex is not taken again (`PDROP`).
///
/// # Safety
/// As [`sleep`].
unsafe fn sleep_and_drop(
    channel: usize,
    mutex: *mut mtx,
    interruptible: bool,
    message: &str,
    timeout: Option<Duration>,
) -> i32 {
    // SAFETY: the caller vouches for the mutex.
    unsafe { check(mutex, message, timeout) };
    if interruptible && faults::strikes(&Site::Sleep, true) {
        thread::handle().interrupt();
    }
    let sleep = Sleep {
        channel,
        interruptible,
        message,
        deadline: timeout.and_then(|timeout| now().checked_add(timeout)),
    };
    // SAFETY: the caller vouches for the mutex.
    unsafe { sleep.run(mutex) }
}

/// Panics where FreeBSD's assertions or WITNESS would.
///
/// # Safety
/// `mutex` is valid, or null.
unsafe fn check(mutex: *mut mtx, message: &str, timeout: Option<Duration>) {
    mutex::assert_none_held_but(mutex, &format!("a sleep on {message}"));
    if epoch::is_inside() {
        report::panic(&format!("a sleep on {message} inside an epoch section"));
    }
    if mutex.is_null() && timeout.is_none() {
        report::panic(&format!(
            "a sleep on {message} without a mutex, for ever: its wakeup may be lost"
        ));
    }
    // SAFETY: the caller vouches for the mutex.
    if !mutex.is_null() && !unsafe { mutex::is_owned(mutex) } {
        report::panic(&format!(
            "a sleep on {message} with a mutex that the thread does not hold"
        ));
    }
}

/// Wakes everyone who sleeps on `channel`.
pub fn wakeup_channel(channel: usize) {
    wake(channel, usize::MAX);
}

fn wake(channel: usize, most: usize) {
    let state = STATE.get();
    lock(&state.queue).wake(channel, most);
    state.changed.notify_all();
    yield_point();
}

/// Has every sleeper look again whether it has been interrupted.
pub(crate) fn look_again() {
    let Some(state) = STATE.try_get() else { return };
    // With the queue taken, no sleeper is between its look and its wait.
    let _queue = lock(&state.queue);
    state.changed.notify_all();
}

/// A time in units of 2⁻³² s (`sbintime_t`); 0 is none.
fn timeout(sbt: i64) -> Option<Duration> {
    let sbt = u64::try_from(sbt).ok().filter(|&sbt| sbt != 0)?;
    let nanoseconds = (u128::from(sbt) * 1_000_000_000) >> 32;
    Some(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
}

/// `msleep(9)` and its family; the lock must be a default mutex.
///
/// # Safety
/// As msleep(9).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _sleep(
    chan: *const c_void,
    lock: *mut lock_object,
    pri: c_int,
    wmesg: *const c_char,
    sbt: i64,
    _pr: i64,
    flags: c_int,
) -> c_int {
    if flags & C_ABSOLUTE != 0 {
        report::panic("_sleep until an absolute time is not known here");
    }
    // SAFETY: the caller passes a C string.
    let message = unsafe { lossy(wmesg) };
    let sleep = if pri & PDROP == 0 { sleep } else { sleep_and_drop };
    // SAFETY: the lock object is the first member of a mutex that this thread holds.
    unsafe { sleep(chan.addr(), lock.cast(), pri & PCATCH != 0, &message, timeout(sbt)) }
}

/// `wakeup(9)`
///
/// # Safety
/// `chan` is compared only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wakeup(chan: *const c_void) {
    wakeup_channel(chan.addr());
}

/// `wakeup_one(9)`
///
/// # Safety
/// `chan` is compared only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wakeup_one(chan: *const c_void) {
    wake(chan.addr(), 1);
}

#[cfg(test)]
mod tests;
