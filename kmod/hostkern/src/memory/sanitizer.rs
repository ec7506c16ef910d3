//! Tells the address sanitizer which memory is nobody's, when there is one: in the fuzz targets.
//!
//! Writes are found without it, when a block is freed or forgotten; reads are not.

/// Memory, by address and length.
type Range = (usize, usize);

#[cfg(fuzzing)]
unsafe extern "C" {
    fn __asan_poison_memory_region(start: *const core::ffi::c_void, length: usize);
    fn __asan_unpoison_memory_region(start: *const core::ffi::c_void, length: usize);
}

/// From now on, whoever reads or writes this memory is reported.
#[cfg(fuzzing)]
pub(super) fn hide((start, length): Range) {
    // SAFETY: changes no memory, only what is reported of it.
    unsafe { __asan_poison_memory_region(std::ptr::with_exposed_provenance(start), length) };
}

/// From now on, the memory may be used.
#[cfg(fuzzing)]
pub(super) fn show((start, length): Range) {
    // SAFETY: as in hide.
    unsafe { __asan_unpoison_memory_region(std::ptr::with_exposed_provenance(start), length) };
}

/// There is no sanitizer.
#[cfg(not(fuzzing))]
pub(super) fn hide(_: Range) {}

/// There is no sanitizer.
#[cfg(not(fuzzing))]
pub(super) fn show(_: Range) {}
