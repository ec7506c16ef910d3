//! The system calls: the only place with `unsafe` in this library.
//!
//! It compiles on every Unix, so that it is checked wherever the library is; [`crate::Kernel`] calls it on FreeBSD only.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Instant;

use libc::{c_int, c_void, sockaddr, socklen_t};

use crate::errno::Errno;

/// `PF_NETGRAPH` (sys/socket.h).
const FAMILY: u8 = 32;

/// Bytes before the address's text: `sg_len` and `sg_family`.
const HEAD: usize = 2;

/// The largest size of a socket address: what `sg_len` can say.
const MAX_SIZE: usize = 255;

/// `struct sockaddr_ng` (netgraph/ng_socket.h), with room for the longest address.
///
/// Its `sg_data` is declared with 14 bytes by FreeBSD 14 and with 32 by FreeBSD 15, and filled to `sg_len` by both.
#[repr(C, align(8))]
pub struct SocketAddress {
    bytes: [u8; MAX_SIZE + 1],
    size: socklen_t,
}

impl SocketAddress {
    /// The address with that text and a zero behind it.
    pub fn new(text: &str) -> Result<Self, Errno> {
        let size = HEAD + text.len() + 1;
        let length = u8::try_from(size).map_err(|_| Errno::EINVAL)?;
        let mut bytes = [0; MAX_SIZE + 1];
        bytes[0] = length;
        bytes[1] = FAMILY;
        bytes[HEAD..HEAD + text.len()].copy_from_slice(text.as_bytes());
        Ok(Self {
            bytes,
            size: socklen_t::from(length),
        })
    }

    fn empty() -> Self {
        Self {
            bytes: [0; MAX_SIZE + 1],
            size: MAX_SIZE as socklen_t,
        }
    }

    /// The text up to the first zero.
    pub fn text(&self) -> String {
        let end = (self.size as usize).clamp(HEAD, MAX_SIZE);
        crate::wire::until_zero(&self.bytes[HEAD..end])
    }

    fn pointer(&self) -> *const sockaddr {
        self.bytes.as_ptr().cast()
    }
}

fn checked(result: c_int) -> Result<c_int, Errno> {
    if result < 0 { Err(Errno::last()) } else { Ok(result) }
}

fn checked_size(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| Errno::last())
}

/// socket(2): a datagram socket of the netgraph family, closed on exec.
pub fn socket(protocol: c_int) -> Result<OwnedFd, Errno> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: the call takes three integers and touches no memory of ours.
    let descriptor = checked(unsafe { libc::socket(c_int::from(FAMILY), kind, protocol) })?;
    // SAFETY: the kernel has just given this descriptor to us, and nobody else knows it, so owning it is ours to take.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// bind(2).
pub fn bind(socket: BorrowedFd<'_>, address: &SocketAddress) -> Result<(), Errno> {
    // SAFETY: the kernel reads `size` bytes behind the pointer; `address` has that many, initialised, and is borrowed
    // for the length of the call.
    checked(unsafe { libc::bind(socket.as_raw_fd(), address.pointer(), address.size) }).map(drop)
}

/// connect(2).
pub fn connect(socket: BorrowedFd<'_>, address: &SocketAddress) -> Result<(), Errno> {
    // SAFETY: as for `bind`: `size` initialised bytes lie behind the pointer until the call returns.
    checked(unsafe { libc::connect(socket.as_raw_fd(), address.pointer(), address.size) }).map(drop)
}

/// sendto(2), without SIGPIPE.
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8], to: Option<&SocketAddress>) -> Result<usize, Errno> {
    let (address, size) = to.map_or((std::ptr::null(), 0), |to| (to.pointer(), to.size));
    let data: *const c_void = bytes.as_ptr().cast();
    let flags = libc::MSG_NOSIGNAL;
    // SAFETY: the kernel reads `bytes.len()` bytes of `bytes` and `size` bytes of the address (none when it is null);
    // both are borrowed for the length of the call.
    checked_size(unsafe { libc::sendto(socket.as_raw_fd(), data, bytes.len(), flags, address, size) })
}

