//! `sys/domain.h`.

use core::ffi::{c_char, c_int, c_uint, c_void};

use super::protosw::protosw;
use super::{constants, layout};

/// How many protocols the domain of this crate has: the length of the flexible array at its end.
pub const PROTOCOLS: usize = 2;

#[cfg(not(feature = "freebsd15"))]
const METHODS: usize = 8;
#[cfg(feature = "freebsd15")]
const METHODS: usize = 6;

#[repr(C)]
pub struct domain {
    pub dom_next: *mut domain,
    pub dom_family: c_int,
    pub dom_nprotosw: c_uint,
    pub dom_name: *const c_char,
    pub dom_flags: c_int,
    /// `dom_probe` and what follows it; netgraph uses none.
    pub dom_probe: [*mut c_void; METHODS],
    pub dom_protosw: [*mut protosw; PROTOCOLS],
}
#[cfg(not(feature = "freebsd15"))]
layout!(DOMAIN: domain = "struct domain", prefix;
    dom_next = "dom_next" @ 0, dom_family = "dom_family" @ 8, dom_nprotosw = "dom_nprotosw" @ 12, dom_name = "dom_name" @ 16,
    dom_flags = "dom_flags" @ 24, dom_probe = "dom_probe" @ 32, dom_protosw = "dom_protosw" @ 96);
#[cfg(feature = "freebsd15")]
layout!(DOMAIN: domain = "struct domain", prefix;
    dom_next = "dom_next" @ 0, dom_family = "dom_family" @ 8, dom_nprotosw = "dom_nprotosw" @ 12, dom_name = "dom_name" @ 16,
    dom_flags = "dom_flags" @ 24, dom_probe = "dom_probe" @ 32, dom_protosw = "dom_protosw" @ 80);

constants! {
    PF_NETGRAPH: c_int = 32;
    DOMF_UNLOADABLE: c_int = 4;
}

unsafe extern "C" {
    pub fn domain_add(dp: *mut domain);
    /// Does nothing unless the domain has `DOMF_UNLOADABLE`.
    pub fn domain_remove(dp: *mut domain);
}
