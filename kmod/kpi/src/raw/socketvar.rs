//! `sys/socketvar.h`, `sys/sockbuf.h`, `sys/socket.h`.
//!
//! `struct socket` is declared up to the members that stay where they are in every 14.x and 15.x: between 14.0 and 14.3
//! three members were put before the socket buffers. Where those begin is found at run time ([`BUFFER_OFFSETS`]).

use core::ffi::{c_int, c_long, c_short, c_uint, c_ulong, c_ushort, c_void};

use super::mbuf::mbuf;
use super::mutex::mtx;
use super::protosw::protosw;
use super::systm::thread;
use super::uio::uio;
use super::{constants, layout};

#[repr(C)]
pub struct socket {
    pub so_lock: mtx,
    pub so_count: c_uint,
    pub so_rdsel: [u64; 9],
    pub so_wrsel: [u64; 9],
    pub so_options: c_int,
    pub so_type: c_short,
    pub so_state: c_short,
    pub so_pcb: *mut c_void,
    pub so_vnet: *mut c_void,
    pub so_proto: *mut protosw,
    pub so_linger: c_short,
    pub so_timeo: c_short,
    pub so_error: c_ushort,
    pub so_rerror: c_ushort,
}
layout!(SOCKET: socket = "struct socket", prefix;
    so_lock = "so_lock" @ 0, so_count = "so_count" @ 32, so_rdsel = "so_rdsel" @ 40, so_wrsel = "so_wrsel" @ 112,
    so_options = "so_options" @ 184, so_type = "so_type" @ 188, so_state = "so_state" @ 190, so_pcb = "so_pcb" @ 192,
    so_vnet = "so_vnet" @ 200, so_proto = "so_proto" @ 208, so_linger = "so_linger" @ 216, so_timeo = "so_timeo" @ 218,
    so_error = "so_error" @ 220, so_rerror = "so_rerror" @ 222);

/// Where a kernel keeps the receive and send buffers in its `struct socket`, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferOffsets {
    /// `offsetof(struct socket, so_rcv)`
    pub so_rcv: usize,
    /// `offsetof(struct socket, so_rcv_sx)`
    pub so_rcv_sx: usize,
    /// `offsetof(struct socket, so_rcv_mtx)`
    pub so_rcv_mtx: usize,
    /// `offsetof(struct socket, so_snd)`
    pub so_snd: usize,
}

/// The newer layout: 14.3 and 15.0.
pub const BUFFERS_SPLICE: BufferOffsets = BufferOffsets {
    so_rcv: 512,
    so_rcv_sx: 448,
    so_rcv_mtx: 480,
    so_snd: 720,
};

/// The older layout: 14.0, before `SO_SPLICE`.
#[cfg(not(feature = "freebsd15"))]
pub const BUFFERS_PLAIN: BufferOffsets = BufferOffsets {
    so_rcv: 448,
    so_rcv_sx: 384,
    so_rcv_mtx: 416,
    so_snd: 656,
};

/// Every layout known for this release series.
#[cfg(not(feature = "freebsd15"))]
pub const BUFFER_OFFSETS: &[BufferOffsets] = &[BUFFERS_PLAIN, BUFFERS_SPLICE];
/// Every layout known for this release series.
#[cfg(feature = "freebsd15")]
pub const BUFFER_OFFSETS: &[BufferOffsets] = &[BUFFERS_SPLICE];

