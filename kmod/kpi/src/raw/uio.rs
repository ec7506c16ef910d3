//! `sys/uio.h`.

use core::ffi::{c_int, c_void};

use super::layout;

#[repr(C)]
pub struct uio {
    pub uio_iov: *mut c_void,
    pub uio_iovcnt: c_int,
    pub uio_offset: i64,
    pub uio_resid: isize,
    pub uio_segflg: c_int,
    pub uio_rw: c_int,
    pub uio_td: *mut c_void,
}
layout!(UIO: uio = "struct uio", size 48;
    uio_iov = "uio_iov" @ 0, uio_iovcnt = "uio_iovcnt" @ 8, uio_offset = "uio_offset" @ 16, uio_resid = "uio_resid" @ 24,
    uio_segflg = "uio_segflg" @ 32, uio_rw = "uio_rw" @ 36, uio_td = "uio_td" @ 40);
