//! counter(9).
//!
//! A native module's counter is one word. A module from a file counts with one instruction at an offset from its CPU's own
//! area, which is that of the thread ([`crate::thread`]): what is counted there is added up when somebody asks.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeSet;

use kpi::raw::sysctl::sysctl_oid;

use crate::report;
use crate::slot::Slot;
use crate::sync::{Mutex, lock};
use crate::sysctl::sysctl_handle_64;
use crate::thread::{COUNTER_CELLS, counter_cells};

/// The cells in use; and the words, by address.
#[derive(Default)]
struct State {
    cells: BTreeSet<usize>,
    words: BTreeSet<usize>,
}

static STATE: Slot<Mutex<State>> = Slot::new();

pub(crate) fn boot() {
    STATE.fill(Mutex::default());
}

pub(crate) fn halt() -> Vec<String> {
    let Some(state) = STATE.empty() else {
        return Vec::new();
    };
    let state = lock(&state);
    match state.cells.len() + state.words.len() {
        0 => Vec::new(),
        left => vec![format!("counters of modules: {left}")],
    }
}

/// `counter_u64_alloc`, for a module that is linked into the program.
#[unsafe(no_mangle)]
pub extern "C" fn counter_u64_alloc(_flags: c_int) -> *mut u64 {
    let word = Box::into_raw(Box::new(AtomicU64::new(0)));
    lock(STATE.get()).words.insert(word.addr());
    word.cast()
}

/// `counter_u64_alloc`, for a module from a file: the offset of a cell from a CPU's area.
pub extern "C" fn counter_of_cpus_alloc(_flags: c_int) -> *mut u64 {
    let mut state = lock(STATE.get());
    let Some(cell) = COUNTER_CELLS.step_by(8).find(|cell| !state.cells.contains(cell)) else {
        report::panic("counter_u64_alloc: the hosted kernel has no more counters");
    };
    state.cells.insert(cell);
    counter_cells(cell)
        .iter()
        .for_each(|value| value.store(0, Ordering::Relaxed));
    core::ptr::without_provenance_mut(cell)
}

/// `counter_u64_free`
///
/// # Safety
/// Nobody uses the counter any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn counter_u64_free(counter: *mut u64) {
    let mut state = lock(STATE.get());
    if state.words.remove(&counter.addr()) {
        // SAFETY: counter_u64_alloc leaked this box, and nobody uses it (caller).
        drop(unsafe { Box::from_raw(counter.cast::<AtomicU64>()) });
    } else if !state.cells.remove(&counter.addr()) {
        report::panic("counter_u64_free: no such counter");
    }
}

/// `counter_u64_fetch`
fn fetch(counter: *mut u64) -> u64 {
    let state = lock(STATE.get());
    if state.words.contains(&counter.addr()) {
        // SAFETY: a counter that is not freed, and whose words are accessed atomically only.
        return unsafe { AtomicU64::from_ptr(counter) }.load(Ordering::Relaxed);
    }
    if !state.cells.contains(&counter.addr()) {
        report::panic("counter_u64_fetch: no such counter");
    }
    counter_cells(counter.addr())
        .iter()
        .fold(0, |sum, value| sum.wrapping_add(value.load(Ordering::Relaxed)))
}

/// `sysctl_handle_counter_u64`: the counter that the pointer behind `arg1` leads to; it is not written.
///
/// # Safety
/// As a sysctl handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sysctl_handle_counter_u64(
    oidp: *mut sysctl_oid,
    arg1: *mut c_void,
    arg2: isize,
    req: *mut c_void,
) -> c_int {
    // SAFETY: the variable is a pointer to a counter.
    let counter = unsafe { arg1.cast::<*mut u64>().read() };
    let mut value = fetch(counter);
    // SAFETY: the caller says so, and the value lives during the call.
    unsafe { sysctl_handle_64(oidp, (&raw mut value).cast(), arg2, req) }
}
