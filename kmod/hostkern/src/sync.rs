//! What the hosted kernel waits with: the standard library's primitives, or under the feature `shuttle` those of [`model`],
//! so that a model checker decides who runs next.
//!
//! Nothing else in this crate may use `std::sync` locks, condition variables, atomics that are waited for, or threads.

#[cfg(feature = "shuttle")]
mod model;

pub use std::sync::atomic;

#[cfg(feature = "shuttle")]
pub use model::{Condvar, Mutex, MutexGuard, now, yield_point};
#[cfg(feature = "shuttle")]
pub use shuttle::{thread, thread_local};
#[cfg(not(feature = "shuttle"))]
pub use std::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(feature = "shuttle"))]
pub use std::{thread, thread_local};

use std::sync::PoisonError;

/// Locks a mutex of the hosted kernel's own. A thread that panicked with it held was a test that failed: others go on.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time; under the model checker it passes only while every thread waits for it.
#[cfg(not(feature = "shuttle"))]
#[must_use]
pub fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// A place where another thread may run; nothing but under the model checker.
#[cfg(not(feature = "shuttle"))]
pub fn yield_point() {}

/// [`yield_point`] for the native module: kpi calls it at each look at what a mutex guards (its feature `model`).
#[cfg(feature = "shuttle")]
#[unsafe(no_mangle)]
pub extern "C" fn hostkern_yield() {
    yield_point();
}
