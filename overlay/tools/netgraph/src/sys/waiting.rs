//! Waiting for a socket.

use std::os::fd::{AsRawFd, BorrowedFd};
#[cfg(target_os = "freebsd")]
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use libc::c_int;

use super::checked;
use crate::calls::{Events, ReadEvent};
use crate::errno::Errno;

/// poll(2) for input.
pub fn poll(socket: BorrowedFd<'_>, deadline: Option<Instant>) -> Result<Events, Errno> {
    let mut entry = libc::pollfd {
        fd: socket.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: the pointer is to one `pollfd`, as the count says, borrowed mutably for the length of the call.
    checked(unsafe { libc::poll(&mut entry, 1, milliseconds_until(deadline)) })?;
    Ok(Events {
        readable: entry.revents & libc::POLLIN != 0,
        hangup: entry.revents & libc::POLLHUP != 0,
        error: entry.revents & (libc::POLLERR | libc::POLLNVAL) != 0,
    })
}

/// The time left, rounded up; -1 is for ever.
fn milliseconds_until(deadline: Option<Instant>) -> c_int {
    let Some(deadline) = deadline else { return -1 };
    let left = deadline.saturating_duration_since(Instant::now());
    c_int::try_from(left.as_micros().div_ceil(1000)).unwrap_or(c_int::MAX)
}

/// kqueue(2) with one `EVFILT_READ`.
#[cfg(target_os = "freebsd")]
pub fn read_event(socket: BorrowedFd<'_>, within: Duration) -> Result<Option<ReadEvent>, Errno> {
    // SAFETY: no arguments.
    let queue = checked(unsafe { libc::kqueue() })?;
    // SAFETY: the kernel has just given this descriptor to us, and nobody else knows it.
    let queue = unsafe { OwnedFd::from_raw_fd(queue) };
    // SAFETY: kevent is made of integers and a pointer, for which zero is a value.
    let mut event: libc::kevent = unsafe { std::mem::zeroed() };
    event.ident = usize::try_from(socket.as_raw_fd()).map_err(|_| Errno::EBADF)?;
    event.filter = libc::EVFILT_READ;
    event.flags = libc::EV_ADD;
    let change = event;
    let time = libc::timespec {
        tv_sec: libc::time_t::try_from(within.as_secs()).map_err(|_| Errno::EINVAL)?,
        tv_nsec: libc::c_long::from(within.subsec_nanos()),
    };
    let (descriptor, change, event_place) = (queue.as_raw_fd(), &raw const change, &raw mut event);
    // SAFETY: the kernel reads one change and the time, and writes at most one event.
    let count = checked(unsafe { libc::kevent(descriptor, change, 1, event_place, 1, &raw const time) })?;
    Ok((count > 0).then_some(ReadEvent {
        at_end: event.flags & libc::EV_EOF != 0,
        bytes: event.data,
    }))
}

/// No other system has it as FreeBSD does.
#[cfg(not(target_os = "freebsd"))]
pub fn read_event(_: BorrowedFd<'_>, _: Duration) -> Result<Option<ReadEvent>, Errno> {
    Err(Errno::ENOSYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_rounded_up() {
        assert_eq!(milliseconds_until(None), -1);
        assert_eq!(milliseconds_until(Some(Instant::now())), 0);
    }
}