#[repr(C)]
pub struct sockbuf {
    pub sb_sel: *mut c_void,
    pub sb_state: c_short,
    pub sb_flags: c_short,
    pub sb_acc: c_uint,
    pub sb_ccc: c_uint,
    pub sb_mbcnt: c_uint,
    pub sb_ctl: c_uint,
    pub sb_hiwat: c_uint,
    pub sb_lowat: c_int,
    pub sb_mbmax: c_uint,
    pub sb_timeo: i64,
    pub sb_upcall: *mut c_void,
    pub sb_upcallarg: *mut c_void,
    pub sb_aiojobq: [usize; 2],
    pub sb_aiotask: [usize; 4],
    pub sb_mtx: *mut mtx,
    pub sb_mb: *mut mbuf,
    pub sb_rest: [usize; 10],
}
layout!(SOCKBUF: sockbuf = "struct sockbuf", size 208;
    sb_sel = "sb_sel" @ 0, sb_state = "sb_state" @ 8, sb_flags = "sb_flags" @ 10, sb_acc = "sb_acc" @ 12,
    sb_ccc = "sb_ccc" @ 16, sb_mbcnt = "sb_mbcnt" @ 20, sb_ctl = "sb_ctl" @ 24, sb_hiwat = "sb_hiwat" @ 28,
    sb_lowat = "sb_lowat" @ 32, sb_mbmax = "sb_mbmax" @ 36, sb_timeo = "sb_timeo" @ 40, sb_upcall = "sb_upcall" @ 48,
    sb_upcallarg = "sb_upcallarg" @ 56, sb_aiojobq = "sb_aiojobq" @ 64, sb_aiotask = "sb_aiotask" @ 80,
    sb_mtx = "sb_mtx" @ 112, sb_mb = "sb_mb" @ 120, sb_rest = "sb_mbtail" @ 128);

/// The head that every socket address has; `sa_len` bytes in all.
#[repr(C)]
pub struct sockaddr {
    pub sa_len: u8,
    pub sa_family: u8,
}

constants! {
    AF_NETGRAPH: u8 = 32;
    SOCK_DGRAM: c_short = 2;
    SO_RERROR: c_int = 0x2_0000;
    MSG_OOB: c_int = 0x1;
    MSG_PEEK: c_int = 0x2;
    MSG_TRUNC: c_int = 0x10;
    MSG_DONTWAIT: c_int = 0x80;
    MSG_NBIO: c_int = 0x4000;
    MSG_MORETOCOME: c_int = 0x10_0000;
    SS_ISCONNECTED: c_short = 2;
    SS_NBIO: c_short = 0x100;
    SBS_CANTRCVMORE: c_short = 0x20;
    SBL_WAIT: c_int = 1;
}

unsafe extern "C" {
    pub fn soreserve(so: *mut socket, sndcc: c_ulong, rcvcc: c_ulong) -> c_int;
    pub fn soisdisconnected(so: *mut socket);
    /// A `pr_sosend` that takes no I/O lock, so that senders do not wait for each other.
    pub fn sosend_dgram(
        so: *mut socket,
        addr: *mut sockaddr,
        uio: *mut uio,
        top: *mut mbuf,
        control: *mut mbuf,
        flags: c_int,
        td: *mut thread,
    ) -> c_int;
    /// A `pr_soreceive` that takes no I/O lock and does not look at `so_rerror`.
    pub fn soreceive_dgram(
        so: *mut socket,
        psa: *mut *mut sockaddr,
        uio: *mut uio,
        mp0: *mut *mut mbuf,
        controlp: *mut *mut mbuf,
        flagsp: *mut c_int,
    ) -> c_int;
    /// A `pr_soreceive` that can do everything; it takes the receive I/O lock.
    pub fn soreceive_generic(
        so: *mut socket,
        psa: *mut *mut sockaddr,
        uio: *mut uio,
        mp0: *mut *mut mbuf,
        controlp: *mut *mut mbuf,
        flagsp: *mut c_int,
    ) -> c_int;
    /// Takes an I/O lock of `so`: `SOCK_IO_RECV_LOCK`. `flags`: `SBL_WAIT` or 0.
    pub fn soiolock(so: *mut socket, sx: *mut c_void, flags: c_int) -> c_int;
    /// Gives it up.
    pub fn soiounlock(sx: *mut c_void);
    /// Takes the receive buffer locked and returns it unlocked.
    pub fn sorwakeup_locked(so: *mut socket);
    /// Takes the receive buffer locked and returns it unlocked.
    pub fn soroverflow_locked(so: *mut socket);
    /// Returns 1 when the record was queued, 0 when there is no room; panics unless `m0` has `M_PKTHDR`.
    pub fn sbappendaddr_locked(sb: *mut sockbuf, asa: *const sockaddr, m0: *mut mbuf, control: *mut mbuf) -> c_int;
}

const _: () = assert!(size_of::<c_long>() == 8);
