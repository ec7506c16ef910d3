//! Linker sets: `sys/linker_set.h`.

use core::ffi::c_void;

use kpi::shared::SyncCell;

/// What a module's file consists of, once it is in memory.
pub trait Object: Send {
    /// The linker set in the section of this name, such as `set_sysinit_set`; an empty one if there is none.
    fn set(&self, name: &str) -> LinkerSet;

    /// The module is unloaded: from now on nobody may use its memory.
    fn retire(&mut self);
}

/// Pointers to structures, in the module's memory.
#[derive(Debug, Clone, Copy)]
pub struct LinkerSet {
    first: *mut *mut c_void,
    length: usize,
}

impl LinkerSet {
    /// A set of `length` pointers from `first` on, which may be null if there are none.
    #[must_use]
    pub fn new(first: *mut *mut c_void, length: usize) -> Self {
        Self { first, length }
    }

    /// A set in a static.
    #[must_use]
    pub fn of<const N: usize>(set: &'static SyncCell<[*mut c_void; N]>) -> Self {
        Self::new(set.get().cast(), N)
    }

    /// The members.
    ///
    /// # Safety
    /// The set's memory is there, and its members lead to a `T` each, or are used as addresses only.
    pub(crate) unsafe fn entries<T>(&self) -> Vec<*mut T> {
        // SAFETY: the caller says so.
        unsafe { self.entries_mut::<T>() }.to_vec()
    }

    /// The members, in their place.
    ///
    /// # Safety
    /// As [`LinkerSet::entries`]; nobody else uses the set while the reference is used.
    pub(crate) unsafe fn entries_mut<'a, T>(&self) -> &'a mut [*mut T] {
        if self.length == 0 {
            return &mut [];
        }
        // SAFETY: `length` pointers (the maker of the set says so), which nobody else uses (caller).
        unsafe { core::slice::from_raw_parts_mut(self.first.cast(), self.length) }
    }
}
