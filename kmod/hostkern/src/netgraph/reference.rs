//! Counted references to nodes and hooks.

use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::report;

/// What is freed with its last reference. Compiled modules count references in place as well.
pub(crate) trait Counted {
    /// What it is, for reports.
    const WHAT: &'static str;

    /// The counter.
    fn references(&self) -> &AtomicU32;

    /// Frees it.
    ///
    /// # Safety
    /// The counter has just been brought to 0 by the caller.
    unsafe fn free(this: NonNull<Self>);
}

/// An address that may be kept by any thread; it keeps nothing alive.
#[derive(Debug)]
pub(crate) struct Address<T>(pub(crate) NonNull<T>);

// SAFETY: an address by itself gives no access.
unsafe impl<T> Send for Address<T> {}

impl<T> Clone for Address<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Address<T> {}
impl<T> PartialEq for Address<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Address<T> {}
impl<T> core::hash::Hash for Address<T> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// One counted reference.
///
/// # Invariants
/// The pointer is valid, and one of the references counted is this value's.
pub(crate) struct Ref<T: Counted>(NonNull<T>);

// SAFETY: references may be used and dropped on any thread; what changes in a node or hook is atomic.
unsafe impl<T: Counted> Send for Ref<T> {}
// SAFETY: as above.
unsafe impl<T: Counted> Sync for Ref<T> {}

impl<T: Counted> Ref<T> {
    /// Takes over a reference that was counted already.
    ///
    /// # Safety
    /// The reference is nobody else's.
    pub(crate) unsafe fn from_counted(pointer: NonNull<T>) -> Self {
        // INVARIANT: the caller gives its reference away.
        Self(pointer)
    }

    /// Counts one more reference, unless the last one is gone: nothing is ever brought back.
    ///
    /// # Safety
    /// The memory is not given back during the call.
    pub(crate) unsafe fn acquire(pointer: NonNull<T>) -> Option<Self> {
        // SAFETY: the memory is there (caller).
        let counter = unsafe { pointer.as_ref() }.references();
        let counted = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count != 0).then(|| count.wrapping_add(1))
        });
        // INVARIANT: counted just now. (Made only if so: the end of a reference is counted, too.)
        counted.ok().map(|_| Self(pointer))
    }

    /// Counts one more reference even if the last one is gone, as FreeBSD's lookups do: what is being freed is then found.
    ///
    /// # Safety
    /// The memory is not given back during the call.
    pub(crate) unsafe fn revive(pointer: NonNull<T>) -> Self {
        // SAFETY: the memory is there (caller).
        unsafe { pointer.as_ref() }.references().fetch_add(1, Ordering::Relaxed);
        // INVARIANT: counted just now.
        Self(pointer)
    }

    /// The address.
    pub(crate) fn address(&self) -> Address<T> {
        Address(self.0)
    }

    /// The pointer, for C; the reference stays with this value.
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }

    /// Gives the reference away, to be taken over by [`Ref::from_counted`].
    pub(crate) fn into_raw(self) -> *mut T {
        let pointer = self.0.as_ptr();
        core::mem::forget(self);
        pointer
    }
}

impl<T: Counted> Deref for Ref<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: our reference keeps it alive (invariant).
        unsafe { self.0.as_ref() }
    }
}

impl<T: Counted> Clone for Ref<T> {
    fn clone(&self) -> Self {
        if self.references().fetch_add(1, Ordering::Relaxed) == 0 {
            report::panic(&format!("a {} is used after its last reference was dropped", T::WHAT));
        }
        // INVARIANT: counted just now.
        Self(self.0)
    }
}

impl<T: Counted> Drop for Ref<T> {
    fn drop(&mut self) {
        match self.references().fetch_sub(1, Ordering::AcqRel) {
            0 => report::panic(&format!("a reference to a {} is dropped twice", T::WHAT)),
            // SAFETY: this was the last reference.
            1 => unsafe { T::free(self.0) },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts, and is never freed.
    struct Thing(AtomicU32);

    impl Counted for Thing {
        const WHAT: &'static str = "thing";

        fn references(&self) -> &AtomicU32 {
            &self.0
        }

        unsafe fn free(_this: NonNull<Self>) {}
    }

    fn acquired(count: u32) -> (bool, u32) {
        let thing = Thing(AtomicU32::new(count));
        // SAFETY: it lives as long as this function.
        let acquired = unsafe { Ref::acquire(NonNull::from(&thing)) };
        (acquired.is_some(), thing.0.load(Ordering::Relaxed))
    }

    #[test]
    fn what_has_no_reference_gets_none_and_loses_none() {
        assert_eq!(acquired(0), (false, 0));
        assert_eq!(acquired(1), (true, 2));
    }
}
