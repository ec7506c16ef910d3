//! The system calls on one socket, as a kernel takes them: every argument can be wrong.
//!
//! What the rest of the library needs of them is [`Endpoint`], which every socket with these calls is.

use std::io::{IoSlice, IoSliceMut};
use std::time::{Duration, Instant};

use crate::errno::Errno;
use crate::transport::{Endpoint, Received};
use crate::wire::until_zero;

/// `PF_NETGRAPH` (sys/socket.h).
pub const FAMILY: u8 = 32;

/// Bytes of a `struct sockaddr_ng` before its text: `sg_len` and `sg_family`.
const HEAD: usize = 2;

/// Whether a call may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "hosted", derive(serde::Serialize, serde::Deserialize))]
pub enum Wait {
    /// Until it can be done, or as long as the socket's options say.
    Blocking,
    /// Not at all: `MSG_DONTWAIT`, `O_NONBLOCK`.
    Never,
}

/// What a call says that writes to what has no reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "hosted", derive(serde::Serialize, serde::Deserialize))]
pub enum BrokenPipe {
    /// EPIPE, and nothing else: `MSG_NOSIGNAL`.
    Error,
    /// EPIPE and the signal SIGPIPE, as is usual.
    Signal,
}

/// A direction of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "hosted", derive(serde::Serialize, serde::Deserialize))]
pub enum Direction {
    /// From the socket to the process.
    Receive,
    /// From the process to the socket.
    Send,
}

/// An option of the level `SOL_SOCKET` whose value is an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "hosted", derive(serde::Serialize, serde::Deserialize))]
pub enum SocketOption {
    /// `SO_SNDBUF`, in bytes.
    SendBuffer,
    /// `SO_RCVBUF`, in bytes.
    ReceiveBuffer,
    /// `SO_ERROR`: what went wrong meanwhile, told once.
    Error,
    /// `SO_RERROR`: whether the reader is told of what was lost.
    ReceiveErrors,
}

/// What sendmsg(2) is given.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The datagram.
    pub bytes: &'a [u8],
    /// A `struct sockaddr`, as long as it is here.
    pub to: Option<&'a [u8]>,
    /// Ancillary data: the `struct cmsghdr` and what follows it.
    pub ancillary: Option<&'a [u8]>,
    /// Whether the call may wait.
    pub wait: Wait,
    /// What happens when nobody reads.
    pub broken_pipe: BrokenPipe,
}

/// What recvfrom(2) gave.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "hosted", derive(serde::Serialize, serde::Deserialize))]
pub struct Datagram {
    /// Bytes written to the buffer; what did not fit is lost.
    pub length: usize,
    /// The sender's `struct sockaddr`; empty if there was none.
    pub from: Vec<u8>,
}

/// What poll(2) reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "hosted", derive(serde::Serialize, serde::Deserialize))]
pub struct Events {
    /// `POLLIN`
    pub readable: bool,
    /// `POLLHUP`
    pub hangup: bool,
    /// `POLLERR`, `POLLNVAL`
    pub error: bool,
}

/// What kevent(2) reports for `EVFILT_READ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "hosted", derive(serde::Serialize, serde::Deserialize))]
pub struct ReadEvent {
    /// `EV_EOF`
    pub at_end: bool,
    /// Bytes there are to read.
    pub bytes: i64,
}

/// The system calls on an open socket. The errors are those of ng_socket(4) and of the call's own manual page.
#[allow(clippy::missing_errors_doc, reason = "said above, once for all calls")]
pub trait SocketCalls: Send + Sync {
    /// bind(2) to a `struct sockaddr`.
    fn bind(&self, address: &[u8]) -> Result<(), Errno>;

    /// connect(2) to a `struct sockaddr`.
    fn connect(&self, address: &[u8]) -> Result<(), Errno>;

    /// sendmsg(2)
    fn sendmsg(&self, message: &Outgoing<'_>) -> Result<usize, Errno>;

    /// recvfrom(2)
    fn recvfrom(&self, buffer: &mut [u8], wait: Wait) -> Result<Datagram, Errno>;

    /// writev(2); write(2) if there is one part. Unless the backend has such a call, sendmsg without an address.
    fn writev(&self, parts: &[IoSlice<'_>]) -> Result<usize, Errno> {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.sendmsg(&Outgoing {
            bytes: &bytes,
            to: None,
            ancillary: None,
            wait: Wait::Blocking,
            broken_pipe: BrokenPipe::Signal,
        })
    }

