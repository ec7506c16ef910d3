//! The C functions. They take the address of the lock word, not that of the mutex.

use std::ffi::{c_char, c_int};

use super::held::Place;
use super::word::{Acquired, Word};
use super::{STATE, destroy_word, is_owned_word, lock_word, try_lock_word, unlock_word};
use crate::report;

/// Whether lockstat(4) is on, which modules tied to a kernel look at: never.
#[unsafe(no_mangle)]
pub static lockstat_enabled: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(0);

/// `mtx_init(9)`
///
/// # Safety
/// `c` lies in a `struct mtx`; the strings outlive it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _mtx_init(c: *mut usize, name: *const c_char, kind: *const c_char, opts: c_int) {
    // SAFETY: the caller vouches for the mutex.
    unsafe { Word::at(c) }.init(name, kind, opts);
}

/// `mtx_destroy(9)`
///
/// # Safety
/// As [`_mtx_init`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _mtx_destroy(c: *mut usize) {
    // SAFETY: the caller vouches for the mutex.
    destroy_word(&unsafe { Word::at(c) });
}

/// `mtx_lock(9)`
///
/// # Safety
/// As [`_mtx_init`]; `file` is a C string that stays while the mutex is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __mtx_lock_flags(c: *mut usize, _opts: c_int, file: *const c_char, line: c_int) {
    // SAFETY: the caller vouches for the mutex.
    lock_word(&unsafe { Word::at(c) }, Place::new(file, line));
}

/// `mtx_unlock(9)`
///
/// # Safety
/// As [`__mtx_lock_flags`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __mtx_unlock_flags(c: *mut usize, _opts: c_int, file: *const c_char, line: c_int) {
    // SAFETY: the caller vouches for the mutex.
    unlock_word(&unsafe { Word::at(c) }, Place::new(file, line));
}

/// `mtx_trylock(9)`: 1 if it has been taken.
///
/// # Safety
/// As [`__mtx_lock_flags`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _mtx_trylock_flags_(c: *mut usize, _opts: c_int, file: *const c_char, line: c_int) -> c_int {
    // SAFETY: the caller vouches for the mutex.
    c_int::from(try_lock_word(&unsafe { Word::at(c) }, Place::new(file, line)))
}

/// What modules tied to a kernel call when a mutex is not free.
///
/// # Safety
/// As [`_mtx_init`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __mtx_lock_sleep(c: *mut usize, _value: usize) {
    // SAFETY: the caller vouches for the mutex.
    let word = unsafe { Word::at(c) };
    word.check_usable("lock", Place::NONE);
    // Not put on the thread's list: it may be given up inline, unseen.
    if !word.is_owned() {
        let _ = word.acquire() == Acquired::AtOnce || word.park(&STATE.get().lot);
    } else if word.is_recursable() {
        word.recurse();
    } else {
        report::panic(&format!(
            "mutex {}, which is not recursive, is taken again",
            word.name()
        ));
    }
}

/// What modules tied to a kernel call when a mutex carries a flag, or is not theirs.
///
/// # Safety
/// As [`_mtx_init`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __mtx_unlock_sleep(c: *mut usize, _value: usize) {
    // SAFETY: the caller vouches for the mutex.
    unlock_word(&unsafe { Word::at(c) }, Place::NONE);
}

/// `mtx_assert(9)`
///
/// # Safety
/// As [`__mtx_lock_flags`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __mtx_assert(c: *const usize, what: c_int, file: *const c_char, line: c_int) {
    const MA_NOTOWNED: c_int = 0;
    const MA_OWNED: c_int = 4;
    const MA_RECURSED: c_int = 8;
    const MA_NOTRECURSED: c_int = 16;
    // SAFETY: the caller vouches for the mutex.
    let word = unsafe { Word::at(c.cast_mut()) };
    let owned = is_owned_word(&word);
    let wrong = match what {
        MA_NOTOWNED => owned.then_some("owned"),
        _ if what & MA_OWNED == 0 => Some("asserted with unknown flags"),
        _ if !owned => Some("not owned"),
        _ if what & MA_NOTRECURSED != 0 && word.is_recursed() => Some("recursed"),
        _ if what & MA_RECURSED != 0 && !word.is_recursed() => Some("unrecursed"),
        _ => None,
    };
    if let Some(wrong) = wrong {
        report::panic(&format!("mutex {} {wrong} at {}", word.name(), Place::new(file, line)));
    }
}
