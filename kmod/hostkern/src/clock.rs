//! Time as modules see it: `time_uptime`, and pauses.

use core::ffi::{CStr, c_char, c_int};
use core::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use crate::sleep;
use crate::slot::Slot;
use crate::sync::{Mutex, lock, now};

/// Seconds since the kernel booted, from 1 on; set at the beginning of each system call.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static time_uptime: AtomicI64 = AtomicI64::new(1);

struct State {
    booted: Instant,
    /// How far tests have moved the clock forward.
    ahead: Mutex<Duration>,
    /// Copies of `time_uptime` in modules' reach.
    copies: Mutex<Vec<usize>>,
}

static STATE: Slot<State> = Slot::new();

pub(crate) fn boot() {
    STATE.fill(State {
        booted: now(),
        ahead: Mutex::new(Duration::ZERO),
        copies: Mutex::new(Vec::new()),
    });
    tick();
}

pub(crate) fn halt() {
    STATE.empty();
}

/// Says that a module has a copy of the variable at `original`; does nothing unless that is the time.
pub(crate) fn add_copy(original: usize, copy: usize) {
    if original == (&raw const time_uptime).addr() {
        lock(&STATE.get().copies).push(copy);
    }
}

/// Forgets the copies: the module that has them goes, and there is one such module at a time.
pub(crate) fn forget_copies() {
    lock(&STATE.get().copies).clear();
}

/// How long the kernel has been running.
pub(crate) fn uptime() -> Duration {
    let state = STATE.get();
    now().duration_since(state.booted) + *lock(&state.ahead)
}

/// Sets the clock.
pub(crate) fn tick() {
    let state = STATE.get();
    let seconds = 1 + i64::try_from(uptime().as_secs()).unwrap_or(i64::MAX - 1);
    time_uptime.store(seconds, Ordering::Relaxed);
    for copy in lock(&state.copies).iter() {
        // SAFETY: a copy in the memory of a module that is loaded; a word that modules only read.
        unsafe { AtomicI64::from_ptr(*copy as *mut i64) }.store(seconds, Ordering::Relaxed);
    }
}

/// Moves the clock forward.
pub fn advance(by: Duration) {
    *lock(&STATE.get().ahead) += by;
    tick();
}

/// How much faster the clock runs while a thread pauses: whoever it waits for needs no second here.
const HASTE: u32 = 100;

/// `pause_sbt`: sleeps for a time, in units of 2^-32 seconds. It takes a hundredth of that, and the clock moves forward by
/// the rest.
///
/// # Safety
/// `wmesg` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pause_sbt(wmesg: *const c_char, sbt: i64, _precision: i64, _flags: c_int) -> c_int {
    static CHANNEL: u8 = 0;
    // SAFETY: the caller says so.
    let message = unsafe { CStr::from_ptr(wmesg) }.to_string_lossy();
    let nanoseconds = (i128::from(sbt.max(1)) * 1_000_000_000) >> 32;
    let time = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0));
    advance(time - time / HASTE);
    let channel = (&raw const CHANNEL).addr();
    // SAFETY: no mutex is given up.
    unsafe { sleep::sleep(channel, core::ptr::null_mut(), false, &message, Some(time / HASTE)) }
}
