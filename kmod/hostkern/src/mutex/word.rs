//! `struct mtx` and its lock word.
//!
//! The word is 0 while nobody has the mutex, else the owner's `curthread` and flag bits. A compiled module changes it
//! from 0 to `curthread` and back only, so that whatever carries a flag comes to us.

use std::borrow::Cow;
use std::ffi::{c_char, c_int, c_uint};
use std::sync::atomic::{AtomicUsize, Ordering};

use kpi::raw::mutex::mtx;

use super::held::Place;
use crate::report::{self, lossy};
use crate::sync::{Condvar, Mutex, lock};
use crate::thread;

const UNOWNED: usize = 0;
const RECURSED: usize = 1;
const CONTESTED: usize = 2;
const DESTROYED: usize = 4;
const FLAGS: usize = RECURSED | CONTESTED | DESTROYED;

// Options of mtx_init(9).
const MTX_RECURSE: c_int = 4;
const MTX_DUPOK: c_int = 0x10;
const MTX_NEW: c_int = 0x40;

// `sys/lock.h`; a default mutex has class 1.
const LO_INITIALIZED: c_uint = 0x1_0000;
const LO_RECURSABLE: c_uint = 0x8_0000;
const LO_DUPOK: c_uint = 0x40_0000;
const CLASS: c_uint = 1 << 24;
/// What every initialised mutex has.
const ALWAYS: c_uint = LO_INITIALIZED | CLASS;

/// Where threads wait for mutexes, all of them together: there are few.
#[derive(Default)]
pub(super) struct Lot {
    gate: Mutex<()>,
    released: Condvar,
}

/// How a first try to take a mutex went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acquired {
    /// It was free.
    AtOnce,
    /// Another thread has it.
    NotYet,
}

/// A mutex.
///
/// # Invariants
/// The pointer is to valid memory for as long as the value lives, which is during one call.
pub(super) struct Word(*mut mtx);

impl Word {
    /// # Safety
    /// `mutex` is valid memory until the value is gone.
    pub(super) unsafe fn of(mutex: *mut mtx) -> Self {
        // INVARIANT: the caller says so.
        Self(mutex)
    }

    /// By the address of the lock word, which C functions take.
    ///
    /// # Safety
    /// As [`Word::of`].
    pub(super) unsafe fn at(c: *mut usize) -> Self {
        // INVARIANT: the caller says so.
        Self(c.wrapping_byte_sub(std::mem::offset_of!(mtx, mtx_lock)).cast())
    }

    pub(super) fn address(&self) -> usize {
        self.0.addr()
    }

    fn word(&self) -> &AtomicUsize {
        let word = self.0.wrapping_byte_add(std::mem::offset_of!(mtx, mtx_lock)).cast();
        // SAFETY: valid memory (invariant); a module that runs at the same time uses atomic instructions too.
        unsafe { AtomicUsize::from_ptr(word) }
    }

    fn flags(&self) -> c_uint {
        // SAFETY: valid memory (invariant); the flags change in init and destroy only.
        unsafe { (*self.0).lock_object.lo_flags }
    }

    pub(super) fn name_pointer(&self) -> *const c_char {
        // SAFETY: as above.
        unsafe { (*self.0).lock_object.lo_name }
    }

