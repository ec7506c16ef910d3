//! The running kernel's netgraph sockets.

use std::ffi::CString;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::calls::{Datagram, Direction, Events, Outgoing, ReadEvent, SocketCalls, SocketOption, Wait};
use crate::errno::Errno;
use crate::sys;
use crate::transport::{Protocol, Transport};

/// The module that gives the kernel its netgraph sockets.
const SOCKET_MODULE: &str = "ng_socket";

/// The running FreeBSD kernel. On other systems every call says EAFNOSUPPORT.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kernel;

impl Transport for Kernel {
    type Endpoint = KernelSocket;

    /// Opens a socket; where the kernel does not know the family or protocol, loads ng_socket first.
    fn open(&self, protocol: Protocol) -> Result<KernelSocket, Errno> {
        match KernelSocket::new(protocol) {
            Err(unknown @ (Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT)) => {
                self.load_module(SOCKET_MODULE).map_err(|error| match error {
                    Errno::ENOENT => unknown,
                    error => error,
                })?;
                KernelSocket::new(protocol)
            }
            result => result,
        }
    }

    fn load_module(&self, name: &str) -> Result<(), Errno> {
        let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
        match sys::load_module(&name) {
            Err(Errno::EEXIST) => Ok(()),
            result => result,
        }
    }
}

/// A socket of the running kernel.
#[derive(Debug)]
pub struct KernelSocket(OwnedFd);

impl KernelSocket {
    /// socket(2), and nothing else: no module is loaded.
    ///
    /// # Errors
    /// EPERM without the privilege, EAFNOSUPPORT or EPROTONOSUPPORT where there is no netgraph.
    pub fn new(protocol: Protocol) -> Result<Self, Errno> {
        if !cfg!(target_os = "freebsd") {
            return Err(Errno::EAFNOSUPPORT);
        }
        let number = match protocol {
            Protocol::Data => 1,
            Protocol::Control => 2,
        };
        sys::socket(number).map(Self)
    }
}

impl AsFd for KernelSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for KernelSocket {
    /// A netgraph socket that another process made.
    fn from(socket: OwnedFd) -> Self {
        Self(socket)
    }
}

impl From<KernelSocket> for OwnedFd {
    fn from(socket: KernelSocket) -> Self {
        socket.0
    }
}

impl SocketCalls for KernelSocket {
    fn bind(&self, address: &[u8]) -> Result<(), Errno> {
        sys::bind(self.as_fd(), address)
    }

    fn connect(&self, address: &[u8]) -> Result<(), Errno> {
        sys::connect(self.as_fd(), address)
    }

    fn sendmsg(&self, message: &Outgoing<'_>) -> Result<usize, Errno> {
        sys::sendmsg(self.as_fd(), message)
    }

    fn recvfrom(&self, buffer: &mut [u8], wait: Wait) -> Result<Datagram, Errno> {
        sys::recvfrom(self.as_fd(), buffer, wait)
    }

    fn writev(&self, parts: &[IoSlice<'_>]) -> Result<usize, Errno> {
        sys::writev(self.as_fd(), parts)
    }

    fn readv(&self, parts: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        sys::readv(self.as_fd(), parts)
    }

    fn getsockname(&self) -> Result<Vec<u8>, Errno> {
        sys::getsockname(self.as_fd())
    }

    fn getsockopt(&self, option: SocketOption) -> Result<i32, Errno> {
        sys::getsockopt(self.as_fd(), option)
    }

    fn setsockopt(&self, option: SocketOption, value: i32) -> Result<(), Errno> {
        sys::setsockopt(self.as_fd(), option, value)
    }

    fn set_timeout(&self, direction: Direction, timeout: Duration) -> Result<(), Errno> {
        sys::set_timeout(self.as_fd(), direction, timeout)
    }

    fn set_wait(&self, wait: Wait) -> Result<(), Errno> {
        sys::set_wait(self.as_fd(), wait)
    }

    fn shutdown(&self, direction: Direction) -> Result<(), Errno> {
        sys::shutdown(self.as_fd(), direction)
    }

    fn poll(&self, deadline: Option<Instant>) -> Result<Events, Errno> {
        sys::poll(self.as_fd(), deadline)
    }

    fn read_event(&self, within: Duration) -> Result<Option<ReadEvent>, Errno> {
        sys::read_event(self.as_fd(), within)
    }
}

#[cfg(all(test, not(target_os = "freebsd")))]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_netgraph_elsewhere() {
        assert_eq!(Kernel.open(Protocol::Control).err(), Some(Errno::EAFNOSUPPORT));
        assert_eq!(Kernel.load_module("ng_ether").err(), Some(Errno::EAFNOSUPPORT));
    }
}
