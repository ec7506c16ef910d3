//! sosend: a process's datagram on its way to the protocol.

use core::ffi::c_int;

use kpi::Errno;
use kpi::raw::mbuf::mbuf;
use kpi::raw::socketvar::{SS_ISCONNECTED, SS_NBIO, sockaddr, socket};
use kpi::raw::systm::thread;
use kpi::raw::uio::uio;

use super::errno::{EFAULT, EMSGSIZE};
use super::{Direction, MSG_DONTWAIT, MSG_NBIO, MSG_OOB, SBS_CANTSENDMORE, STATE, So, uio as process};
use crate::mbuf as chains;
use crate::sync::lock;

/// A chain that is freed at the end of the value.
struct Chain(*mut mbuf);

impl Chain {
    fn into_raw(self) -> *mut mbuf {
        core::mem::ManuallyDrop::new(self).0
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        // SAFETY: null or a chain that is ours.
        unsafe { chains::free(self.0) }
    }
}

/// What is to be sent.
struct Datagram {
    length: i64,
    ancillary: i64,
    addressed: bool,
    flags: c_int,
}

impl So {
    /// Whether the socket takes a datagram at all; the send buffer is locked.
    fn may_send(self, datagram: &Datagram) -> Result<(), c_int> {
        if self.buffer(Direction::Send).state() & SBS_CANTSENDMORE != 0 {
            return Err(Errno::EPIPE.get());
        }
        if let Some(error) = self.take_error() {
            return Err(error);
        }
        if !self.is(SS_ISCONNECTED) && !datagram.addressed {
            return Err(Errno::EDESTADDRREQ.get());
        }
        Ok(())
    }

    /// Whether the datagram may be sent now; never waits: what does not fit at once is too long.
    fn admit_datagram(self, datagram: &Datagram) -> Result<(), c_int> {
        let buffer = self.buffer(Direction::Send);
        let _guard = buffer.lock();
        self.may_send(datagram)?;
        let more = if datagram.flags & MSG_OOB == 0 { 0 } else { 1024 };
        if datagram.length > buffer.space() + more - datagram.ancillary {
            return Err(EMSGSIZE);
        }
        Ok(())
    }

    /// Whether the datagram may be sent now; waits for room, unless it is not to.
    fn admit(self, datagram: &Datagram) -> Result<(), c_int> {
        let buffer = self.buffer(Direction::Send);
        let _guard = buffer.lock();
        loop {
            self.may_send(datagram)?;
            let limit = i64::from(buffer.high_water());
            if datagram.length > limit || datagram.ancillary > limit {
                return Err(EMSGSIZE);
            }
            if buffer.space() >= datagram.length + datagram.ancillary {
                return Ok(());
            }
            if self.is(SS_NBIO) || datagram.flags & (MSG_NBIO | MSG_DONTWAIT) != 0 {
                return Err(Errno::EWOULDBLOCK.get());
            }
            buffer.wait()?;
        }
    }
}

/// What pr_send is told of send(2)'s flags.
fn method_flags(flags: c_int) -> c_int {
    const MSG_MORETOCOME: c_int = 0x10_0000;
    const PRUS_OOB: c_int = 1;
    const PRUS_MORETOCOME: c_int = 4;
    if flags & MSG_OOB != 0 {
        PRUS_OOB
    } else if flags & MSG_MORETOCOME != 0 {
        PRUS_MORETOCOME
    } else {
        0
    }
}

/// `m_uiotombuf`, for a datagram.
///
/// # Safety
/// As `copy_in`.
unsafe fn copy(uio: *mut uio) -> Result<Chain, c_int> {
    let hook = lock(&STATE.get().copyin).take();
    if let Some(hook) = hook {
        hook();
    }
    // SAFETY: the caller says so.
    let bytes = unsafe { process::copy_in(uio) };
    let chain = Chain(chains::packet(&bytes));
    if chain.0.is_null() { Err(EFAULT) } else { Ok(chain) }
}

