//! Sockets as a protocol sees them.

mod address;
mod protocol;
mod transfer;

pub use address::{Address, OwnAddress};
pub use protocol::{
    Drained, Kind, Name, Outgoing, Patience, Protocol, SocketList, domain, install, protosw, socket_count,
};

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::errno::{Errno, Result};
use crate::mbuf::Mbuf;
use crate::mutex::RawGuard;
use crate::raw::mutex::mtx;
use crate::raw::socketvar as raw;
use crate::raw::socketvar::BufferOffsets;
use crate::shared::field;

/// A socket between its attach and its detach.
///
/// A copy may be kept, but not beyond detach: that is what implementors of [`Protocol`] promise.
///
/// # Invariants
/// The pointer is a live socket whose buffers lie at `buffers`.
#[derive(Clone, Copy)]
pub struct Socket {
    pointer: NonNull<raw::socket>,
    buffers: &'static BufferOffsets,
}

// SAFETY: a socket is used by any thread; every access here takes the lock the kernel takes for it, or is atomic.
unsafe impl Send for Socket {}
// SAFETY: as above.
unsafe impl Sync for Socket {}

/// Whether the kernel's layout has been complained about already: once is enough.
static COMPLAINED: AtomicBool = AtomicBool::new(false);

impl Socket {
    /// Recognises the layout of a socket that is being attached.
    ///
    /// The receive buffer holds a pointer to its mutex, which lies in the same socket: only a right guess of both places
    /// finds the one in the other.
    ///
    /// # Errors
    /// `ENXIO`: the kernel's `struct socket` is none of those known; a line in the message buffer says so.
    ///
    /// # Safety
    /// `pointer` is a live socket, of at least the size that the largest of [`raw::BUFFER_OFFSETS`] reaches into every
    /// known layout.
    pub(crate) unsafe fn recognise(pointer: *mut raw::socket) -> Result<Self> {
        let socket = NonNull::new(pointer).ok_or(Errno::EINVAL)?;
        let fits = |offsets: &&BufferOffsets| {
            let buffer = socket.as_ptr().wrapping_byte_add(offsets.so_rcv).cast::<raw::sockbuf>();
            // SAFETY: the place lies within the smallest struct socket known, 960 bytes (caller).
            let lock = unsafe { field!(buffer, raw::sockbuf, sb_mtx).read() };
            core::ptr::eq(lock, socket.as_ptr().wrapping_byte_add(offsets.so_rcv_mtx).cast())
        };
        match raw::BUFFER_OFFSETS.iter().find(fits) {
            // INVARIANT: live (caller), and the buffers' place just proven.
            Some(buffers) => Ok(Self {
                pointer: socket,
                buffers,
            }),
            None => {
                if !COMPLAINED.swap(true, Ordering::Relaxed) {
                    crate::thread::log(
                        c"this kernel's struct socket has a layout that the module does not know: \
                          no netgraph sockets; use a module built for this release",
                    );
                }
                Err(Errno::ENXIO)
            }
        }
    }

    pub(crate) fn as_ptr(self) -> *mut raw::socket {
        self.pointer.as_ptr()
    }

    fn receive_buffer_ptr(self) -> *mut raw::sockbuf {
        self.as_ptr().wrapping_byte_add(self.buffers.so_rcv).cast()
    }

    fn send_buffer_ptr(self) -> *mut raw::sockbuf {
        self.as_ptr().wrapping_byte_add(self.buffers.so_snd).cast()
    }

    fn state(self) -> core::ffi::c_short {
        // SAFETY: the socket is live (invariant); the kernel reads this member without its lock, too.
        unsafe { field!(self.as_ptr(), raw::socket, so_state).read_volatile() }
    }

    /// Takes the lock of the socket itself, `SOCK_LOCK`.
    fn lock(self) -> RawGuard {
        let lock: *mut mtx = self.as_ptr().cast();
        // SAFETY: the mutex is the socket's first member, initialised as long as the socket lives (invariant); no method
        // of a protocol is called with it held.
        unsafe { RawGuard::new(lock) }
    }

