//! What the hosted kernel waits with: the standard library's primitives, or shuttle's, so that a model checker decides who
//! runs next.
//!
//! Nothing else in this crate may use `std::sync` locks, condition variables, atomics that are waited for, or threads.

pub use std::sync::atomic;
pub use std::sync::{Condvar, Mutex, MutexGuard};
pub use std::thread;

/// A place where another thread may run; nothing but under the model checker.
pub fn yield_point() {}
