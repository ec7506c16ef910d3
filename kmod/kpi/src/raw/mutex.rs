//! `sys/_lock.h`, `sys/_mutex.h`, `sys/mutex.h`: mutexes as a module sees them (`LOCK_DEBUG`, so nothing is inlined).

use core::ffi::{c_char, c_int, c_uint, c_void};

use super::{constants, layout};

#[repr(C)]
pub struct lock_object {
    pub lo_name: *const c_char,
    pub lo_flags: c_uint,
    pub lo_data: c_uint,
    pub lo_witness: *mut c_void,
}
layout!(LOCK_OBJECT: lock_object = "struct lock_object", size 24;
    lo_name = "lo_name" @ 0, lo_flags = "lo_flags" @ 8, lo_data = "lo_data" @ 12, lo_witness = "lo_witness" @ 16);

#[repr(C)]
pub struct mtx {
    pub lock_object: lock_object,
    pub mtx_lock: usize,
}
layout!(MTX: mtx = "struct mtx", size 32; lock_object = "lock_object" @ 0, mtx_lock = "mtx_lock" @ 24);

constants! {
    MTX_DEF: c_int = 0;
}

unsafe extern "C" {
    /// The first argument of this family is the address of `mtx.mtx_lock`, not of the mutex.
    pub fn _mtx_init(c: *mut usize, name: *const c_char, kind: *const c_char, opts: c_int);
    pub fn _mtx_destroy(c: *mut usize);
    pub fn __mtx_lock_flags(c: *mut usize, opts: c_int, file: *const c_char, line: c_int);
    pub fn __mtx_unlock_flags(c: *mut usize, opts: c_int, file: *const c_char, line: c_int);
}
