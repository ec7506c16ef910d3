//! Where a part of the kernel keeps its state, from boot to halt.
//!
//! Each part has a `static STATE: Slot<State>`, a `boot` that fills it and a `halt` that empties it and says what was left
//! over, in words. `Kernel` calls them in the order of the layers, and back.

use std::sync::atomic::{AtomicPtr, Ordering};

use crate::sync::Mutex;

/// Whose turn it is to have a kernel in this process.
pub(crate) static TURN: Mutex<()> = Mutex::new(());

/// A place that is filled while a kernel runs.
///
/// # Invariants
/// The pointer is null or a leaked box; it is emptied only when no thread is in the kernel any more.
pub(crate) struct Slot<T>(AtomicPtr<T>);

impl<T> Slot<T> {
    /// An empty place.
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// Fills the place; a value that is there already is a mistake of the caller.
    pub(crate) fn fill(&self, value: T) {
        let old = self.0.swap(Box::into_raw(Box::new(value)), Ordering::AcqRel);
        assert!(old.is_null(), "a hosted kernel is running already");
    }

    /// The value.
    pub(crate) fn get(&'static self) -> &'static T {
        self.try_get()
            .expect("no hosted kernel is running: Kernel::boot comes first")
    }

    /// The value, while a kernel runs.
    pub(crate) fn try_get(&'static self) -> Option<&'static T> {
        // SAFETY: null or a box that stays until the kernel is taken down, when no thread is in it (invariant).
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// Empties the place, when no thread is in the kernel any more.
    pub(crate) fn empty(&self) -> Option<Box<T>> {
        let old = self.0.swap(std::ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: a non-null pointer is a box that fill leaked (invariant), and the swap let one caller have it.
        (!old.is_null()).then(|| unsafe { Box::from_raw(old) })
    }
}
