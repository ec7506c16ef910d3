//! malloc(9) and uma(9): every allocation is guarded and accounted for.

use core::ffi::{c_int, c_void};
use kpi::raw::malloc::malloc_type;

/// What the kernel itself allocates, other than by malloc(9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Zone {
    Node,
    Hook,
    Item,
    Socket,
    Mbuf,
    Cluster,
    Thread,
}

/// What is in use under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The short description of a malloc(9) type, or the name of a zone.
    pub name: String,
    /// Allocations that have not been freed.
    pub live: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Allocations so far.
    pub total: u64,
}

/// Allocates zeroed memory from a zone; null only if `may_sleep` is false, or a fault is armed.
pub fn allocate(_zone: Zone, _size: usize, _may_sleep: bool) -> *mut u8 {
    todo!()
}

/// Gives memory back.
///
/// # Safety
/// `memory` comes from [`allocate`] of the same zone and is not used any more. (What is not so is reported.)
pub unsafe fn release(_zone: Zone, _memory: *mut u8) {
    todo!()
}

/// What is in use, by name.
pub fn usage() -> Vec<Usage> {
    todo!()
}

/// `malloc(9)`
///
/// # Safety
/// As malloc(9).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hostkern_malloc(_size: usize, _kind: *mut malloc_type, _flags: c_int) -> *mut c_void {
    todo!()
}

/// `free(9)`
///
/// # Safety
/// As free(9).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hostkern_free(_memory: *mut c_void, _kind: *mut malloc_type) {
    todo!()
}
