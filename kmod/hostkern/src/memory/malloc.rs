//! malloc(9): memory by type.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_int, c_ulong, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use kpi::raw::malloc::{M_NOWAIT, M_VERSION, M_WAITOK, M_ZERO, malloc_type};

use super::{Content, Owner, STATE, allocate_as, release_as};
use crate::report::{self, lossy};
use crate::sync::lock;

/// A malloc(9) type of the kernel's own.
const fn own(short: &'static CStr) -> [malloc_type; 1] {
    [malloc_type {
        ks_next: std::ptr::null_mut(),
        ks_version: M_VERSION,
        ks_shortdesc: short.as_ptr(),
        ks_mti: [0; 88],
    }]
}

/// Netgraph messages.
#[unsafe(no_mangle)]
pub static mut M_NETGRAPH_MSG: [malloc_type; 1] = own(c"netgraph_msg");
/// Names of sockets.
#[unsafe(no_mangle)]
pub static mut M_SONAME: [malloc_type; 1] = own(c"soname");
/// Protocol control blocks.
#[unsafe(no_mangle)]
pub static mut M_PCB: [malloc_type; 1] = own(c"pcb");
/// Whatever has no type of its own.
#[unsafe(no_mangle)]
pub static mut M_TEMP: [malloc_type; 1] = own(c"temp");

/// The kernel's own types, which need no malloc_init.
pub(super) fn own_types() -> BTreeMap<usize, Arc<str>> {
    let types = [
        ((&raw const M_NETGRAPH_MSG).addr(), "netgraph_msg"),
        ((&raw const M_SONAME).addr(), "soname"),
        ((&raw const M_PCB).addr(), "pcb"),
        ((&raw const M_TEMP).addr(), "temp"),
    ];
    types
        .into_iter()
        .map(|(address, name)| (address, Arc::from(name)))
        .collect()
}

/// Says that what lies at `copy` is as good as the kernel's type at `original`: a module has a copy of what is beyond its
/// reach. Does nothing if the original is no type.
pub(crate) fn add_type_copy(original: usize, copy: usize) {
    let mut types = lock(&STATE.get().types);
    if let Some(name) = types.get(&original).cloned() {
        types.insert(copy, name);
    }
}

/// What accounts for memory of this type; panics if it is not registered.
fn owner(kind: *mut malloc_type, what: &str) -> Owner {
    match lock(&STATE.get().types).get(&kind.addr()) {
        Some(name) => Owner::Type(Arc::clone(name)),
        None => report::panic(&format!(
            "{what}: the type at {kind:p} is not registered by malloc_init"
        )),
    }
}

/// `malloc(9)`
///
/// # Safety
/// As malloc(9).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hostkern_malloc(size: usize, kind: *mut malloc_type, flags: c_int) -> *mut c_void {
    let owner = owner(kind, "malloc");
    let may_sleep = match flags & (M_NOWAIT | M_WAITOK) {
        M_NOWAIT => false,
        M_WAITOK => true,
        _ => report::panic(&format!(
            "malloc of {owner} with flags {flags:#x}: neither or both of M_NOWAIT, M_WAITOK"
        )),
    };
    let content = if flags & M_ZERO == 0 {
        Content::Garbage
    } else {
        Content::Zeros
    };
    allocate_as(owner, size, may_sleep, content).cast()
}

/// `free(9)`
///
/// # Safety
/// As free(9). (What is not so is reported.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hostkern_free(memory: *mut c_void, kind: *mut malloc_type) {
    let owner = owner(kind, "free");
    if !memory.is_null() {
        release_as(&owner, memory.cast());
    }
}

/// `malloc_init`: registers a type.
///
/// # Safety
/// `kind` is a `struct malloc_type` that stays until [`malloc_uninit`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_init(kind: *const c_void) {
    let kind = kind.cast::<malloc_type>();
    // SAFETY: the caller passes a type.
    let (version, name) = unsafe { version_and_name(kind) };
    let expected = STATE.get().expected_version.load(Ordering::Relaxed);
    if expected != 0 && version != expected {
        report::panic(&format!(
            "malloc_init: type {name} has version {version}, this kernel's is {expected}"
        ));
    }
    let before = lock(&STATE.get().types).insert(kind.addr(), Arc::from(name.as_str()));
    if before.is_some() {
        report::panic(&format!("malloc_init: type {name} is registered already"));
    }
}

/// # Safety
/// `kind` is a `struct malloc_type`.
unsafe fn version_and_name(kind: *const malloc_type) -> (c_ulong, String) {
    // SAFETY: the caller's promise; nobody writes a type before it is registered.
    let kind = unsafe { &*kind };
    // SAFETY: a type has a C string.
    (kind.ks_version, unsafe { lossy(kind.ks_shortdesc) }.into_owned())
}

/// `malloc_uninit`: a type's memory should be free by now; what is not is noted, as FreeBSD does, and stays on record.
///
/// # Safety
/// `kind` is compared only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_uninit(kind: *const c_void) {
    let state = STATE.get();
    let Some(name) = lock(&state.types).remove(&kind.addr()) else {
        report::panic(&format!("malloc_uninit: the type at {kind:p} is not registered"));
    };
    let (live, bytes) = lock(&state.table).live(&Owner::Type(Arc::clone(&name)));
    if live > 0 {
        report::note(&format!(
            "malloc_uninit: {live} allocations of {name}, {bytes} bytes, are not freed"
        ));
    }
}
