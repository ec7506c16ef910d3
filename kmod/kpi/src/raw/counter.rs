//! `sys/counter.h`, `amd64/include/counter.h`.

use core::ffi::c_int;

unsafe extern "C" {
    /// Returns the offset of the counter from the per-CPU area, not its address; null only if `flags` has `M_NOWAIT`.
    pub fn counter_u64_alloc(flags: c_int) -> *mut u64;
    pub fn counter_u64_free(c: *mut u64);
}
