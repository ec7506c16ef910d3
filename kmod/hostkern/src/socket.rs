//! The socket layer: `struct socket`, its buffers, and sosend, soreceive and their family.
//!
//! It knows datagram protocols with `PR_ATOMIC` and `PR_ADDR` only, such as netgraph's. Lock order: the socket's mutex, the
//! send buffer's, the receive buffer's.

mod address;
mod buffer;
mod c;
mod calls;
mod lifetime;
mod options;
mod poll;
mod receive;
mod send;
#[cfg(test)]
mod tests;
mod uio;

pub use address::Address;
pub use c::{sbappendaddr_locked, soiolock, soiounlock, soreserve, soroverflow_locked, sorwakeup_locked};
pub use lifetime::{soisconnected, soisdisconnected};
pub use receive::{soreceive_dgram, soreceive_generic};
pub use send::{sosend_dgram, sosend_generic};
pub use uio::Transfer;

use core::ffi::c_int;
use core::mem::offset_of;
use std::collections::BTreeSet;

use kpi::raw::mutex::mtx;
use kpi::raw::protosw::protosw;
use kpi::raw::socketvar as raw;

use crate::abi::{self, SocketLayout};
use crate::slot::Slot;
use crate::sync::{Mutex, lock, yield_point};
use crate::thread::{self, Vnet};
use buffer::Buffer;

/// Error numbers of this layer that kpi has no name for.
pub(crate) mod errno {
    use core::ffi::c_int;

    pub(crate) const EFAULT: c_int = 14;
    pub(crate) const EPERM: c_int = 1;
    pub(crate) const EMSGSIZE: c_int = 40;
    pub(crate) const EPROTOTYPE: c_int = 41;
    pub(crate) const ENOPROTOOPT: c_int = 42;
    pub(crate) const EPROTONOSUPPORT: c_int = 43;
    pub(crate) const EAFNOSUPPORT: c_int = 47;
    pub(crate) const ENAMETOOLONG: c_int = 63;
}

/// `SS_ISCONNECTING` and its like, and `SBS_CANTSENDMORE`, that kpi has no use for.
const SS_ISCONNECTING: i16 = 4;
const SS_ISDISCONNECTING: i16 = 8;
const SS_ISDISCONNECTED: i16 = 0x2000;
const SBS_CANTSENDMORE: i16 = 0x10;
const SO_RERROR: c_int = 0x2_0000;

/// recv(2) and send(2) flags.
pub const MSG_OOB: c_int = 0x1;
/// Leave the datagram in the buffer.
pub const MSG_PEEK: c_int = 0x2;
/// The datagram was longer than the buffer; or, as an argument: return its whole length.
pub const MSG_TRUNC: c_int = 0x10;
/// Do not wait.
pub const MSG_DONTWAIT: c_int = 0x80;
/// Do not wait, for this file.
pub const MSG_NBIO: c_int = 0x4000;
/// No SIGPIPE.
pub const MSG_NOSIGNAL: c_int = 0x2_0000;

type Hook = Box<dyn FnOnce() + Send>;

struct State {
    live: Mutex<BTreeSet<usize>>,
    copyin: Mutex<Option<Hook>>,
}

static STATE: Slot<State> = Slot::new();

pub(crate) fn boot() {
    STATE.fill(State {
        live: Mutex::new(BTreeSet::new()),
        copyin: Mutex::new(None),
    });
}

pub(crate) fn halt() -> Vec<String> {
    let Some(state) = STATE.empty() else {
        return Vec::new();
    };
    let live = lock(&state.live);
    live.iter()
        .map(|socket| format!("socket {socket:#x} was never closed"))
        .collect()
}

/// Runs `hook` once, in the next send that copies a process's data: after the socket was found to be writable, before the
/// protocol is called. So slow a copy is real: the page may have to come from a file server.
pub fn during_next_copyin(hook: impl FnOnce() + Send + 'static) {
    *lock(&STATE.get().copyin) = Some(Box::new(hook));
}

/// One of a socket's two directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Send,
    Receive,
}

/// A socket, by the booted release's layout.
///
/// # Invariants
/// The pointer is a socket that this layer allocated and has not freed, of `layout`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct So {
    pointer: *mut raw::socket,
    layout: SocketLayout,
}

// SAFETY: a socket belongs to no thread; what changes is changed under its locks, or a word at a time.
unsafe impl Send for So {}
// SAFETY: as above.
unsafe impl Sync for So {}