    /// readv(2); read(2) if there is one part. Unless the backend has such a call, recvfrom into one buffer.
    fn readv(&self, parts: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        let mut bytes = vec![0; parts.iter().map(|part| part.len()).sum()];
        let length = self.recvfrom(&mut bytes, Wait::Blocking)?.length;
        let mut rest = &bytes[..length];
        for part in parts {
            let (now, later) = rest.split_at(part.len().min(rest.len()));
            part[..now.len()].copy_from_slice(now);
            rest = later;
        }
        Ok(length)
    }

    /// getsockname(2): a whole `struct sockaddr`.
    fn getsockname(&self) -> Result<Vec<u8>, Errno>;

    /// getsockopt(2)
    fn getsockopt(&self, option: SocketOption) -> Result<i32, Errno>;

    /// setsockopt(2)
    fn setsockopt(&self, option: SocketOption, value: i32) -> Result<(), Errno>;

    /// `SO_SNDTIMEO` or `SO_RCVTIMEO`; zero is for ever.
    fn set_timeout(&self, direction: Direction, timeout: Duration) -> Result<(), Errno>;

    /// `O_NONBLOCK` (fcntl(2)).
    fn set_wait(&self, wait: Wait) -> Result<(), Errno>;

    /// shutdown(2) of one direction.
    fn shutdown(&self, direction: Direction) -> Result<(), Errno>;

    /// poll(2) for input: what there is at the deadline at the latest; without one, waits for ever.
    fn poll(&self, deadline: Option<Instant>) -> Result<Events, Errno>;

    /// kevent(2) with one `EVFILT_READ`: the event there is within this time.
    fn read_event(&self, within: Duration) -> Result<Option<ReadEvent>, Errno>;
}

/// A `struct sockaddr_ng` with that text and a zero behind it.
///
/// # Errors
/// EINVAL for more than [`MAX_ADDRESS`](crate::MAX_ADDRESS) bytes.
pub fn socket_address(text: &str) -> Result<Vec<u8>, Errno> {
    let length = u8::try_from(HEAD + text.len() + 1).map_err(|_| Errno::EINVAL)?;
    Ok([&[length, FAMILY], text.as_bytes(), &[0]].concat())
}

/// The text of a `struct sockaddr_ng`, up to the first zero.
#[must_use]
pub fn address_text(address: &[u8]) -> String {
    until_zero(address.get(HEAD..).unwrap_or_default())
}

impl<S: SocketCalls> Endpoint for S {
    fn bind(&self, name: &str) -> Result<(), Errno> {
        SocketCalls::bind(self, &socket_address(name)?)
    }

    fn connect(&self, address: &str) -> Result<(), Errno> {
        SocketCalls::connect(self, &socket_address(address)?)
    }

    fn send(&self, bytes: &[u8], to: Option<&str>) -> Result<(), Errno> {
        let to = to.map(socket_address).transpose()?;
        let message = Outgoing {
            bytes,
            to: to.as_deref(),
            ancillary: None,
            wait: Wait::Blocking,
            broken_pipe: BrokenPipe::Error,
        };
        self.sendmsg(&message).map(drop)
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<Option<Received>, Errno> {
        match self.recvfrom(buffer, Wait::Never) {
            // The stock module tells the end of the node by an end of file; a datagram always has a sender.
            Ok(Datagram { length: 0, from }) if from.is_empty() => Err(Errno::ENOTCONN),
            Ok(Datagram { length, from }) => Ok(Some(Received {
                length,
                from: address_text(&from),
            })),
            Err(Errno::EAGAIN) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<bool, Errno> {
        self.poll(deadline).map(|events| events != Events::default())
    }

    fn reserve(&self, bytes: usize) -> Result<usize, Errno> {
        // The system's limit (kern.ipc.maxsockbuf) is for root to set; what it refuses, half of it may be granted.
        let mut wanted = i32::try_from(bytes).unwrap_or(i32::MAX);
        let granted = self.getsockopt(SocketOption::ReceiveBuffer)?;
        while wanted > granted && self.setsockopt(SocketOption::ReceiveBuffer, wanted).is_err() {
            wanted /= 2;
        }
        let size = self.getsockopt(SocketOption::ReceiveBuffer)?;
        usize::try_from(size).map_err(|_| Errno::EINVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_length_family_text_zero() {
        let address = socket_address("br0:").unwrap();
        assert_eq!(address, b"\x07\x20br0:\0");
        assert_eq!(address_text(&address), "br0:");
    }

    #[test]
    fn the_longest_address_has_252_bytes() {
        assert!(socket_address(&"x".repeat(252)).is_ok());
        assert_eq!(socket_address(&"x".repeat(253)).err(), Some(Errno::EINVAL));
    }
}
