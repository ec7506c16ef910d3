//! `sys/mbuf.h`.

use core::ffi::{c_char, c_int, c_void};

use super::{constants, layout};

/// The head of an mbuf; its data area follows.
#[repr(C)]
pub struct mbuf {
    pub m_next: *mut mbuf,
    pub m_nextpkt: *mut mbuf,
    pub m_data: *mut c_char,
    pub m_len: i32,
    /// `m_type:8` in the low byte, `m_flags:24` above it.
    pub m_type_flags: u32,
    pub m_dat: [u8; 224],
}
layout!(MBUF: mbuf = "struct mbuf", size 256;
    m_next = "m_next" @ 0, m_nextpkt = "m_nextpkt" @ 8, m_data = "m_data" @ 16, m_len = "m_len" @ 24, m_dat = "m_dat" @ 32);

constants! {
    M_PKTHDR: u32 = 2;
}

/// How far `m_flags` is shifted in [`mbuf::m_type_flags`].
pub const M_FLAGS_SHIFT: u32 = 8;

unsafe extern "C" {
    pub fn m_copydata(m: *const mbuf, off: c_int, len: c_int, cp: *mut c_char);
    pub fn m_devget(
        buf: *mut c_char,
        totlen: c_int,
        off: c_int,
        ifp: *mut c_void,
        copy: Option<unsafe extern "C" fn(*mut c_char, *mut c_char, u32)>,
    ) -> *mut mbuf;
    pub fn m_freem(m: *mut mbuf);
}
