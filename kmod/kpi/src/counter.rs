//! counter(9): counts that every CPU keeps for itself and that are added up when somebody asks.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::raw::counter as raw;
use crate::raw::malloc::M_WAITOK;

/// A counter in a static.
///
/// # Invariants
/// The pointer is null or a counter of the kernel's, which is not freed while anyone may count.
pub struct Counter(AtomicPtr<u64>);

impl Counter {
    /// Counts nothing before [`Counter::init`].
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// Makes the counter, at 0, from the module's load event. May sleep.
    pub fn init(&'static self) {
        // SAFETY: the load event may sleep, so that there is always memory.
        self.0
            .store(unsafe { raw::counter_u64_alloc(M_WAITOK) }, Ordering::Release);
    }

    /// Frees the counter, when a load failed or the module goes.
    ///
    /// # Safety
    /// No thread counts or reads the counter any more.
    pub unsafe fn destroy(&'static self) {
        if let Some(counter) = NonNull::new(self.0.swap(core::ptr::null_mut(), Ordering::AcqRel)) {
            // SAFETY: init made it, and the caller says that nobody uses it.
            unsafe { raw::counter_u64_free(counter.as_ptr()) }
        }
    }

    /// Counts one.
    pub fn count(&self) {
        if let Some(counter) = NonNull::new(self.0.load(Ordering::Relaxed)) {
            // SAFETY: a live counter of the kernel's (invariant).
            unsafe { add_one(counter) }
        }
    }

    /// Where the kernel finds the counter, for `sysctl_handle_counter_u64`.
    #[must_use]
    pub const fn place(&self) -> *mut *mut u64 {
        self.0.as_ptr()
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

/// `counter_u64_add(counter, 1)`, which C has inline: one instruction, which no preemption can tear apart.
///
/// # Safety
/// `counter` is a live counter of the kernel's.
#[cfg(target_os = "none")]
unsafe fn add_one(counter: NonNull<u64>) {
    // SAFETY: the segment register points to the CPU's own area, from which the counter's offset leads to its cell.
    unsafe {
        core::arch::asm!("inc qword ptr gs:[{}]", in(reg) counter.as_ptr(), options(nostack));
    }
}

/// As above in a program on the host, where a counter is one cell for all threads.
///
/// # Safety
/// `counter` is a live counter of the hosted kernel's.
#[cfg(not(target_os = "none"))]
unsafe fn add_one(counter: NonNull<u64>) {
    // SAFETY: the hosted kernel's counter is an aligned u64 that is only accessed atomically.
    unsafe { core::sync::atomic::AtomicU64::from_ptr(counter.as_ptr()) }.fetch_add(1, Ordering::Relaxed);
}
