//! The system calls: this folder is the only place with `unsafe` in this library.
//!
//! It compiles on every Unix, so that it is checked wherever the library is; [`crate::Kernel`] calls it on FreeBSD only.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{c_int, c_void, sockaddr, socklen_t};

use crate::calls::{BrokenPipe, Datagram, Direction, FAMILY, Outgoing, Wait};
use crate::errno::Errno;
pub use module::load_module;
pub use options::{getsockopt, set_timeout, set_wait, setsockopt};
pub use waiting::{poll, read_event};

mod module;
mod options;
mod waiting;

/// The largest size of a socket address: what `sg_len` can say.
const MAX_ADDRESS_SIZE: usize = 255;

fn checked(result: c_int) -> Result<c_int, Errno> {
    if result < 0 { Err(Errno::last()) } else { Ok(result) }
}

fn checked_size(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| Errno::last())
}

/// The size of an address; one that is too large for the type is too large for the kernel.
fn size_of_address(address: &[u8]) -> socklen_t {
    socklen_t::try_from(address.len()).unwrap_or(socklen_t::MAX)
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
pub fn bind(socket: BorrowedFd<'_>, address: &[u8]) -> Result<(), Errno> {
    let pointer: *const sockaddr = address.as_ptr().cast();
    // SAFETY: the kernel reads as many bytes as the slice has, which is borrowed for the length of the call.
    checked(unsafe { libc::bind(socket.as_raw_fd(), pointer, size_of_address(address)) }).map(drop)
}

/// connect(2).
pub fn connect(socket: BorrowedFd<'_>, address: &[u8]) -> Result<(), Errno> {
    let pointer: *const sockaddr = address.as_ptr().cast();
    // SAFETY: the kernel reads as many bytes as the slice has, which is borrowed for the length of the call.
    checked(unsafe { libc::connect(socket.as_raw_fd(), pointer, size_of_address(address)) }).map(drop)
}

/// sendmsg(2).
pub fn sendmsg(socket: BorrowedFd<'_>, message: &Outgoing<'_>) -> Result<usize, Errno> {
    let mut part = IoSlice::new(message.bytes);
    // SAFETY: msghdr is made of integers and pointers, for which zero is a value.
    let mut head: libc::msghdr = unsafe { std::mem::zeroed() };
    if let Some(to) = message.to {
        head.msg_name = to.as_ptr().cast_mut().cast();
        head.msg_namelen = size_of_address(to);
    }
    // An IoSlice is an iovec (std::io::IoSlice says so).
    head.msg_iov = (&raw mut part).cast();
    head.msg_iovlen = 1;
    if let Some(ancillary) = message.ancillary {
        head.msg_control = ancillary.as_ptr().cast_mut().cast();
        head.msg_controllen = ancillary.len() as _;
    }
    let flags = wait_flag(message.wait)
        | match message.broken_pipe {
            BrokenPipe::Error => libc::MSG_NOSIGNAL,
            BrokenPipe::Signal => 0,
        };
    // SAFETY: the kernel only reads, and every pointer in the message is null or leads to as many bytes as the length
    // beside it says, borrowed for the length of the call.
    checked_size(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const head, flags) })
}

fn wait_flag(wait: Wait) -> c_int {
    match wait {
        Wait::Blocking => 0,
        Wait::Never => libc::MSG_DONTWAIT,
    }
}

/// recvfrom(2).
pub fn recvfrom(socket: BorrowedFd<'_>, buffer: &mut [u8], wait: Wait) -> Result<Datagram, Errno> {
    let mut from = vec![0u8; MAX_ADDRESS_SIZE];
    let mut size = size_of_address(&from);
    let (data, address): (*mut c_void, *mut sockaddr) = (buffer.as_mut_ptr().cast(), from.as_mut_ptr().cast());
    let (descriptor, flags) = (socket.as_raw_fd(), wait_flag(wait));
    // SAFETY: the kernel writes at most `buffer.len()` bytes to `buffer` and at most `size` to `from`, which has as many;
    // both are borrowed mutably and apart from each other for the length of the call.
    let length = checked_size(unsafe { libc::recvfrom(descriptor, data, buffer.len(), flags, address, &mut size) })?;
    from.truncate(size as usize);
    Ok(Datagram { length, from })
}

/// writev(2), or write(2).
pub fn writev(socket: BorrowedFd<'_>, parts: &[IoSlice<'_>]) -> Result<usize, Errno> {
    let descriptor = socket.as_raw_fd();
    if let [part] = parts {
        // SAFETY: the kernel reads the part, which is borrowed for the length of the call.
        return checked_size(unsafe { libc::write(descriptor, part.as_ptr().cast(), part.len()) });
    }
    let count = c_int::try_from(parts.len()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: an IoSlice is an iovec; there are `count` of them, and what they lead to is borrowed as they are.
    checked_size(unsafe { libc::writev(descriptor, parts.as_ptr().cast(), count) })
}

/// readv(2), or read(2).
pub fn readv(socket: BorrowedFd<'_>, parts: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
    let descriptor = socket.as_raw_fd();
    if let [part] = parts {
        // SAFETY: the kernel writes at most the part's length to it, and it is borrowed mutably.
        return checked_size(unsafe { libc::read(descriptor, part.as_mut_ptr().cast(), part.len()) });
    }
    let count = c_int::try_from(parts.len()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: an IoSliceMut is an iovec; there are `count` of them, and what they lead to is borrowed mutably.
    checked_size(unsafe { libc::readv(descriptor, parts.as_mut_ptr().cast(), count) })
}

/// getsockname(2).
pub fn getsockname(socket: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0u8; MAX_ADDRESS_SIZE];
    let mut size = size_of_address(&bytes);
    let place: *mut sockaddr = bytes.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `size` bytes, which `bytes` has, and the size.
    checked(unsafe { libc::getsockname(socket.as_raw_fd(), place, &mut size) })?;
    bytes.truncate(size as usize);
    Ok(bytes)
}

/// shutdown(2).
pub fn shutdown(socket: BorrowedFd<'_>, direction: Direction) -> Result<(), Errno> {
    let how = match direction {
        Direction::Receive => libc::SHUT_RD,
        Direction::Send => libc::SHUT_WR,
    };
    // SAFETY: integers only.
    checked(unsafe { libc::shutdown(socket.as_raw_fd(), how) }).map(drop)
}

/// What a write without a reader does to its process: SIGPIPE, in the calling thread.
#[cfg(feature = "hosted")]
pub fn raise_broken_pipe() {
    // SAFETY: the call takes an integer; what the signal does, the process has chosen. It fails for unknown signals only.
    unsafe { libc::raise(libc::SIGPIPE) };
}

impl Errno {
    /// The calling thread's last error.
    fn last() -> Self {
        io::Error::last_os_error().raw_os_error().map_or(Self::EIO, Self)
    }
}
