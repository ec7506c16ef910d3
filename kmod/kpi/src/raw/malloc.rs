//! `sys/malloc.h`.

use core::ffi::{c_char, c_int, c_ulong, c_void};

use super::{constants, layout};

#[repr(C)]
pub struct malloc_type {
    pub ks_next: *mut malloc_type,
    pub ks_version: c_ulong,
    pub ks_shortdesc: *const c_char,
    pub ks_mti: [u8; 88],
}
layout!(MALLOC_TYPE: malloc_type = "struct malloc_type", size 112;
    ks_next = "ks_next" @ 0, ks_version = "ks_version" @ 8, ks_shortdesc = "ks_shortdesc" @ 16, ks_mti = "ks_mti" @ 24);

#[cfg(not(feature = "freebsd15"))]
const VERSION: c_ulong = 2020110501;
#[cfg(feature = "freebsd15")]
const VERSION: c_ulong = 2024073001;

constants! {
    M_VERSION: c_ulong = VERSION;
    M_NOWAIT: c_int = 1;
    M_WAITOK: c_int = 2;
    M_ZERO: c_int = 0x100;
}

unsafe extern "C" {
    #[cfg(not(feature = "freebsd15"))]
    pub static mut M_SONAME: [malloc_type; 1];
    pub static mut M_NETGRAPH_MSG: [malloc_type; 1];

    // A program on the host has a malloc(3), a free(3) and a printf(3) of its own.
    #[cfg_attr(not(target_os = "none"), link_name = "hostkern_malloc")]
    pub fn malloc(size: usize, kind: *mut malloc_type, flags: c_int) -> *mut c_void;
    #[cfg_attr(not(target_os = "none"), link_name = "hostkern_free")]
    pub fn free(addr: *mut c_void, kind: *mut malloc_type);
    pub fn malloc_init(kind: *const c_void);
    pub fn malloc_uninit(kind: *const c_void);
}
