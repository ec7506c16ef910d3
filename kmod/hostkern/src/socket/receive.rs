//! soreceive: a datagram on its way to a process.

use core::ffi::c_int;

use kpi::Errno;
use kpi::raw::mbuf::mbuf;
use kpi::raw::socketvar::{SBS_CANTRCVMORE, SS_NBIO, sockaddr, socket};
use kpi::raw::uio::uio;

use super::address::Address;
use super::{Direction, MSG_DONTWAIT, MSG_NBIO, MSG_OOB, MSG_PEEK, MSG_TRUNC, So, uio as process};
use crate::mbuf as chains;

/// Which of the kernel's functions receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Generic,
    Datagram,
}

/// A record that was taken out of the buffer, or copied.
struct Record {
    from: Vec<u8>,
    data: Vec<u8>,
}

impl So {
    /// The first record, once there is one; `None` at the end, or if nothing is wanted.
    fn next_record(self, flags: c_int, wants_any: bool, kind: Kind) -> Result<Option<Record>, c_int> {
        let buffer = self.buffer(Direction::Receive);
        let _guard = buffer.lock();
        while buffer.first().is_null() {
            if let Some(error) = self.receive_failure(flags & MSG_PEEK != 0, kind) {
                return Err(error);
            }
            if buffer.state() & SBS_CANTRCVMORE != 0 || !wants_any {
                return Ok(None);
            }
            if self.is(SS_NBIO) || flags & (MSG_DONTWAIT | MSG_NBIO) != 0 {
                return Err(Errno::EWOULDBLOCK.get());
            }
            buffer.wait()?;
        }
        let record = buffer.first();
        // SAFETY: the first record is in the buffer, whose lock is held.
        let copy = unsafe { read(record) };
        if flags & MSG_PEEK == 0
            && let Some(record) = buffer.pop()
        {
            // SAFETY: pop gave it to us.
            unsafe { chains::free(record) };
        }
        Ok(Some(copy))
    }

    /// `so_error`, else `so_rerror`, which only the general function looks at; looking does not clear it.
    fn receive_failure(self, looking: bool, kind: Kind) -> Option<c_int> {
        let later = match kind {
            Kind::Generic => self.receive_error(),
            Kind::Datagram => 0,
        };
        let error = match (self.error(), later) {
            (0, 0) => return None,
            (0, later) => {
                if !looking {
                    self.set_receive_error(0);
                }
                later
            }
            (now, _) => {
                if !looking {
                    self.set_error(0);
                }
                now
            }
        };
        Some(error.into())
    }
}

/// The bytes of a record: its first mbuf is the address.
///
/// # Safety
/// A valid record, whose buffer's lock is held.
unsafe fn read(record: *const mbuf) -> Record {
    // SAFETY: the caller says so.
    let name = unsafe { &*record };
    // SAFETY: an mbuf holds m_len bytes from m_data on.
    let from = unsafe { core::slice::from_raw_parts(name.m_data.cast::<u8>(), name.m_len as usize) };
    // SAFETY: the rest of the chain.
    let data = unsafe { chains::bytes(name.m_next) };
    Record {
        from: from.to_vec(),
        data,
    }
}

/// `soreceive_generic`, for datagrams with addresses.
///
/// # Safety
/// As a `pr_soreceive` method: everything is valid or null; only a process's buffer takes data, no chain.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn soreceive_generic(
    so: *mut socket,
    psa: *mut *mut sockaddr,
    uio: *mut uio,
    _mp0: *mut *mut mbuf,
    _controlp: *mut *mut mbuf,
    flagsp: *mut c_int,
) -> c_int {
    // SAFETY: the caller says so.
    let so = unsafe { So::new(so) };
    // SAFETY: null or a variable of the caller.
    let asked = unsafe { flagsp.as_ref() }.map_or(0, |flags| *flags);
    let _turn = match so.buffer(Direction::Receive).io_lock(asked & MSG_DONTWAIT == 0) {
        Ok(turn) => turn,
        Err(error) => return error,
    };
    // SAFETY: the caller's arguments.
    unsafe { receive(so, psa, uio, flagsp, Kind::Generic) }
}

/// `soreceive_dgram`: takes no I/O lock, and leaves what is not simple to [`soreceive_generic`].
///
/// # Safety
/// As [`soreceive_generic`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn soreceive_dgram(
    so: *mut socket,
    psa: *mut *mut sockaddr,
    uio: *mut uio,
    mp0: *mut *mut mbuf,
    controlp: *mut *mut mbuf,
    flagsp: *mut c_int,
) -> c_int {
    // SAFETY: null or a variable of the caller.
    let asked = unsafe { flagsp.as_ref() }.map_or(0, |flags| *flags);
    if !mp0.is_null() || asked & (MSG_PEEK | MSG_OOB | MSG_TRUNC) != 0 {
        // SAFETY: the caller's arguments.
        return unsafe { soreceive_generic(so, psa, uio, mp0, controlp, flagsp) };
    }
    // SAFETY: the caller says so.
    let so = unsafe { So::new(so) };
    // SAFETY: the caller's arguments.
    unsafe { receive(so, psa, uio, flagsp, Kind::Datagram) }
}

/// Receives, and says `MSG_TRUNC` if there was more.
///
/// # Safety
/// As for [`soreceive_generic`].
unsafe fn receive(so: So, psa: *mut *mut sockaddr, uio: *mut uio, flagsp: *mut c_int, kind: Kind) -> c_int {
    // SAFETY: null or a variable of the caller.
    let address = unsafe { psa.as_mut() };
    // SAFETY: null or a variable of the caller.
    let flags = unsafe { flagsp.as_mut() };
    let asked = flags.as_ref().map_or(0, |flags| **flags);
    // SAFETY: the caller's uio.
    match unsafe { take(so, address, uio, asked, kind) } {
        Ok(said) => {
            if let Some(flags) = flags {
                *flags = asked & !MSG_TRUNC | said;
            }
            0
        }
        Err(error) => error,
    }
}

/// Takes the first record, or copies it, and returns `MSG_TRUNC` or 0.
///
/// # Safety
/// `uio` is valid.
unsafe fn take(
    so: So,
    mut address: Option<&mut *mut sockaddr>,
    uio: *mut uio,
    flags: c_int,
    kind: Kind,
) -> Result<c_int, c_int> {
    if let Some(address) = address.as_deref_mut() {
        *address = core::ptr::null_mut();
    }
    let wants_length = flags & MSG_TRUNC != 0;
    // SAFETY: the caller's uio.
    let room = unsafe { (*uio).uio_resid };
    let Some(record) = so.next_record(flags, room != 0 || wants_length, kind)? else {
        return Ok(0);
    };
    if let Some(address) = address {
        *address = Address::duplicate(&record.from).map_or(core::ptr::null_mut(), Address::into_raw);
    }
    // SAFETY: the caller's uio.
    let copied = unsafe { process::copy_out(uio, &record.data) };
    let left = record.data.len() - copied;
    if wants_length {
        // SAFETY: the caller's uio.
        unsafe { (*uio).uio_resid -= left as isize };
    }
    Ok(if left > 0 || room == 0 { MSG_TRUNC } else { 0 })
}