/// recvfrom(2), without waiting.
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<(usize, SocketAddress), Errno> {
    let mut from = SocketAddress::empty();
    let data: *mut c_void = buffer.as_mut_ptr().cast();
    let address: *mut sockaddr = from.bytes.as_mut_ptr().cast();
    let flags = libc::MSG_DONTWAIT;
    // SAFETY: the kernel writes at most `buffer.len()` bytes to `buffer` and at most `size` (255) bytes to the 256 of
    // `from.bytes`, and both are borrowed mutably and apart from each other for the length of the call.
    let length = checked_size(unsafe {
        libc::recvfrom(socket.as_raw_fd(), data, buffer.len(), flags, address, &mut from.size)
    })?;
    Ok((length, from))
}

/// poll(2): whether the socket has something to read, or an error, before the deadline.
pub fn wait(socket: BorrowedFd<'_>, deadline: Option<Instant>) -> Result<bool, Errno> {
    let mut entry = libc::pollfd {
        fd: socket.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: the pointer is to one `pollfd`, as the count says, borrowed mutably for the length of the call.
    checked(unsafe { libc::poll(&mut entry, 1, milliseconds_until(deadline)) }).map(|ready| ready > 0)
}

/// The time left, rounded up; -1 is for ever.
fn milliseconds_until(deadline: Option<Instant>) -> c_int {
    let Some(deadline) = deadline else { return -1 };
    let left = deadline.saturating_duration_since(Instant::now());
    c_int::try_from(left.as_micros().div_ceil(1000)).unwrap_or(c_int::MAX)
}

/// setsockopt(2) SO_RCVBUF, in bytes.
pub fn set_receive_buffer(socket: BorrowedFd<'_>, bytes: c_int) -> Result<(), Errno> {
    let value: *const c_void = (&raw const bytes).cast();
    let size = size_of::<c_int>() as socklen_t;
    // SAFETY: the kernel reads one `c_int` behind the pointer, which is to a local variable of that type.
    checked(unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, value, size) }).map(drop)
}

/// getsockopt(2) SO_RCVBUF, in bytes.
pub fn receive_buffer(socket: BorrowedFd<'_>) -> Result<usize, Errno> {
    let mut bytes: c_int = 0;
    let value: *mut c_void = (&raw mut bytes).cast();
    let mut size = size_of::<c_int>() as socklen_t;
    // SAFETY: the kernel writes at most `size` bytes, those of the local `c_int` behind the pointer, and the size itself.
    checked(unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, value, &mut size) })?;
    usize::try_from(bytes).map_err(|_| Errno::EINVAL)
}

/// kldload(2).
#[cfg(target_os = "freebsd")]
pub fn load_module(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the declaration is that of sys/linker.h, where the function has been the same since FreeBSD 3.
    unsafe extern "C" {
        fn kldload(file: *const libc::c_char) -> c_int;
    }
    // SAFETY: the kernel reads a zero-terminated string, which a `CStr` is, borrowed for the length of the call.
    checked(unsafe { kldload(name.as_ptr()) }).map(drop)
}

/// No other system loads FreeBSD's modules.
#[cfg(not(target_os = "freebsd"))]
pub fn load_module(_: &CStr) -> Result<(), Errno> {
    Err(Errno::EAFNOSUPPORT)
}

impl Errno {
    /// The calling thread's last error.
    fn last() -> Self {
        io::Error::last_os_error().raw_os_error().map_or(Self::EIO, Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_length_family_text_zero() {
        let address = SocketAddress::new("br0:").unwrap();
        assert_eq!(&address.bytes[..8], b"\x07\x20br0:\0\0");
        assert_eq!((address.size, address.text().as_str()), (7, "br0:"));
    }

    #[test]
    fn the_longest_address_has_252_bytes() {
        assert!(SocketAddress::new(&"x".repeat(252)).is_ok());
        assert_eq!(SocketAddress::new(&"x".repeat(253)).err(), Some(Errno::EINVAL));
    }

    #[test]
    fn waiting_is_rounded_up() {
        assert_eq!(milliseconds_until(None), -1);
        assert_eq!(milliseconds_until(Some(Instant::now())), 0);
    }
}
