//! Memory from malloc(9): owned, shared, and arrays. Every allocation can fail, and says so.

use core::ffi::c_char;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence};

use crate::errno::{Errno, Result};
use crate::raw::malloc as raw;
use crate::shared::SyncCell;

/// Whether an allocation may sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// `M_WAITOK`: sleeps until there is memory; never with a mutex held or inside an epoch.
    Sleep,
    /// `M_NOWAIT`: fails at once when there is none.
    Never,
}

impl Wait {
    const fn flags(self) -> core::ffi::c_int {
        match self {
            Self::Sleep => raw::M_WAITOK,
            Self::Never => raw::M_NOWAIT,
        }
    }
}

/// The malloc(9) type everything of this module is accounted under; `vmstat -m` shows it as `netgraph_sock`.
///
/// The module registers it before it allocates (`malloc_init`) and unregisters it when it goes.
pub static MEMORY: SyncCell<raw::malloc_type> = SyncCell::new(raw::malloc_type {
    ks_next: core::ptr::null_mut(),
    ks_version: raw::M_VERSION,
    ks_shortdesc: c"netgraph_sock".as_ptr().cast::<c_char>(),
    ks_mti: [0; 88],
});

/// Allocates room for a `T`, uninitialised.
fn allocate<T>(count: usize, wait: Wait) -> Result<NonNull<T>> {
    const { assert!(align_of::<T>() <= 16, "malloc(9) promises no more") };
    let size = count.checked_mul(size_of::<T>()).ok_or(Errno::ENOMEM)?;
    // SAFETY: MEMORY is registered from the first sysinit of the module until its last sysuninit, and the caller may
    // sleep if it says so.
    let memory = unsafe { raw::malloc(size, MEMORY.get(), wait.flags()) };
    NonNull::new(memory.cast()).ok_or(Errno::ENOMEM)
}

/// Gives back what [`allocate`] returned.
///
/// # Safety
/// `memory` comes from [`allocate`], its values have been dropped, and nobody uses it any more.
unsafe fn release<T>(memory: NonNull<T>) {
    // SAFETY: the caller hands over an allocation of this type of memory.
    unsafe { raw::free(memory.as_ptr().cast(), MEMORY.get()) }
}

/// One value on the heap.
///
/// # Invariants
/// The pointer comes from [`allocate`], is initialised, and belongs to this value alone.
pub struct KBox<T>(NonNull<T>);

// SAFETY: a KBox owns its value as the value's own variable would.
unsafe impl<T: Send> Send for KBox<T> {}
// SAFETY: as above: sharing the box shares the value.
unsafe impl<T: Sync> Sync for KBox<T> {}

impl<T> KBox<T> {
    /// Moves `value` to the heap.
    ///
    /// # Errors
    /// `ENOMEM`: there is no memory, and `wait` forbids to sleep. `value` is dropped.
    pub fn new(value: T, wait: Wait) -> Result<Self> {
        let memory = allocate::<T>(1, wait)?;
        // SAFETY: the memory is big enough, aligned, and nobody else's.
        unsafe { memory.write(value) };
        // INVARIANT: just allocated and initialised.
        Ok(Self(memory))
    }

    /// Leaves the value to a pointer, for C to keep.
    pub fn into_raw(self) -> NonNull<T> {
        let memory = self.0;
        core::mem::forget(self);
        memory
    }

    /// Takes a value back from C.
    ///
    /// # Safety
    /// `memory` comes from [`KBox::into_raw`] and is not used again.
    pub unsafe fn from_raw(memory: NonNull<T>) -> Self {
        // INVARIANT: into_raw gave up this very ownership.
        Self(memory)
    }

    /// Takes the value off the heap.
    pub fn into_inner(self) -> T {
        let memory = self.into_raw();
        // SAFETY: the pointer is initialised (invariant) and the box is gone, so that the value moves out once.
        let value = unsafe { memory.read() };
        // SAFETY: the value has been moved out and the box was the only owner.
        unsafe { release(memory) };
        value
    }
}

impl<T> Deref for KBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: initialised, owned by self (invariant), borrowed as long as self is.
        unsafe { self.0.as_ref() }
    }
}

impl<T> core::ops::DerefMut for KBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and self is borrowed exclusively.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for KBox<T> {
    fn drop(&mut self) {
        // SAFETY: initialised and owned (invariant); dropped once, here.
        unsafe { self.0.drop_in_place() };
        // SAFETY: the value is dropped and nobody else has the pointer (invariant).
        unsafe { release(self.0) };
    }
}

/// A fixed number of values on the heap.
///
/// # Invariants
/// The pointer comes from [`allocate`] with room for `len` values, all initialised, and belongs to this value alone; or
/// `len` is 0.
pub struct KArray<T> {
    memory: NonNull<T>,
    len: usize,
}

// SAFETY: a KArray owns its values as an array would.
unsafe impl<T: Send> Send for KArray<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for KArray<T> {}

impl<T: Default> KArray<T> {
    /// No values, and no memory.
    // INVARIANT: an array of no values needs an aligned pointer only, and drop knows that there is nothing to free.
    pub const EMPTY: Self = Self {
        memory: NonNull::dangling(),
        len: 0,
    };

    /// `len` default values.
    ///
    /// # Errors
    /// `ENOMEM`: there is no memory, and `wait` forbids to sleep.
    pub fn new(len: usize, wait: Wait) -> Result<Self> {
        if len == 0 {
            return Ok(Self::EMPTY);
        }
        let memory = allocate::<T>(len, wait)?;
        for index in 0..len {
            // SAFETY: index < len, so that the place lies in the allocation.
            let place = unsafe { memory.add(index) };
            // SAFETY: the place is aligned, unused and ours.
            unsafe { place.write(T::default()) };
        }
        // INVARIANT: allocated for len values, all written.
        Ok(Self { memory, len })
    }

