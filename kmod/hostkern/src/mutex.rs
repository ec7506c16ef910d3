//! mutex(9), on the lock word that compiled modules change inline as well.

use kpi::raw::mutex::mtx;
use std::ffi::CStr;

/// Initialises a default mutex.
///
/// # Safety
/// `mutex` is valid memory that stays in place until it is destroyed.
pub unsafe fn init(_mutex: *mut mtx, _name: &'static CStr) {
    todo!()
}

/// Destroys a mutex; panics if it is held or not initialised.
///
/// # Safety
/// `mutex` was initialised.
pub unsafe fn destroy(_mutex: *mut mtx) {
    todo!()
}

/// Takes a mutex; panics if this thread has it already.
///
/// # Safety
/// `mutex` was initialised and not destroyed.
pub unsafe fn lock(_mutex: *mut mtx) {
    todo!()
}

/// Gives a mutex up; panics if this thread does not have it.
///
/// # Safety
/// As [`lock`].
pub unsafe fn unlock(_mutex: *mut mtx) {
    todo!()
}

/// Whether this thread has the mutex.
///
/// # Safety
/// As [`lock`].
pub unsafe fn is_owned(_mutex: *mut mtx) -> bool {
    todo!()
}
