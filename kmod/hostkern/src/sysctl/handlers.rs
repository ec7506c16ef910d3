//! `struct sysctl_req`, and the handlers that modules name.

use core::ffi::{c_int, c_void};

use kpi::Errno;
use kpi::raw::sysctl::sysctl_oid;

use crate::socket::errno::{EFAULT, EPERM};

type Copy = unsafe extern "C" fn(*mut sysctl_req, *const c_void, usize) -> c_int;

/// `struct sysctl_req`
#[repr(C)]
#[allow(non_camel_case_types, missing_docs)]
pub struct sysctl_req {
    td: *mut c_void,
    lock: c_int,
    oldptr: *mut u8,
    oldlen: usize,
    oldidx: usize,
    oldfunc: Option<Copy>,
    newptr: *const u8,
    newlen: usize,
    newidx: usize,
    newfunc: Option<Copy>,
    validlen: usize,
    flags: c_int,
}
const _: () = assert!(size_of::<sysctl_req>() == 96);

/// How much a variable may say.
const LONGEST: usize = 64 * 1024;

/// A request and its buffers.
pub(super) struct Request {
    raw: sysctl_req,
    old: Vec<u8>,
    new: Vec<u8>,
}

impl Request {
    /// A request that reads, and writes `new` unless it is empty.
    pub(super) fn new(new: &[u8]) -> Self {
        let raw = sysctl_req {
            td: crate::thread::current().cast(),
            lock: 0,
            oldptr: core::ptr::null_mut(),
            oldlen: LONGEST,
            oldidx: 0,
            oldfunc: Some(SYSCTL_OUT),
            newptr: core::ptr::null(),
            newlen: new.len(),
            newidx: 0,
            newfunc: Some(SYSCTL_IN),
            validlen: LONGEST,
            flags: 0,
        };
        Self {
            raw,
            old: vec![0; LONGEST],
            new: new.to_vec(),
        }
    }

    pub(super) fn as_ptr(&mut self) -> *mut c_void {
        self.raw.oldptr = self.old.as_mut_ptr();
        if !self.new.is_empty() {
            self.raw.newptr = self.new.as_ptr();
        }
        (&raw mut self.raw).cast()
    }

    /// What was read.
    pub(super) fn into_old(mut self) -> Vec<u8> {
        self.old.truncate(self.raw.oldidx);
        self.old
    }
}

/// `req->oldfunc`: adds to what is read.
///
/// # Safety
/// `req` is a request of this part, `from` as long as `length` says.
#[allow(non_snake_case)]
pub unsafe extern "C" fn SYSCTL_OUT(req: *mut sysctl_req, from: *const c_void, length: usize) -> c_int {
    // SAFETY: the caller says so.
    let request = unsafe { &mut *req };
    if length > request.oldlen - request.oldidx {
        return Errno::ENOMEM.get();
    }
    // SAFETY: there is room for it (just checked), in a buffer of ours.
    unsafe { core::ptr::copy_nonoverlapping(from.cast(), request.oldptr.wrapping_add(request.oldidx), length) };
    request.oldidx += length;
    0
}

/// `req->newfunc`: takes the next bytes of what is written.
///
/// # Safety
/// As [`SYSCTL_OUT`]; `to` is as long as `length` says.
#[allow(non_snake_case)]
pub unsafe extern "C" fn SYSCTL_IN(req: *mut sysctl_req, to: *const c_void, length: usize) -> c_int {
    // SAFETY: the caller says so.
    let request = unsafe { &mut *req };
    if length > request.newlen - request.newidx {
        return Errno::EINVAL.get();
    }
    // SAFETY: there are so many bytes (just checked), in a buffer of ours.
    let from = unsafe { request.newptr.add(request.newidx) };
    // SAFETY: the caller vouches for the destination.
    unsafe { core::ptr::copy_nonoverlapping(from, to.cast_mut().cast(), length) };
    request.newidx += length;
    0
}

/// Reads, and then perhaps writes, a variable of `length` bytes.
///
/// # Safety
/// `req` is a request of this part; the variable is so long, or null, and then `constant` is what is read.
unsafe fn handle(variable: *mut c_void, constant: Option<&[u8]>, length: usize, req: *mut c_void) -> c_int {
    let request = req.cast::<sysctl_req>();
    let from = match (variable.is_null(), constant) {
        (false, _) => variable.cast_const(),
        (true, Some(constant)) => constant.as_ptr().cast(),
        (true, None) => return Errno::EINVAL.get(),
    };
    // SAFETY: the caller says so.
    let error = unsafe { SYSCTL_OUT(request, from, length) };
    // SAFETY: as above.
    if error != 0 || unsafe { (*request).newptr.is_null() } {
        return error;
    }
    if variable.is_null() {
        return EPERM;
    }
    // SAFETY: as above.
    unsafe { SYSCTL_IN(request, variable, length) }
}

/// `sysctl_handle_int`: the int behind `arg1`, or the constant `arg2`.
///
/// # Safety
/// As a sysctl handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sysctl_handle_int(
    _: *mut sysctl_oid,
    arg1: *mut c_void,
    arg2: isize,
    req: *mut c_void,
) -> c_int {
    let constant = (arg2 as c_int).to_ne_bytes();
    // SAFETY: the caller says so.
    unsafe { handle(arg1, Some(&constant), 4, req) }
}

/// `sysctl_handle_long`: the long behind `arg1`.
///
/// # Safety
/// As a sysctl handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sysctl_handle_long(
    _: *mut sysctl_oid,
    arg1: *mut c_void,
    _: isize,
    req: *mut c_void,
) -> c_int {
    // SAFETY: the caller says so.
    unsafe { handle(arg1, None, 8, req) }
}

/// `sysctl_handle_64`: the 64 bits behind `arg1`.
///
/// # Safety
/// As a sysctl handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sysctl_handle_64(_: *mut sysctl_oid, arg1: *mut c_void, _: isize, req: *mut c_void) -> c_int {
    // SAFETY: the caller says so.
    unsafe { handle(arg1, None, 8, req) }
}

/// `sysctl_handle_string`: the string in the `arg2` bytes behind `arg1`; constant if `arg2` is 0.
///
/// # Safety
/// As a sysctl handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sysctl_handle_string(
    _: *mut sysctl_oid,
    arg1: *mut c_void,
    arg2: isize,
    req: *mut c_void,
) -> c_int {
    if arg1.is_null() {
        return EFAULT;
    }
    let request = req.cast::<sysctl_req>();
    // SAFETY: the variable is a C string.
    let length = unsafe { core::ffi::CStr::from_ptr(arg1.cast()) }
        .to_bytes_with_nul()
        .len();
    // SAFETY: the caller says so.
    let error = unsafe { SYSCTL_OUT(request, arg1, length) };
    // SAFETY: as above.
    let request = unsafe { &mut *request };
    if error != 0 || request.newptr.is_null() {
        return error;
    }
    let new = request.newlen - request.newidx;
    if arg2 <= 0 || new >= arg2 as usize {
        return Errno::EINVAL.get();
    }
    // SAFETY: the variable has room for one byte more than that (just checked).
    let error = unsafe { SYSCTL_IN(request, arg1, new) };
    // SAFETY: as above.
    unsafe { arg1.cast::<u8>().wrapping_add(new).write(0) };
    error
}