    pub(super) fn name(&self) -> Cow<'_, str> {
        // SAFETY: an initialised mutex has the C string it was given, which lives as long.
        unsafe { lossy(self.name_pointer()) }
    }

    /// The `type` mtx_init(9) was given: kept where FreeBSD has WITNESS's own pointer.
    pub(super) fn kind(&self) -> *const c_char {
        // SAFETY: as in flags().
        unsafe { (*self.0).lock_object.lo_witness.cast_const().cast() }
    }

    fn is_initialised(&self) -> bool {
        self.flags() & !(LO_RECURSABLE | LO_DUPOK) == ALWAYS
    }

    pub(super) fn is_recursable(&self) -> bool {
        self.flags() & LO_RECURSABLE != 0
    }

    /// Whether two of the same class may be held.
    pub(super) fn allows_duplicates(&self) -> bool {
        self.flags() & LO_DUPOK != 0
    }

    pub(super) fn init(&self, name: *const c_char, kind: *const c_char, options: c_int) {
        if options & MTX_NEW == 0 && self.is_initialised() {
            report::panic(&format!("mutex {} initialised twice", self.name()));
        }
        let mut flags = ALWAYS;
        for (option, flag) in [(MTX_RECURSE, LO_RECURSABLE), (MTX_DUPOK, LO_DUPOK)] {
            flags |= if options & option == 0 { 0 } else { flag };
        }
        let fresh = kpi::raw::mutex::lock_object {
            lo_name: name,
            lo_flags: flags,
            lo_data: 0,
            lo_witness: kind.cast_mut().cast(),
        };
        // SAFETY: valid memory (invariant) that is no mutex yet, so that nobody else uses it.
        unsafe { (*self.0).lock_object = fresh };
        self.word().store(UNOWNED, Ordering::Release);
    }

    /// Panics unless the mutex is initialised and not destroyed.
    pub(super) fn check_usable(&self, what: &str, place: Place) {
        let word = self.word().load(Ordering::Relaxed);
        if word == DESTROYED {
            report::panic(&format!("{what} of a destroyed mutex at {place}"));
        }
        if !self.is_initialised() {
            report::panic(&format!("{what} of an uninitialised mutex at {place}"));
        }
    }

    pub(super) fn is_owned(&self) -> bool {
        self.word().load(Ordering::Relaxed) & !FLAGS == thread::current().addr()
    }

    pub(super) fn is_recursed(&self) -> bool {
        self.word().load(Ordering::Relaxed) & RECURSED != 0
    }

    /// Why the mutex cannot be destroyed now.
    pub(super) fn busy(&self) -> Option<&'static str> {
        let word = self.word().load(Ordering::Acquire);
        if word == UNOWNED || word == thread::current().addr() {
            return None;
        }
        Some(match word & FLAGS {
            _ if !self.is_owned() => "held by another thread",
            CONTESTED => "another thread waits for it",
            _ => "held more than once",
        })
    }

    pub(super) fn destroy(&self) {
        // SAFETY: valid memory (invariant); nobody holds or awaits the mutex.
        unsafe { (*self.0).lock_object.lo_flags = 0 };
        self.word().store(DESTROYED, Ordering::Release);
    }

    /// Takes the mutex if it is free.
    pub(super) fn acquire(&self) -> Acquired {
        let me = thread::current().addr();
        match self
            .word()
            .compare_exchange(UNOWNED, me, Ordering::Acquire, Ordering::Relaxed)
        {
            Ok(_) => Acquired::AtOnce,
            Err(_) => Acquired::NotYet,
        }
    }

    /// Waits for the mutex and takes it. True, so that it reads well behind [`Word::acquire`].
    ///
    /// The contested bit is set with the gate closed, and whoever finds it gives the mutex up with the gate closed: no
    /// wakeup is lost.
    pub(super) fn park(&self, lot: &Lot) -> bool {
        let mut gate = lock(&lot.gate);
        while self.acquire() == Acquired::NotYet {
            if self.contest() {
                gate = lot
                    .released
                    .wait(gate)
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
            }
        }
        true
    }

    /// Has the owner come to us when it gives the mutex up; false if there is none any more.
    fn contest(&self) -> bool {
        let contest = |word| (word != UNOWNED).then_some(word | CONTESTED);
        let word = self.word().fetch_update(Ordering::Relaxed, Ordering::Relaxed, contest);
        if word == Ok(DESTROYED) {
            report::panic("a mutex was destroyed while this thread waited for it");
        }
        word.is_ok()
    }

    /// Gives the mutex up.
    pub(super) fn release(&self, lot: &Lot) {
        let me = thread::current().addr();
        if self
            .word()
            .compare_exchange(me, UNOWNED, Ordering::Release, Ordering::Relaxed)
            .is_ok()
        {
            return;
        }
        let _gate = lock(&lot.gate);
        self.word().store(UNOWNED, Ordering::Release);
        lot.released.notify_all();
    }

    /// Takes the mutex once more; this thread has it.
    pub(super) fn recurse(&self) {
        self.word().fetch_or(RECURSED, Ordering::Relaxed);
        self.count(|count| count + 1);
    }

    /// Undoes one [`Word::recurse`]; false if there is none to undo. This thread has the mutex.
    pub(super) fn leave_recursion(&self) -> bool {
        if self.word().load(Ordering::Relaxed) & RECURSED == 0 {
            return false;
        }
        if self.count(|count| count - 1) == 0 {
            self.word().fetch_and(!RECURSED, Ordering::Relaxed);
        }
        true
    }

    /// Changes `mtx_recurse`, which is `lo_data`.
    fn count(&self, change: impl FnOnce(c_uint) -> c_uint) -> c_uint {
        // SAFETY: valid memory (invariant), and this thread holds the mutex, which guards the count.
        let count = unsafe { &mut (*self.0).lock_object.lo_data };
        *count = change(*count);
        *count
    }
}