    /// Whether a reader may be told of losses (`SO_RERROR`).
    fn tells_losses(self) -> bool {
        // SAFETY: the socket is live (invariant); the kernel reads this member without its lock, too.
        let options = unsafe { field!(self.as_ptr(), raw::socket, so_options).read_volatile() };
        // SAFETY: as above.
        let lost = unsafe { field!(self.as_ptr(), raw::socket, so_rerror).read_volatile() };
        options & raw::SO_RERROR != 0 || lost != 0
    }

    /// Takes the receive I/O lock, which lets one reader in at a time; `wait` is `SBL_WAIT` or 0.
    ///
    /// # Errors
    /// `EWOULDBLOCK`: another reader has it. `EINTR` or `ERESTART`: a signal ended the wait.
    fn lock_reading(self, wait: core::ffi::c_int) -> Result<Reading> {
        let lock = self.as_ptr().wrapping_byte_add(self.buffers.so_rcv_sx).cast();
        // SAFETY: the lock lies there (invariant), and no method of a protocol is called with it held.
        Errno::check(unsafe { raw::soiolock(self.as_ptr(), lock, wait) })?;
        Ok(Reading(lock))
    }

    /// Sets the limits of the send and receive buffers, in bytes.
    ///
    /// # Errors
    /// `ENOBUFS`: more than the process, or the system, allows.
    pub fn reserve(self, send: u64, receive: u64) -> Result {
        // SAFETY: the socket is live (invariant).
        Errno::check(unsafe { raw::soreserve(self.as_ptr(), send, receive) })
    }

    /// Whether the socket is in non-blocking mode.
    #[must_use]
    pub fn is_nonblocking(self) -> bool {
        self.state() & raw::SS_NBIO != 0
    }

    /// How long a send may take (`SO_SNDTIMEO`), in units of 2⁻³² s; 0 for no limit.
    #[must_use]
    pub fn send_timeout(self) -> i64 {
        // SAFETY: the socket is live and its send buffer there (invariant); the kernel reads this without a lock, too.
        unsafe { field!(self.send_buffer_ptr(), raw::sockbuf, sb_timeo).read_volatile() }
    }

    /// Marks the socket as connected, so that send(2) without an address gets as far as the protocol; or takes it back.
    pub fn set_connected(self, connected: bool) {
        let _guard = self.lock();
        let place = field!(self.as_ptr(), raw::socket, so_state);
        let state = self.state();
        let state = if connected {
            state | raw::SS_ISCONNECTED
        } else {
            state & !raw::SS_ISCONNECTED
        };
        // SAFETY: the socket is live (invariant) and its lock held.
        unsafe { place.write_volatile(state) };
    }

    /// Sets what `SO_ERROR`, or the next call on the socket, reports, and wakes whoever waits for input.
    pub fn set_error(self, errno: Errno) {
        {
            let _guard = self.lock();
            let code = core::ffi::c_ushort::try_from(errno.get()).unwrap_or(0);
            // SAFETY: the socket is live (invariant) and its lock held.
            unsafe { field!(self.as_ptr(), raw::socket, so_error).write_volatile(code) };
        }
        let buffer = self.receive_buffer();
        buffer.guard.hand_over();
        // SAFETY: the receive buffer is locked; the kernel unlocks it.
        unsafe { raw::sorwakeup_locked(self.as_ptr()) }
    }

    /// Takes back an error that [`Socket::set_error`] left and nobody has seen, if it is `errno`.
    pub fn clear_error(self, errno: Errno) {
        let _guard = self.lock();
        let place = field!(self.as_ptr(), raw::socket, so_error);
        // SAFETY: the socket is live (invariant) and its lock held.
        let pending = unsafe { place.read_volatile() };
        if core::ffi::c_int::from(pending) == errno.get() {
            // SAFETY: as above.
            unsafe { place.write_volatile(0) };
        }
    }

