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
    /// Whether the datagram may be sent now; waits for room, unless it is not to.
    fn admit(self, datagram: &Datagram) -> Result<(), c_int> {
        let buffer = self.buffer(Direction::Send);
        let _guard = buffer.lock();
        loop {
            if buffer.state() & SBS_CANTSENDMORE != 0 {
                return Err(Errno::EPIPE.get());
            }
            if let Some(error) = self.take_error() {
                return Err(error);
            }
            if !self.is(SS_ISCONNECTED) && !datagram.addressed {
                return Err(Errno::EDESTADDRREQ.get());
            }
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
    // SAFETY: the caller says so.
    let so = unsafe { So::new(so) };
    let (top, control) = (Chain(top), Chain(control));
    let sent = || {
        let length = if uio.is_null() {
            // SAFETY: a valid chain.
            unsafe { chains::length(top.0) as i64 }
        } else {
            // SAFETY: the caller's uio.
            unsafe { (*uio).uio_resid as i64 }
        };
        if length < 0 {
            return Err(Errno::EINVAL.get());
        }
        let datagram = Datagram {
            length,
            // SAFETY: a valid chain, or null.
            ancillary: unsafe { chains::length(control.0) as i64 },
            addressed: !addr.is_null(),
            flags,
        };
        let _turn = so.buffer(Direction::Send).io_lock(flags & MSG_DONTWAIT == 0)?;
        so.admit(&datagram)?;
        // SAFETY: the caller vouches for the uio.
        let chain = if uio.is_null() { top } else { unsafe { copy(uio) }? };
        match so
            .switch()
            .send(so, method_flags(flags), chain.into_raw(), addr, control.into_raw())
        {
            0 => Ok(()),
            error => Err(error),
        }
    };
    sent().err().unwrap_or(0)
}
