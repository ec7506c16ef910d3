//! What carries netgraph sockets: FreeBSD's kernel, or anything that behaves like it.

use std::time::Instant;

use crate::errno::Errno;

/// The protocols of the netgraph family (netgraph/ng_socket.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "hosted", derive(serde::Serialize, serde::Deserialize))]
pub enum Protocol {
    /// `NG_DATA`, 1: packets.
    Data,
    /// `NG_CONTROL`, 2: control messages; opening it makes the node.
    Control,
}

/// A place where netgraph sockets can be opened.
pub trait Transport {
    /// An open socket; closed when dropped.
    type Endpoint: Endpoint;

    /// socket(2): opens a socket, loading what that needs.
    ///
    /// # Errors
    /// EPERM without the privilege, EAFNOSUPPORT or EPROTONOSUPPORT where there is no netgraph.
    fn open(&self, protocol: Protocol) -> Result<Self::Endpoint, Errno>;

    /// kldload(2): loads a kernel module by name. One that is loaded already is no error.
    ///
    /// # Errors
    /// ENOENT when there is none, EPERM without the privilege, and others.
    fn load_module(&self, name: &str) -> Result<(), Errno>;
}

/// One datagram: how many bytes of the buffer it filled, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Bytes written to the buffer; what did not fit is lost.
    pub length: usize,
    /// The sender's address (`[id]:`), or the hook's name on a data socket; without the terminating zero.
    pub from: String,
}

/// An open netgraph socket: the calls of ng_socket(4), with addresses as text.
///
/// Addresses are what stands in `sg_data`, without the terminating zero, at most
/// [`MAX_ADDRESS`](crate::MAX_ADDRESS) bytes.
pub trait Endpoint {
    /// bind(2): names the node (control sockets).
    ///
    /// # Errors
    /// EADDRINUSE for a taken name, EINVAL for a malformed or second one.
    fn bind(&self, name: &str) -> Result<(), Errno>;

    /// connect(2): attaches to a socket node (data sockets).
    ///
    /// # Errors
    /// ENOENT, EINVAL for a node of another type, EADDRINUSE, EISCONN.
    fn connect(&self, address: &str) -> Result<(), Errno>;

    /// sendto(2), or send(2) without an address.
    ///
    /// # Errors
    /// Those of ng_socket(4), and for a control message the error with which its destination answered.
    fn send(&self, bytes: &[u8], to: Option<&str>) -> Result<(), Errno>;

    /// recvfrom(2), never waiting: None when nothing is there.
    ///
    /// # Errors
    /// ENOTCONN when the node is gone, ENOBUFS when something was lost.
    fn receive(&self, buffer: &mut [u8]) -> Result<Option<Received>, Errno>;

    /// poll(2): waits until something can be received, or until the deadline; without one, for ever.
    ///
    /// Returns whether there is something, an error included.
    ///
    /// # Errors
    /// EINTR at a signal.
    fn wait(&self, deadline: Option<Instant>) -> Result<bool, Errno>;

    /// Asks for room for that many bytes to be received, and returns how many there are now.
    ///
    /// # Errors
    /// The buffer's size cannot be read.
    fn reserve(&self, bytes: usize) -> Result<usize, Errno>;
}
