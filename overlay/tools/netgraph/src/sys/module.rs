//! Kernel modules.

use std::ffi::CStr;

#[cfg(target_os = "freebsd")]
use libc::c_int;

#[cfg(target_os = "freebsd")]
use super::checked;
use crate::errno::Errno;

/// kldload(2).
#[cfg(target_os = "freebsd")]
pub fn load_module(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the declaration is that of sys/linker.h, where the function has been the same since FreeBSD 3.
    unsafe extern "C" {
        fn kldload(file: *const libc::c_char) -> c_int;
    }
    // SAFETY: the kernel reads a zero-terminated string, which a `CStr` is, borrowed for the length of the call.
    checked(unsafe { kldload(name.as_ptr()) }).map(drop)
}

/// No other system loads FreeBSD's modules.
#[cfg(not(target_os = "freebsd"))]
pub fn load_module(_: &CStr) -> Result<(), Errno> {
    Err(Errno::EAFNOSUPPORT)
}
