//! The running kernel's netgraph sockets.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use crate::errno::Errno;
use crate::sys::{self, SocketAddress};
use crate::transport::{Endpoint, Protocol, Received, Transport};

/// The module that gives the kernel its netgraph sockets.
const SOCKET_MODULE: &str = "ng_socket";

/// The running FreeBSD kernel. On other systems every call says EAFNOSUPPORT.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kernel;

impl Transport for Kernel {
    type Endpoint = KernelSocket;

    /// Opens a socket; where the kernel does not know the family or protocol, loads ng_socket first.
    fn open(&self, protocol: Protocol) -> Result<KernelSocket, Errno> {
        if !cfg!(target_os = "freebsd") {
            return Err(Errno::EAFNOSUPPORT);
        }
        let number = match protocol {
            Protocol::Data => 1,
            Protocol::Control => 2,
        };
        let opened = match sys::socket(number) {
            Err(unknown @ (Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT)) => {
                self.load_module(SOCKET_MODULE).map_err(|error| match error {
                    Errno::ENOENT => unknown,
                    error => error,
                })?;
                sys::socket(number)
            }
            result => result,
        };
        opened.map(KernelSocket)
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

impl AsFd for KernelSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<KernelSocket> for OwnedFd {
    fn from(socket: KernelSocket) -> Self {
        socket.0
    }
}

impl Endpoint for KernelSocket {
    fn bind(&self, name: &str) -> Result<(), Errno> {
        sys::bind(self.as_fd(), &SocketAddress::new(name)?)
    }

    fn connect(&self, address: &str) -> Result<(), Errno> {
        sys::connect(self.as_fd(), &SocketAddress::new(address)?)
    }

    fn send(&self, bytes: &[u8], to: Option<&str>) -> Result<(), Errno> {
        let address = to.map(SocketAddress::new).transpose()?;
        sys::send(self.as_fd(), bytes, address.as_ref()).map(drop)
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<Option<Received>, Errno> {
        match sys::receive(self.as_fd(), buffer) {
            Ok((length, from)) => {
                let from = from.text();
                // The stock module tells the end of the node by an end of file; a datagram always has a sender.
                if length == 0 && from.is_empty() {
                    return Err(Errno::ENOTCONN);
                }
                Ok(Some(Received { length, from }))
            }
            Err(Errno::EAGAIN) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<bool, Errno> {
        sys::wait(self.as_fd(), deadline)
    }

    fn reserve(&self, bytes: usize) -> Result<usize, Errno> {
        // The system's limit (kern.ipc.maxsockbuf) is for root to set; what it refuses, half of it may be granted.
        let mut wanted = i32::try_from(bytes).unwrap_or(i32::MAX);
        let granted = sys::receive_buffer(self.as_fd())?;
        while usize::try_from(wanted).is_ok_and(|wanted| wanted > granted) {
            if sys::set_receive_buffer(self.as_fd(), wanted).is_ok() {
                break;
            }
            wanted /= 2;
        }
        sys::receive_buffer(self.as_fd())
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
