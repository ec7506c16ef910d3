//! hashinit(9): tables of lists.

use std::ffi::{c_int, c_ulong, c_void};

use kpi::raw::malloc::{M_NOWAIT, M_WAITOK, malloc_type};

use super::{hostkern_free, hostkern_malloc};
use crate::report;

/// `hashinit_flags` may fail instead of sleeping.
const HASH_NOWAIT: c_int = 1;

/// `LIST_HEAD`: one pointer, null while the list is empty.
type Head = *mut c_void;

/// `hashinit(9)`: sleeps until there is memory.
///
/// # Safety
/// As [`hashinit_flags`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hashinit(elements: c_int, kind: *mut malloc_type, mask: *mut c_ulong) -> *mut c_void {
    // SAFETY: the caller's promises are those of hashinit_flags.
    unsafe { hashinit_flags(elements, kind, mask, 0) }
}

/// `hashinit_flags`: the largest power of two of lists that is not more than `elements`; the number less one goes to
/// `mask`.
///
/// # Safety
/// `kind` is a malloc(9) type, `mask` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hashinit_flags(
    elements: c_int,
    kind: *mut malloc_type,
    mask: *mut c_ulong,
    flags: c_int,
) -> *mut c_void {
    let Some(power) = u32::try_from(elements).ok().and_then(u32::checked_ilog2) else {
        report::panic(&format!("hashinit: {elements} elements"));
    };
    let lists = 1usize << power;
    let wait = if flags & HASH_NOWAIT == 0 { M_WAITOK } else { M_NOWAIT };
    // SAFETY: the caller passes a type.
    let table = unsafe { hostkern_malloc(lists * size_of::<Head>(), kind, wait) };
    if !table.is_null() {
        // SAFETY: just allocated, for as many heads.
        unsafe { table.cast::<Head>().write_bytes(0, lists) };
        // SAFETY: the caller passes a variable.
        unsafe { mask.write(lists as c_ulong - 1) };
    }
    table
}

/// `hashdestroy(9)`: frees a table, whose lists should be empty. FreeBSD asserts that, and modules compiled without
/// `INVARIANTS` leave the lists of a table that they have outgrown as they are.
///
/// # Safety
/// `table` and `mask` come from one call of [`hashinit_flags`] with this type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hashdestroy(table: *mut c_void, kind: *mut malloc_type, mask: c_ulong) {
    for list in 0..=mask as usize {
        // SAFETY: the table has mask + 1 heads, as the caller says.
        let first = unsafe { table.cast::<Head>().wrapping_add(list).read() };
        if !first.is_null() {
            report::failed_assertion(&format!("hashdestroy: list {list} is not empty"));
            break;
        }
    }
    // SAFETY: the caller gives the table up.
    unsafe { hostkern_free(table, kind) }
}
