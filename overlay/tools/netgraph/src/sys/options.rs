//! Options and modes of a socket.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use libc::{c_int, c_void, socklen_t};

use super::checked;
use crate::calls::{Direction, SocketOption, Wait};
use crate::errno::Errno;

/// FreeBSD's number of an option.
const fn number(option: SocketOption) -> c_int {
    match option {
        SocketOption::SendBuffer => libc::SO_SNDBUF,
        SocketOption::ReceiveBuffer => libc::SO_RCVBUF,
        SocketOption::Error => libc::SO_ERROR,
        // sys/socket.h of FreeBSD; other systems have none.
        SocketOption::ReceiveErrors => 0x0002_0000,
    }
}

/// setsockopt(2) of an integer of the socket level.
pub fn setsockopt(socket: BorrowedFd<'_>, option: SocketOption, value: c_int) -> Result<(), Errno> {
    let place: *const c_void = (&raw const value).cast();
    let size = size_of::<c_int>() as socklen_t;
    // SAFETY: the kernel reads one `c_int` behind the pointer, which is to a local variable of that type.
    checked(unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, number(option), place, size) }).map(drop)
}

/// getsockopt(2) of an integer of the socket level.
pub fn getsockopt(socket: BorrowedFd<'_>, option: SocketOption) -> Result<c_int, Errno> {
    let mut value: c_int = 0;
    let place: *mut c_void = (&raw mut value).cast();
    let mut size = size_of::<c_int>() as socklen_t;
    // SAFETY: the kernel writes at most `size` bytes, those of the local `c_int` behind the pointer, and the size itself.
    checked(unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, number(option), place, &mut size) })?;
    Ok(value)
}

/// setsockopt(2) of a time limit.
pub fn set_timeout(socket: BorrowedFd<'_>, direction: Direction, timeout: Duration) -> Result<(), Errno> {
    let option = match direction {
        Direction::Receive => libc::SO_RCVTIMEO,
        Direction::Send => libc::SO_SNDTIMEO,
    };
    let value = libc::timeval {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).map_err(|_| Errno::EDOM)?,
        tv_usec: libc::suseconds_t::from(timeout.subsec_micros()),
    };
    let place: *const c_void = (&raw const value).cast();
    let size = size_of::<libc::timeval>() as socklen_t;
    // SAFETY: the kernel reads one `timeval` behind the pointer, which is to a local variable of that type.
    checked(unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, place, size) }).map(drop)
}

/// fcntl(2) `O_NONBLOCK`.
pub fn set_wait(socket: BorrowedFd<'_>, wait: Wait) -> Result<(), Errno> {
    let flags = match wait {
        Wait::Blocking => 0,
        Wait::Never => libc::O_NONBLOCK,
    };
    // SAFETY: integers only.
    checked(unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_SETFL, flags) }).map(drop)
}