    /// The values.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: len initialised values (invariant), borrowed exclusively with self.
        unsafe { core::slice::from_raw_parts_mut(self.memory.as_ptr(), self.len) }
    }

    /// The values.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: len initialised values (invariant), borrowed with self.
        unsafe { core::slice::from_raw_parts(self.memory.as_ptr(), self.len) }
    }
}

impl<T> Drop for KArray<T> {
    fn drop(&mut self) {
        if self.len == 0 {
            return;
        }
        let values = core::ptr::slice_from_raw_parts_mut(self.memory.as_ptr(), self.len);
        // SAFETY: initialised and owned (invariant); dropped once, here.
        unsafe { values.drop_in_place() };
        // SAFETY: the values are dropped and nobody else has the pointer (invariant).
        unsafe { release(self.memory) };
    }
}

struct Counted<T> {
    references: AtomicUsize,
    value: T,
}

/// A shared value on the heap; the last owner drops it.
///
/// # Invariants
/// The pointer comes from [`allocate`]; the value is initialised as long as the count is not 0, and each `Arc` (and each
/// pointer made by [`Arc::into_raw`]) stands for one count.
pub struct Arc<T>(NonNull<Counted<T>>);

// SAFETY: owners on several threads share the value (Sync), and any of them may be the one that drops it (Send).
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}

/// What has to be done once a value lies where it stays: an [`Arc`] does it before anyone shares the value.
pub trait Settle {
    /// Called once, before the value is used.
    fn settle(&self);
}

impl<T: Settle> Arc<T> {
    /// Moves `value` to the heap, with one owner, and settles it there.
    ///
    /// # Errors
    /// `ENOMEM`: there is no memory, and `wait` forbids to sleep. `value` is dropped.
    pub fn new(value: T, wait: Wait) -> Result<Self> {
        let counted = KBox::new(
            Counted {
                references: AtomicUsize::new(1),
                value,
            },
            wait,
        )?;
        counted.value.settle();
        // INVARIANT: the count of one is this Arc's.
        Ok(Self(counted.into_raw()))
    }
}

impl<T> Arc<T> {
    /// Leaves this owner's count to a pointer, for C to keep.
    pub fn into_raw(self) -> NonNull<()> {
        let pointer = self.0.cast();
        core::mem::forget(self);
        pointer
    }

    /// Takes a count back from C.
    ///
    /// # Safety
    /// `pointer` comes from [`Arc::into_raw`] of the same `T`, and its count has not been taken back before.
    pub unsafe fn from_raw(pointer: NonNull<()>) -> Self {
        // INVARIANT: the pointer's count becomes this Arc's.
        Self(pointer.cast())
    }

    /// Looks at a value whose count C keeps.
    ///
    /// # Safety
    /// `pointer` comes from [`Arc::into_raw`] of the same `T`, and its count is not given up while `'a` lasts.
    pub unsafe fn borrow_raw<'a>(pointer: NonNull<()>) -> &'a T {
        // SAFETY: the count that stands behind the pointer keeps the value alive for 'a (caller).
        let counted = unsafe { pointer.cast::<Counted<T>>().as_ref() };
        &counted.value
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: this Arc's count keeps the allocation alive (invariant).
        unsafe { self.0.as_ref() }
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        // Relaxed: whoever has an Arc to clone already sees the value.
        self.counted().references.fetch_add(1, Ordering::Relaxed);
        // INVARIANT: the count just added.
        Self(self.0)
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.counted().value
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        if self.counted().references.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            // SAFETY: the count was the last (invariant), so that the allocation has no other user; it came from
            // KBox::into_raw.
            drop(unsafe { KBox::from_raw(self.0) });
        }
    }
}

/// A place for an [`Arc`] that is filled once and read without a lock.
///
/// # Invariants
/// The pointer is null or comes from [`Arc::into_raw`], and does not change until drop once it is not null.
pub struct OnceArc<T> {
    pointer: AtomicPtr<()>,
    value: core::marker::PhantomData<Arc<T>>,
}

impl<T: Send + Sync> OnceArc<T> {
    /// An empty place.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pointer: AtomicPtr::new(core::ptr::null_mut()),
            value: core::marker::PhantomData,
        }
    }

    /// Fills the place.
    ///
    /// # Errors
    /// It is filled already; the value comes back.
    pub fn set(&self, value: Arc<T>) -> core::result::Result<(), Arc<T>> {
        let pointer = value.into_raw();
        let null = core::ptr::null_mut();
        match self
            .pointer
            .compare_exchange(null, pointer.as_ptr(), Ordering::Release, Ordering::Relaxed)
        {
            // INVARIANT: set from null to an Arc's pointer.
            Ok(_) => Ok(()),
            // SAFETY: the exchange failed, so that the count is still ours.
            Err(_) => Err(unsafe { Arc::from_raw(pointer) }),
        }
    }

    /// What is in the place.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        let pointer = NonNull::new(self.pointer.load(Ordering::Acquire))?;
        // SAFETY: an Arc's count lies behind the pointer and stays there as long as self does (invariant).
        Some(unsafe { Arc::borrow_raw(pointer) })
    }
}

impl<T: Send + Sync> Default for OnceArc<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for OnceArc<T> {
    fn drop(&mut self) {
        if let Some(pointer) = NonNull::new(*self.pointer.get_mut()) {
            // SAFETY: the place owns the count (invariant) and is gone after this.
            drop(unsafe { Arc::<T>::from_raw(pointer) });
        }
    }
}
