//! The system calls on one socket, as a kernel takes them: every argument can be wrong.
//!
//! What the rest of the library needs of them is [`Endpoint`](crate::Endpoint), which every socket with these calls is.

use std::io::{IoSlice, IoSliceMut};
use std::time::{Duration, Instant};

use crate::errno::Errno;
pub use endpoint::{address_text, socket_address};

mod endpoint;

/// `PF_NETGRAPH` (sys/socket.h).
pub const FAMILY: u8 = 32;

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