macro_rules! member {
    ($get:ident, $set:ident, $field:ident: $type:ty) => {
        pub(crate) fn $get(self) -> $type {
            self.read(offset_of!(raw::socket, $field))
        }

        #[allow(dead_code)]
        fn $set(self, value: $type) {
            self.write(offset_of!(raw::socket, $field), value);
        }
    };
}

impl So {
    /// Takes a socket from C.
    ///
    /// # Safety
    /// The invariants hold, as long as the value is used.
    pub(crate) unsafe fn new(pointer: *mut raw::socket) -> Self {
        // INVARIANT: the caller says so.
        Self {
            pointer,
            layout: abi::booted().socket,
        }
    }

    pub(crate) fn as_ptr(self) -> *mut raw::socket {
        self.pointer
    }

    fn place<T>(self, offset: usize) -> *mut T {
        assert!(
            offset + size_of::<T>() <= self.layout.size,
            "a member lies in the socket"
        );
        self.pointer.wrapping_byte_add(offset).cast()
    }

    fn read<T: Copy>(self, offset: usize) -> T {
        // SAFETY: in the live socket (invariant, checked by place); volatile, for other threads may write at the same time.
        unsafe { self.place::<T>(offset).read_volatile() }
    }

    fn write<T: Copy>(self, offset: usize, value: T) {
        yield_point();
        // SAFETY: as in read.
        unsafe { self.place::<T>(offset).write_volatile(value) }
    }

    member!(count, set_count, so_count: u32);
    member!(options, set_options, so_options: c_int);
    member!(kind, set_kind, so_type: i16);
    member!(state, set_state, so_state: i16);
    member!(protocol, set_protocol, so_proto: *mut protosw);
    member!(error, set_error, so_error: u16);
    member!(receive_error, set_receive_error, so_rerror: u16);
    member!(vnet_word, set_vnet_word, so_vnet: *mut core::ffi::c_void);

    pub(crate) fn vnet(self) -> Vnet {
        Vnet(self.vnet_word() as u32)
    }

    /// Whether all of `flags` are set in `so_state`.
    pub(crate) fn is(self, flags: i16) -> bool {
        self.state() & flags == flags
    }

    pub(crate) fn buffer(self, direction: Direction) -> Buffer {
        let (buffer, io) = match direction {
            Direction::Send => (self.layout.so_snd, self.layout.so_snd_sx),
            Direction::Receive => (self.layout.so_rcv, self.layout.so_rcv_sx),
        };
        // SAFETY: the buffer of a live socket (invariant).
        unsafe { Buffer::new(self.place(buffer), self.place(io)) }
    }

    fn mutexes(self) -> [(*mut mtx, &'static core::ffi::CStr); 3] {
        [
            (self.place(0), c"socket"),
            (self.place(self.layout.so_snd_mtx), c"so_snd"),
            (self.place(self.layout.so_rcv_mtx), c"so_rcv"),
        ]
    }

    /// `SOCK_LOCK`
    pub(crate) fn lock(self) -> Locked {
        // SAFETY: the socket's own mutex, initialised as long as it lives.
        unsafe { Locked::new(self.place(0)) }
    }

    /// Takes the error there is, as every call that reports it does.
    fn take_error(self) -> Option<c_int> {
        let error = self.error();
        self.set_error(0);
        (error != 0).then_some(error.into())
    }

    /// What poll(2) sleeps on.
    fn poll_channel(self) -> usize {
        self.place::<u64>(offset_of!(raw::socket, so_rdsel)) as usize
    }

    /// What soclose and connect(2) sleep on.
    fn event_channel(self) -> usize {
        self.place::<u16>(offset_of!(raw::socket, so_timeo)) as usize
    }

    /// `CURVNET_SET(so->so_vnet)`
    pub(crate) fn in_vnet<R>(self, work: impl FnOnce() -> R) -> R {
        thread::with(thread::credentials(), self.vnet(), work)
    }
}

/// A kernel mutex that is held until the end of the value.
pub(crate) struct Locked(*mut mtx);

impl Locked {
    /// # Safety
    /// The mutex is initialised, and stays so as long as the value lives.
    unsafe fn new(mutex: *mut mtx) -> Self {
        // SAFETY: the caller says so.
        unsafe { crate::mutex::lock(mutex) };
        Self(mutex)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: initialised, and locked by new.
        unsafe { crate::mutex::unlock(self.0) }
    }
}
