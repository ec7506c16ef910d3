//! The system that this program runs on. It compiles on every Unix; only FreeBSD has the sockets.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::{c_int, sockaddr, socklen_t};

use crate::errno::Errno;
use crate::system::{DATAGRAM, FAMILY, Protocol, Socket, System};

/// The longest address there is: its length is a byte.
const LONGEST_ADDRESS: usize = 255;

/// The system.
pub struct Native;

struct Descriptor(OwnedFd);

fn last() -> Errno {
    Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

/// -1 is an error.
fn checked(result: c_int) -> Result<(), Errno> {
    if result < 0 { Err(last()) } else { Ok(()) }
}

/// As [`checked`], for a number of bytes.
fn checked_size(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| last())
}

/// What system calls take for an address; no address is null.
fn parts(address: Option<&[u8]>) -> (*const sockaddr, socklen_t) {
    address.map_or((std::ptr::null(), 0), |bytes| {
        (bytes.as_ptr().cast(), socklen_t::try_from(bytes.len()).unwrap_or(0))
    })
}

impl System for Native {
    fn socket(&self, protocol: Protocol) -> Result<Box<dyn Socket>, Errno> {
        // SAFETY: the call takes three integers.
        let descriptor = unsafe { libc::socket(c_int::from(FAMILY), DATAGRAM, protocol as c_int) };
        checked(descriptor)?;
        // SAFETY: the kernel has just given us this descriptor.
        Ok(Box::new(Descriptor(unsafe { OwnedFd::from_raw_fd(descriptor) })))
    }
}

impl Socket for Descriptor {
    fn bind(&self, address: &[u8]) -> Result<(), Errno> {
        let (address, size) = parts(Some(address));
        // SAFETY: the kernel reads as many bytes as the address has.
        checked(unsafe { libc::bind(self.0.as_raw_fd(), address, size) })
    }

    fn connect(&self, address: &[u8]) -> Result<(), Errno> {
        let (address, size) = parts(Some(address));
        // SAFETY: the kernel reads as many bytes as the address has.
        checked(unsafe { libc::connect(self.0.as_raw_fd(), address, size) })
    }

    fn send(&self, bytes: &[u8], to: Option<&[u8]>) -> Result<(), Errno> {
        let (address, size) = parts(to);
        let data = bytes.as_ptr().cast();
        // SAFETY: the kernel reads `bytes` and the address (none where it is null), both as long as it is told.
        checked_size(unsafe { libc::sendto(self.0.as_raw_fd(), data, bytes.len(), 0, address, size) }).map(drop)
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let mut from = [0u8; LONGEST_ADDRESS];
        let mut size = LONGEST_ADDRESS as socklen_t;
        let (data, place) = (buffer.as_mut_ptr().cast(), from.as_mut_ptr().cast());
        // SAFETY: the kernel writes no more to the buffer and to `from` than they hold, and the size.
        checked_size(unsafe { libc::recvfrom(self.0.as_raw_fd(), data, buffer.len(), 0, place, &mut size) })
    }
}
