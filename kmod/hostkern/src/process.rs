//! The system calls: a process and its netgraph sockets.

use std::time::Duration;

use crate::thread::{Credentials, Vnet};
use kpi::Errno;

/// Who makes system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    pub credentials: Credentials,
    pub vnet: Vnet,
}

/// What recvfrom(2) gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Bytes put into the buffer.
    pub length: usize,
    /// The sender's `sockaddr`, `sa_len` bytes of it; empty if there was none.
    pub from: Vec<u8>,
    /// `MSG_TRUNC` and the like.
    pub flags: i32,
}

/// What an `EVFILT_READ` event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// `EV_EOF`
    pub at_end: bool,
    /// Bytes there are to read.
    pub bytes: i64,
}

/// A descriptor of a socket; the last clone closes it.
#[derive(Clone)]
pub struct Socket {}

impl Process {
    /// root of the host.
    pub const ROOT: Self = Self {
        credentials: Credentials::Root,
        vnet: Vnet(0),
    };
    /// A user of the host without privileges.
    pub const USER: Self = Self {
        credentials: Credentials::User,
        vnet: Vnet(0),
    };

    /// socket(2)
    pub fn socket(self, _domain: i32, _kind: i32, _protocol: i32) -> Result<Socket, Errno> {
        todo!()
    }
}

impl Socket {
    /// The same descriptor in another process, as if passed to it: later calls are made with its credentials.
    pub fn in_process(&self, _process: Process) -> Self {
        todo!()
    }

    /// bind(2); `name` is what the process passes, `sa_len` is overwritten by its length as getsockaddr() does.
    pub fn bind(&self, _name: &[u8]) -> Result<(), Errno> {
        todo!()
    }

    /// connect(2)
    pub fn connect(&self, _name: &[u8]) -> Result<(), Errno> {
        todo!()
    }

    /// sendmsg(2); SIGPIPE, if it comes, is counted in [`Socket::broken_pipes`].
    pub fn send(
        &self,
        _data: &[u8],
        _flags: i32,
        _to: Option<&[u8]>,
        _ancillary: Option<&[u8]>,
    ) -> Result<usize, Errno> {
        todo!()
    }

    /// recvfrom(2)
    pub fn receive(&self, _buffer: &mut [u8], _flags: i32) -> Result<Received, Errno> {
        todo!()
    }

    /// getsockname(2): a whole `sockaddr`.
    pub fn name(&self) -> Result<Vec<u8>, Errno> {
        todo!()
    }

    /// getsockopt(2) of an int of `SOL_SOCKET`; FreeBSD's numbers.
    pub fn option(&self, _option: i32) -> Result<i32, Errno> {
        todo!()
    }

    /// setsockopt(2) of an int of `SOL_SOCKET`.
    pub fn set_option(&self, _option: i32, _value: i32) -> Result<(), Errno> {
        todo!()
    }

    /// `SO_SNDTIMEO` or `SO_RCVTIMEO`; zero is for ever.
    pub fn set_timeout(&self, _option: i32, _timeout: Duration) -> Result<(), Errno> {
        todo!()
    }

    /// `O_NONBLOCK` (fcntl(2), FIONBIO).
    pub fn set_nonblocking(&self, _nonblocking: bool) {
        todo!()
    }

    /// shutdown(2)
    pub fn shutdown(&self, _how: i32) -> Result<(), Errno> {
        todo!()
    }

    /// poll(2): the events there are, 0 after the timeout; `None` waits for ever.
    pub fn poll(&self, _events: i16, _timeout: Option<Duration>) -> Result<i16, Errno> {
        todo!()
    }

    /// `EVFILT_READ`, now; `None` if it is not ready.
    pub fn read_event(&self) -> Option<Readiness> {
        todo!()
    }

    /// How many times a send raised SIGPIPE.
    pub fn broken_pipes(&self) -> u32 {
        todo!()
    }
}
