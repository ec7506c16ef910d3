//! The system calls that the cases need.

use crate::errno::Errno;

/// `PF_NETGRAPH` (sys/socket.h).
pub const FAMILY: u8 = 32;
/// `SOCK_DGRAM` (sys/socket.h).
pub const DATAGRAM: i32 = 2;

/// What a socket carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `NG_DATA`
    Data = 1,
    /// `NG_CONTROL`
    Control = 2,
}

/// A system with netgraph.
pub trait System {
    /// socket(2)
    fn socket(&self, protocol: Protocol) -> Result<Box<dyn Socket>, Errno>;
}

/// A socket; closed when dropped. Addresses are whole `sockaddr_ng`s.
pub trait Socket {
    /// bind(2)
    fn bind(&self, address: &[u8]) -> Result<(), Errno>;
    /// connect(2)
    fn connect(&self, address: &[u8]) -> Result<(), Errno>;
    /// sendto(2)
    fn send(&self, bytes: &[u8], to: Option<&[u8]>) -> Result<(), Errno>;
    /// recvfrom(2) with the sender's address; how many bytes came.
    fn receive(&self, buffer: &mut [u8]) -> Result<usize, Errno>;
}
