//! mutex(9), on the lock word that compiled modules change inline as well.
//!
//! Modules that are tied to a kernel (`KLD_TIED`, those FreeBSD ships) take a free mutex and give an uncontested one up
//! without a call. Such mutexes exclude like any other, but what is known of a thread's mutexes (for reports, lock order,
//! and what may not be done with a mutex held) then comes from the calls only. What a call took for such a module (a sleep
//! that ends, a lock that was contested) it may give up inline; it counts as held while the lock word says so.

mod c;
mod held;
mod order;
mod word;

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::panic::Location;

use kpi::raw::mutex::mtx;

pub use c::*;
use held::Place;
pub use held::{Held, held};
use order::Order;
use word::{Acquired, Lot, Word};

use crate::kernel::Config;
use crate::report::{self, lossy};
use crate::slot::Slot;
use crate::sync::{Mutex, lock as lock_sync};

static STATE: Slot<State> = Slot::new();

#[derive(Default)]
struct State {
    order: Mutex<Order>,
    /// Names of mutexes that exclude nobody.
    elided: Mutex<BTreeSet<String>>,
    lot: Lot,
}

pub(crate) fn boot(_config: &Config) {
    STATE.fill(State::default());
}

pub(crate) fn halt() -> Vec<String> {
    drop(STATE.empty());
    Vec::new()
}

/// Takes the exclusion out of every mutex of this name from now on: for tests that show that a race needs the mutex.
pub fn elide(name: &str) {
    lock_sync(&STATE.get().elided).insert(name.to_owned());
}

/// Initialises a default mutex.
///
/// # Safety
/// `mutex` is valid memory that stays in place until it is destroyed.
pub unsafe fn init(mutex: *mut mtx, name: &'static CStr) {
    // SAFETY: the caller vouches for the memory.
    let word = unsafe { Word::of(mutex) };
    word.init(name.as_ptr(), std::ptr::null(), 0);
}

/// Destroys a mutex; panics if another thread holds or waits for it, or if it is not initialised. As mutex(9) has it, the
/// caller may hold it.
///
/// # Safety
/// `mutex` is valid memory.
#[track_caller]
pub unsafe fn destroy(mutex: *mut mtx) {
    // SAFETY: the caller vouches for the memory.
    destroy_word(&unsafe { Word::of(mutex) });
}

/// Takes a mutex; panics if this thread has it already.
///
/// # Safety
/// `mutex` is valid memory.
#[track_caller]
pub unsafe fn lock(mutex: *mut mtx) {
    // SAFETY: the caller vouches for the memory.
    lock_word(&unsafe { Word::of(mutex) }, Place::here(Location::caller()));
}

/// Gives a mutex up; panics if this thread does not have it.
///
/// # Safety
/// As [`lock`].
#[track_caller]
pub unsafe fn unlock(mutex: *mut mtx) {
    // SAFETY: the caller vouches for the memory.
    unlock_word(&unsafe { Word::of(mutex) }, Place::here(Location::caller()));
}

/// Whether this thread has the mutex.
///
/// # Safety
/// As [`lock`].
pub unsafe fn is_owned(mutex: *mut mtx) -> bool {
    // SAFETY: the caller vouches for the memory.
    is_owned_word(&unsafe { Word::of(mutex) })
}

fn is_owned_word(word: &Word) -> bool {
    word.is_owned() || is_elided(word) && held::has(word.address())
}

/// Whether the mutex excludes nobody.
fn is_elided(word: &Word) -> bool {
    let Some(state) = STATE.try_get() else { return false };
    let elided = lock_sync(&state.elided);
    !elided.is_empty() && elided.contains(&*word.name())
}

fn lock_word(word: &Word, place: Place) {
    word.check_usable("lock", place);
    crate::sync::yield_point();
    if is_elided(word) {
        return held::push(word, place);
    }
    if word.is_owned() {
        return recurse(word, place);
    }
    check_order(word, place);
    if word.acquire() == Acquired::AtOnce || word.park(&STATE.get().lot) {
        held::push(word, place);
    }
}

fn recurse(word: &Word, place: Place) {
    if !word.is_recursable() {
        report::panic(&format!(
            "mutex {}, which is not recursive, is taken again at {place}",
            word.name()
        ));
    }
    word.recurse();
    held::push(word, place);
}

/// Takes a mutex if it is free, or the thread's own and recursive.
fn try_lock_word(word: &Word, place: Place) -> bool {
    word.check_usable("trylock", place);
    crate::sync::yield_point();
    if word.is_owned() && word.is_recursable() {
        word.recurse();
    } else if !is_elided(word) && word.acquire() != Acquired::AtOnce {
        return false;
    }
    held::push(word, place);
    true
}

fn unlock_word(word: &Word, place: Place) {
    word.check_usable("unlock", place);
    if !is_owned_word(word) {
        report::panic(&format!("mutex {} not owned at {place}", word.name()));
    }
    held::pop(word.address());
    if !word.is_owned() {
        return;
    }
    if !word.leave_recursion() {
        word.release(&STATE.get().lot);
    }
    crate::sync::yield_point();
}

fn destroy_word(word: &Word) {
    word.check_usable("destroy", Place::NONE);
    if let Some(why) = word.busy() {
        report::panic(&format!("mutex {} destroyed while {why}", word.name()));
    }
    held::pop(word.address());
    word.destroy();
}

/// Panics if mutexes are held in an order against which there is one on record.
fn check_order(word: &Word, place: Place) {
    let held = held::all();
    if held.is_empty() {
        return;
    }
    let Some(state) = STATE.try_get() else { return };
    let found = lock_sync(&state.order).take(&held, word, place);
    if let Err(reversal) = found {
        report::panic(&reversal);
    }
}

/// Panics if the thread holds a mutex, other than `but`, at something that may sleep.
pub(crate) fn assert_none_held_but(but: *mut mtx, what: &str) {
    if let Some(held) = held::all().iter().find(|held| held.address() != but.addr()) {
        report::panic(&format!(
            "{what} with mutex {} held, taken at {}",
            held.name,
            held.place()
        ));
    }
}

/// The `type` of a mutex, or else its name: what lock order goes by.
fn class_name(name: *const std::ffi::c_char, kind: *const std::ffi::c_char) -> String {
    let class = if kind.is_null() { name } else { kind };
    // SAFETY: _mtx_init was given C strings that live as long as the mutex, or null.
    unsafe { lossy(class) }.into_owned()
}

#[cfg(test)]
mod tests;
