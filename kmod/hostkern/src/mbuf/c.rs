//! The C functions.

use std::ffi::{c_char, c_int, c_void};

use kpi::raw::mbuf::mbuf;

use super::buffer::Buffer;
use super::{build, copy_data, free, unsigned};

/// The most that a packet may begin behind the beginning of its first mbuf.
const MAX_OFFSET: c_int = 160;

/// The function that m_devget has copy instead of it.
type Copy = unsafe extern "C" fn(*mut c_char, *mut c_char, u32);

/// `m_devget(9)`: a packet of the bytes at `buf`; null if there are none, too, and when a fault strikes.
///
/// # Safety
/// `buf` has `totlen` bytes; `copy`, if not null, copies so many from its first argument to its second.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn m_devget(
    buf: *mut c_char,
    totlen: c_int,
    off: c_int,
    ifp: *mut c_void,
    copy: Option<Copy>,
) -> *mut mbuf {
    if totlen <= 0 || !(0..=MAX_OFFSET).contains(&off) {
        return std::ptr::null_mut();
    }
    let length = unsigned(totlen, "m_devget");
    let mut bytes = vec![0u8; length];
    match copy {
        // SAFETY: both have `totlen` bytes.
        Some(copy) => unsafe { copy(buf, bytes.as_mut_ptr().cast(), length as u32) },
        // SAFETY: as above; the vector is ours.
        None => unsafe { bytes.as_mut_ptr().copy_from_nonoverlapping(buf.cast(), length) },
    }
    let Some(mut packet) = build(&bytes, unsigned(off, "m_devget")) else {
        return std::ptr::null_mut();
    };
    packet.set_interface(ifp);
    packet.into_raw()
}

/// `m_copydata(9)`
///
/// # Safety
/// `m` is a valid chain; `cp` has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn m_copydata(m: *const mbuf, off: c_int, len: c_int, cp: *mut c_char) {
    let length = unsigned(len, "m_copydata: length");
    let offset = unsigned(off, "m_copydata: offset");
    let mut bytes = vec![0u8; length];
    // SAFETY: the caller vouches for the chain.
    unsafe { copy_data(m, offset, &mut bytes) };
    // SAFETY: the caller's buffer has room for as many.
    unsafe { cp.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), length) };
}

/// `m_free(9)`: frees one mbuf, and returns the next.
///
/// # Safety
/// `m` is a valid mbuf that nobody uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn m_free(m: *mut mbuf) -> *mut mbuf {
    // SAFETY: the caller gives the mbuf up.
    let Some(buffer) = (unsafe { Buffer::at(m) }) else {
        return m;
    };
    let next = buffer.next().cast_mut();
    buffer.release();
    next
}

/// `m_freem(9)`: frees a chain.
///
/// # Safety
/// `m` is a valid chain that nobody uses any more, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn m_freem(m: *mut mbuf) {
    // SAFETY: the caller gives the chain up.
    unsafe { free(m) }
}