/// A send as the socket layer asks for it; the chains are freed, unless the protocol gets them.
struct Sending {
    so: So,
    address: *mut sockaddr,
    uio: *mut uio,
    top: Chain,
    control: Chain,
    flags: c_int,
}

impl Sending {
    /// How much there is to send.
    ///
    /// # Errors
    /// `EINVAL`: less than nothing.
    ///
    /// # Safety
    /// The uio and the chains are valid or null.
    unsafe fn datagram(&self) -> Result<Datagram, c_int> {
        let length = if self.uio.is_null() {
            // SAFETY: a valid chain.
            unsafe { chains::length(self.top.0) as i64 }
        } else {
            // SAFETY: the caller's uio.
            unsafe { (*self.uio).uio_resid as i64 }
        };
        if length < 0 {
            return Err(Errno::EINVAL.get());
        }
        Ok(Datagram {
            length,
            // SAFETY: a valid chain, or null.
            ancillary: unsafe { chains::length(self.control.0) as i64 },
            addressed: !self.address.is_null(),
            flags: self.flags,
        })
    }

    /// Has the protocol send what was admitted.
    ///
    /// # Safety
    /// As for [`Sending::datagram`].
    unsafe fn send(self) -> Result<(), c_int> {
        let chain = if self.uio.is_null() {
            self.top
        } else {
            // SAFETY: the caller vouches for the uio.
            unsafe { copy(self.uio) }?
        };
        let (flags, control) = (method_flags(self.flags), self.control.into_raw());
        let switch = self.so.switch();
        match switch.send(self.so, flags, chain.into_raw(), self.address, control) {
            0 => Ok(()),
            error => Err(error),
        }
    }
}

/// Sends a datagram that `admit` has let in; what it returns is kept until then. Returns an errno, or 0.
///
/// # Safety
/// As for [`sosend_generic`].
unsafe fn send_admitted<T>(
    so: *mut socket,
    address: *mut sockaddr,
    uio: *mut uio,
    top: *mut mbuf,
    control: *mut mbuf,
    flags: c_int,
    admit: impl FnOnce(So, &Datagram) -> Result<T, c_int>,
) -> c_int {
    // SAFETY: the caller says so.
    let so = unsafe { So::new(so) };
    let sending = Sending {
        so,
        address,
        uio,
        top: Chain(top),
        control: Chain(control),
        flags,
    };
    let sent = || {
        // SAFETY: the caller vouches for the uio and the chains.
        let datagram = unsafe { sending.datagram() }?;
        let _turn = admit(so, &datagram)?;
        // SAFETY: as above.
        unsafe { sending.send() }
    };
    sent().err().unwrap_or(0)
}

/// `sosend_generic`, for datagrams.
///
/// # Safety
/// As a `pr_sosend` method: everything is valid or null, `top` and `control` are given away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sosend_generic(
    so: *mut socket,
    addr: *mut sockaddr,
    uio: *mut uio,
    top: *mut mbuf,
    control: *mut mbuf,
    flags: c_int,
    _td: *mut thread,
) -> c_int {
    let admit = |so: So, datagram: &Datagram| {
        let turn = so.buffer(Direction::Send).io_lock(flags & MSG_DONTWAIT == 0)?;
        so.admit(datagram)?;
        Ok(turn)
    };
    // SAFETY: the caller says so.
    unsafe { send_admitted(so, addr, uio, top, control, flags, admit) }
}

/// `sosend_dgram`: takes no I/O lock.
///
/// # Safety
/// As [`sosend_generic`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sosend_dgram(
    so: *mut socket,
    addr: *mut sockaddr,
    uio: *mut uio,
    top: *mut mbuf,
    control: *mut mbuf,
    flags: c_int,
    _td: *mut thread,
) -> c_int {
    let admit = |so: So, datagram: &Datagram| so.admit_datagram(datagram);
    // SAFETY: the caller says so.
    unsafe { send_admitted(so, addr, uio, top, control, flags, admit) }
}
