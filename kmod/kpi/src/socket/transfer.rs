//! Sending and receiving: the kernel's own functions for datagrams, with the errors that ng_socket(4) documents.

use core::ffi::c_int;
use core::ptr::NonNull;

use super::Socket;
use super::protocol::{Kind, Protocol, pcb};
use crate::errno::{Errno, Result, to_c};
use crate::raw::mbuf::mbuf;
use crate::raw::socketvar::{
    MSG_DONTWAIT, MSG_MORETOCOME, MSG_NBIO, MSG_OOB, MSG_PEEK, MSG_TRUNC, SBL_WAIT, sockaddr, socket, soreceive_dgram,
    soreceive_generic, sosend_dgram,
};
use crate::raw::systm::thread;
use crate::raw::uio::uio;

/// How many bytes the process has left to send, or room for.
///
/// # Safety
/// `uio` is null, or live and nobody else's.
unsafe fn left(uio: *mut uio) -> Option<isize> {
    // SAFETY: the caller vouches for it.
    NonNull::new(uio).map(|uio| unsafe { (*uio.as_ptr()).uio_resid })
}

/// `pr_sosend`: as UDP has it, without the send I/O lock, so that a sender that waits for its message to be applied keeps
/// no other one waiting.
///
/// A send that failed has sent nothing, so that the caller's count is put back: else a signal or a timeout that ends the
/// wait for a control message would look like success. A node that is gone is ENOTCONN, not EPIPE with its signal; so is
/// a data socket that never had one.
///
/// The kernel does not pass `MSG_DONTWAIT` on to pr_send. `MSG_MORETOCOME`, which means nothing to a protocol of whole
/// datagrams, it does: so the one travels as the other. `MSG_OOB`, which means as little, would take its place.
pub(super) unsafe extern "C" fn sosend<P: Protocol>(
    so: *mut socket,
    name: *mut sockaddr,
    uio: *mut uio,
    top: *mut mbuf,
    control: *mut mbuf,
    flags: c_int,
    td: *mut thread,
) -> c_int {
    // SAFETY: the socket layer's uio is live during the call and nobody else's.
    let before = unsafe { left(uio) };
    let waits = flags & (MSG_DONTWAIT | MSG_NBIO) == 0;
    let flags = flags & !(MSG_MORETOCOME | MSG_OOB) | if waits { 0 } else { MSG_MORETOCOME };
    // SAFETY: the arguments are passed on as they came, but for those flags.
    let sent = Errno::check(unsafe { sosend_dgram(so, name, uio, top, control, flags, td) });
    let Err(errno) = sent else {
        return 0;
    };
    if let Some(before) = before {
        // SAFETY: not null, and as above.
        unsafe { (*uio).uio_resid = before };
    }
    // SAFETY: the caller holds the socket, so that it is attached still.
    let has_node = || unsafe { pcb::<P>(so) }.is_some_and(|pcb| pcb.protocol.has_node());
    to_c(Err(match errno {
        Errno::EPIPE => Errno::ENOTCONN,
        Errno::EDESTADDRREQ if P::KIND == Kind::Data && !has_node() => Errno::ENOTCONN,
        other => other,
    }))
}

/// Where `pr_soreceive` is to put what it finds.
struct Destination {
    name: *mut *mut sockaddr,
    uio: *mut uio,
    packet: *mut *mut mbuf,
    control: *mut *mut mbuf,
    flags: *mut c_int,
}

impl Destination {
    /// Receives by the kernel's function for datagrams, or by the general one where that cannot do what is asked for.
    ///
    /// The general one unlocks the buffer while it copies a record that is still in it, and relies on the I/O lock to be
    /// the only reader. The one for datagrams takes no such lock, so it is taken here: else a reader could free what
    /// another one looks at (`MSG_PEEK`).
    ///
    /// # Safety
    /// As for a `pr_soreceive` of `socket`.
    unsafe fn receive(&self, socket: Socket) -> Result {
        let so = socket.as_ptr();
        // SAFETY: the socket layer passes null or a variable of its own.
        let asked = NonNull::new(self.flags).map_or(0, |flags| unsafe { *flags.as_ptr() });
        let general = asked & (MSG_PEEK | MSG_OOB | MSG_TRUNC) != 0 || !self.packet.is_null() || socket.tells_losses();
        if general {
            // SAFETY: the caller's arguments, as they came.
            return Errno::check(unsafe {
                soreceive_generic(so, self.name, self.uio, self.packet, self.control, self.flags)
            });
        }
        let _reading = socket.lock_reading(if asked & MSG_DONTWAIT == 0 { SBL_WAIT } else { 0 })?;
        // SAFETY: as above.
        Errno::check(unsafe { soreceive_dgram(so, self.name, self.uio, self.packet, self.control, self.flags) })
    }
}

/// `pr_soreceive`: as the kernel does it, but for the end: a node that is gone is ENOTCONN, not an empty read.
pub(super) unsafe extern "C" fn soreceive<P: Protocol>(
    so: *mut socket,
    name: *mut *mut sockaddr,
    uio: *mut uio,
    packet: *mut *mut mbuf,
    control: *mut *mut mbuf,
    flags: *mut c_int,
) -> c_int {
    // SAFETY: the caller holds the socket, so that it is attached.
    let Some(pcb) = (unsafe { pcb::<P>(so) }) else {
        return to_c(Err(Errno::EINVAL));
    };
    if let Some(name) = NonNull::new(name) {
        // SAFETY: the socket layer passes a variable of its own. It frees what it finds there, also after an error.
        unsafe { name.write(core::ptr::null_mut()) };
    }
    if let Some(control) = NonNull::new(control) {
        // SAFETY: as above.
        unsafe { control.write(core::ptr::null_mut()) };
    }
    let destination = Destination {
        name,
        uio,
        packet,
        control,
        flags,
    };
    // SAFETY: the socket layer's uio is live during the call and nobody else's.
    let before = unsafe { left(uio) };
    // SAFETY: the arguments are passed on as they came.
    let received = unsafe { destination.receive(pcb.socket) };
    // SAFETY: as above.
    let nothing = received.is_ok() && before.is_some() && before == unsafe { left(uio) };
    // SAFETY: the variable was set above.
    let has_sender = || NonNull::new(name).is_some_and(|name| unsafe { !(*name.as_ptr()).is_null() });
    // shutdown(2) may have ended reading alone; then an empty read is the answer.
    let at_end = nothing && !has_sender() && pcb.socket.is_at_end() && !pcb.protocol.has_node();
    pcb.protocol.received();
    to_c(if at_end { Err(Errno::ENOTCONN) } else { received })
}
