//! What the hosted kernel waits with: the standard library's primitives, or shuttle's, so that a model checker decides who
//! runs next.
//!
//! Nothing else in this crate may use `std::sync` locks, condition variables, atomics that are waited for, or threads.

pub use std::sync::atomic;
pub use std::sync::{Condvar, Mutex, MutexGuard};
pub use std::{thread, thread_local};

use std::sync::PoisonError;

/// Locks a mutex of the hosted kernel's own. A thread that panicked with it held was a test that failed: others go on.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place where another thread may run; nothing but under the model checker.
pub fn yield_point() {}
