//! A socket with system calls as an [`Endpoint`]: addresses as text, never a wait where none is wanted.

use std::time::Instant;

use super::{BrokenPipe, Datagram, Events, FAMILY, Outgoing, SocketCalls, SocketOption, Wait};
use crate::errno::Errno;
use crate::transport::{Endpoint, Received};
use crate::wire::until_zero;

/// Bytes of a `struct sockaddr_ng` before its text: `sg_len` and `sg_family`.
const HEAD: usize = 2;

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