    /// Ends the socket: nothing more to read, nothing more to write, and everyone who waits is woken.
    pub fn disconnected(self) {
        // SAFETY: the socket is live (invariant), and none of its locks is held by us.
        unsafe { raw::soisdisconnected(self.as_ptr()) }
    }

    /// Whether there is nothing to read and never will be.
    #[must_use]
    pub fn is_at_end(self) -> bool {
        let buffer = self.receive_buffer_ptr();
        let _guard = self.receive_buffer();
        // SAFETY: the receive buffer is there (invariant) and locked.
        let state = unsafe { (*buffer).sb_state };
        // SAFETY: as above.
        let first = unsafe { (*buffer).sb_mb };
        state & raw::SBS_CANTRCVMORE != 0 && first.is_null()
    }

    /// Locks the receive buffer.
    #[must_use]
    pub fn receive_buffer(self) -> ReceiveBuffer {
        let lock: *mut mtx = self.as_ptr().wrapping_byte_add(self.buffers.so_rcv_mtx).cast();
        // SAFETY: the mutex of the receive buffer lies there (invariant) and lives as long as the socket; no method of a
        // protocol or node is called with it held.
        let guard = unsafe { RawGuard::new(lock) };
        ReceiveBuffer { socket: self, guard }
    }
}

/// The receive I/O lock, held.
///
/// # Invariants
/// This thread holds the lock, whose socket is live.
struct Reading(*mut core::ffi::c_void);

impl Drop for Reading {
    fn drop(&mut self) {
        // SAFETY: this thread holds the lock (invariant).
        unsafe { raw::soiounlock(self.0) }
    }
}

/// A locked receive buffer, `SOCK_RECVBUF_LOCK`.
pub struct ReceiveBuffer {
    socket: Socket,
    guard: RawGuard,
}

impl ReceiveBuffer {
    /// The most bytes the buffer may ever hold, `sb_hiwat`.
    #[must_use]
    pub fn limit(&self) -> usize {
        // SAFETY: the buffer is there and locked.
        let limit = unsafe { (*self.socket.receive_buffer_ptr()).sb_hiwat };
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// Queues a packet with its sender's address, wakes readers and unlocks.
    ///
    /// # Errors
    /// `ENOBUFS`: there is no room; the packet is freed, and a reader that asked for it (`SO_RERROR`) is told.
    /// `EINVAL`: the packet has no packet header, without which the kernel would panic; it is freed.
    pub fn append(self, from: &OwnAddress, packet: Mbuf) -> Result {
        if !packet.is_packet() {
            return Err(Errno::EINVAL);
        }
        let buffer = self.socket.receive_buffer_ptr();
        let packet = packet.into_raw();
        let none = core::ptr::null_mut();
        // SAFETY: the buffer is there and locked, the address whole, and the packet has a header. The buffer takes the
        // packet if the answer is not 0.
        let queued = unsafe { raw::sbappendaddr_locked(buffer, from.as_sockaddr(), packet, none) } != 0;
        if !queued {
            self.overflow();
            // SAFETY: the buffer did not take the packet.
            drop(unsafe { Mbuf::from_raw(packet) });
            return Err(Errno::ENOBUFS);
        }
        self.guard.hand_over();
        // SAFETY: the buffer is locked; the kernel unlocks it.
        unsafe { raw::sorwakeup_locked(self.socket.as_ptr()) };
        Ok(())
    }

    /// Tells a reader that asked for it (`SO_RERROR`) that something was lost, and unlocks.
    pub fn overflow(self) {
        self.guard.hand_over();
        // SAFETY: the buffer is locked; the kernel unlocks it.
        unsafe { raw::soroverflow_locked(self.socket.as_ptr()) }
    }
}
