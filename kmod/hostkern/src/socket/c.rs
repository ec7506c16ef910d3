//! What protocols call: the buffers' functions by their C names.

use core::ffi::{c_int, c_ulong, c_void};

use kpi::Errno;
use kpi::raw::mbuf::{M_FLAGS_SHIFT, M_PKTHDR, mbuf};
use kpi::raw::socketvar::{SBL_WAIT, sockaddr, sockbuf, socket};

use super::buffer::Buffer;
use super::{Direction, SO_RERROR, So};
use crate::faults::{self, Site};
use crate::{mbuf as chains, report};

const MCLBYTES: i32 = 2048;
const MT_SONAME: u32 = 8;
/// `m_data` holds no more without a cluster.
const MLEN: usize = 224;

/// `soreserve`: sets the limits of both buffers.
///
/// # Safety
/// `so` is a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn soreserve(so: *mut socket, sndcc: c_ulong, rcvcc: c_ulong) -> c_int {
    // SAFETY: the caller says so.
    let so = unsafe { So::new(so) };
    let (send, receive) = (so.buffer(Direction::Send), so.buffer(Direction::Receive));
    let _send = send.lock();
    let _receive = receive.lock();
    if let Err(error) = send.reserve(sndcc) {
        return error;
    }
    if let Err(error) = receive.reserve(rcvcc) {
        send.flush();
        send.set_high_water(0);
        send.set_charge_limit(0);
        return error;
    }
    if receive.low_water() == 0 {
        receive.set_low_water(1);
    }
    if send.low_water() == 0 {
        send.set_low_water(MCLBYTES);
    }
    send.set_low_water(send.low_water().min(send.high_water() as i32));
    0
}

/// `soiolock`: takes the receive I/O lock.
///
/// # Safety
/// `so` is a socket, and `sx` one of its I/O locks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn soiolock(so: *mut socket, sx: *mut c_void, flags: c_int) -> c_int {
    // SAFETY: the caller says so.
    let so = unsafe { So::new(so) };
    if sx != so.place(so.layout.so_rcv_sx) {
        report::panic("soiolock: not the receive I/O lock of the socket");
    }
    match so.buffer(Direction::Receive).io_lock(flags & SBL_WAIT != 0) {
        Ok(turn) => {
            core::mem::forget(turn);
            0
        }
        Err(error) => error,
    }
}

/// `soiounlock`
///
/// # Safety
/// The I/O lock of a socket, taken by [`soiolock`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn soiounlock(sx: *mut c_void) {
    // SAFETY: the caller has the lock.
    unsafe { Buffer::of_io_lock(sx.cast()) }.io_unlock();
}

/// `sorwakeup_locked`: wakes readers and unlocks the receive buffer.
///
/// # Safety
/// `so` is a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sorwakeup_locked(so: *mut socket) {
    // SAFETY: the caller says so.
    let so = unsafe { So::new(so) };
    so.buffer(Direction::Receive).assert_locked("sorwakeup_locked");
    so.wake(Direction::Receive);
}

/// `soroverflow_locked`: tells a reader with `SO_RERROR` of a loss, and unlocks the receive buffer.
///
/// # Safety
/// `so` is a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn soroverflow_locked(so: *mut socket) {
    // SAFETY: the caller says so.
    let so = unsafe { So::new(so) };
    let buffer = so.buffer(Direction::Receive);
    buffer.assert_locked("soroverflow_locked");
    if so.options() & SO_RERROR == 0 {
        buffer.unlock();
        return;
    }
    so.set_receive_error(Errno::ENOBUFS.get() as u16);
    so.wake(Direction::Receive);
}

/// An mbuf of type `MT_SONAME` that holds the address; null if there is none to be had.
///
/// # Safety
/// `address` is `sa_len` bytes long.
unsafe fn name_mbuf(address: *const sockaddr) -> *mut mbuf {
    // SAFETY: the caller vouches for the address.
    let length: usize = unsafe { (*address).sa_len }.into();
    if length > MLEN {
        return core::ptr::null_mut();
    }
    // SAFETY: as above.
    let bytes = unsafe { core::slice::from_raw_parts(address.cast::<u8>(), length) };
    let name = chains::packet(bytes);
    if !name.is_null() {
        // SAFETY: a new mbuf, ours alone. The rest of its header is in no one's way.
        let header = unsafe { &mut *name };
        header.m_type_flags = (header.m_type_flags & !0xff) | MT_SONAME;
    }
    name
}

/// `sbappendaddr_locked`: puts a datagram and its sender's address into a buffer. Returns 1, or 0 if there is no room, and
/// then the datagram stays the caller's.
///
/// # Safety
/// `sb` is the buffer of a socket, `asa` an address of `sa_len` bytes; `m0` and `control` are chains or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sbappendaddr_locked(
    sb: *mut sockbuf,
    asa: *const sockaddr,
    m0: *mut mbuf,
    control: *mut mbuf,
) -> c_int {
    // SAFETY: the caller vouches for the buffer; its I/O lock is not used here.
    let buffer = unsafe { Buffer::new(sb, core::ptr::null_mut()) };
    buffer.assert_locked("sbappendaddr_locked");
    // SAFETY: the caller vouches for the chain.
    if !m0.is_null() && unsafe { (*m0).m_type_flags } >> M_FLAGS_SHIFT & M_PKTHDR == 0 {
        report::panic("sbappendaddr_locked: the datagram has no packet header");
    }
    if !control.is_null() {
        report::panic("sbappendaddr_locked: the hosted kernel knows no ancillary data");
    }
    // SAFETY: the caller vouches for the address.
    let address = i64::from(unsafe { (*asa).sa_len });
    // SAFETY: the caller vouches for the chain.
    let length = unsafe { chains::length(m0) } as i64;
    if address + length > buffer.space() || faults::strikes(&Site::SocketBuffer, false) {
        return 0;
    }
    // SAFETY: the caller vouches for the address.
    let record = unsafe { name_mbuf(asa) };
    if record.is_null() {
        return 0;
    }
    // SAFETY: the record is ours until it is pushed.
    unsafe { (*record).m_next = m0 };
    buffer.push(record);
    1
}
