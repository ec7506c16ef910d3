//! `sys/sysctl.h`.

use core::ffi::{c_char, c_int, c_uint, c_void};

use super::{constants, layout};

/// `int (*)(SYSCTL_HANDLER_ARGS)`
pub type sysctl_handler = unsafe extern "C" fn(*mut sysctl_oid, *mut c_void, isize, *mut c_void) -> c_int;

#[repr(C)]
pub struct sysctl_oid {
    pub oid_children: *mut c_void,
    pub oid_parent: *mut c_void,
    pub oid_link: [usize; 3],
    pub oid_number: c_int,
    pub oid_kind: c_uint,
    pub oid_arg1: *mut c_void,
    pub oid_arg2: isize,
    pub oid_name: *const c_char,
    pub oid_handler: Option<sysctl_handler>,
    pub oid_fmt: *const c_char,
    pub oid_refcnt: c_int,
    pub oid_running: c_uint,
    pub oid_descr: *const c_char,
    pub oid_label: *const c_char,
}
layout!(SYSCTL_OID: sysctl_oid = "struct sysctl_oid", size 112;
    oid_children = "oid_children" @ 0, oid_parent = "oid_parent" @ 8, oid_link = "oid_link" @ 16,
    oid_number = "oid_number" @ 40, oid_kind = "oid_kind" @ 44, oid_arg1 = "oid_arg1" @ 48, oid_arg2 = "oid_arg2" @ 56,
    oid_name = "oid_name" @ 64, oid_handler = "oid_handler" @ 72, oid_fmt = "oid_fmt" @ 80, oid_refcnt = "oid_refcnt" @ 88,
    oid_running = "oid_running" @ 92, oid_descr = "oid_descr" @ 96, oid_label = "oid_label" @ 104);

constants! {
    OID_AUTO: c_int = -1;
    CTLTYPE_NODE: c_uint = 1;
    CTLTYPE_INT: c_uint = 2;
    CTLTYPE_ULONG: c_uint = 8;
    CTLTYPE_U64: c_uint = 9;
    CTLFLAG_RD: c_uint = 0x8000_0000;
    CTLFLAG_RW: c_uint = 0xc000_0000;
    CTLFLAG_MPSAFE: c_uint = 0x4_0000;
    CTLFLAG_STATS: c_uint = 0x2000;
}

unsafe extern "C" {
    /// `net.graph`; its list of children is its first member.
    pub static mut sysctl___net_graph: sysctl_oid;

    pub fn sysctl_handle_int(oidp: *mut sysctl_oid, arg1: *mut c_void, arg2: isize, req: *mut c_void) -> c_int;
    pub fn sysctl_handle_counter_u64(oidp: *mut sysctl_oid, arg1: *mut c_void, arg2: isize, req: *mut c_void) -> c_int;
    pub fn sysctl_handle_long(oidp: *mut sysctl_oid, arg1: *mut c_void, arg2: isize, req: *mut c_void) -> c_int;
}
