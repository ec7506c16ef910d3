//! Nodes of sockets, and the messages that connect them.

use crate::errno::Errno;
use crate::system::{FAMILY, Protocol, Socket, System};

/// `NGM_GENERIC_COOKIE`
const GENERIC: u32 = 1_137_070_366;
/// `NG_VERSION`
const VERSION: u8 = 8;
/// `NGM_MKPEER`
const MKPEER: u32 = 2;
/// `NGM_CONNECT`
const CONNECT: u32 = 3;
/// `NGM_NODEINFO`
const NODEINFO: u32 = 6 | 0x3000_0000;

/// A `sockaddr_ng` with this text.
pub fn address(text: &str) -> Vec<u8> {
    // Length, family, the text, and a zero, which the length counts.
    let length = u8::try_from(text.len() + 3).unwrap_or(u8::MAX);
    [&[length, FAMILY], text.as_bytes(), &[0]].concat()
}

/// A control message (`struct ng_mesg`) with zero-terminated texts as arguments, each in a field of its size.
fn message(command: u32, fields: &[(&str, usize)]) -> Vec<u8> {
    let arguments: Vec<u8> = fields.iter().flat_map(|(text, size)| field(text, *size)).collect();
    let length = u32::try_from(arguments.len()).unwrap_or(u32::MAX);
    let (flags, token) = (0u32, 1u32);
    let words = [length, command, flags, token, GENERIC];
    let mut bytes = vec![VERSION, 0, 0, 0];
    bytes.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    bytes.extend(field("", 32));
    bytes.extend(arguments);
    bytes
}

fn field(text: &str, size: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(size, 0);
    bytes
}

/// `NGM_NODEINFO`: a node is asked about itself.
pub fn question() -> Vec<u8> {
    message(NODEINFO, &[])
}

/// A node with both its sockets.
pub struct Node {
    control: Box<dyn Socket>,
    data: Box<dyn Socket>,
}

impl Node {
    /// Makes a node of this name.
    pub fn new(system: &dyn System, name: &str) -> Result<Self, Errno> {
        let control = system.socket(Protocol::Control)?;
        control.bind(&address(name))?;
        let data = system.socket(Protocol::Data)?;
        data.connect(&address(&format!("{name}:")))?;
        Ok(Self { control, data })
    }

    /// Sends a packet from the data socket.
    pub fn send(&self, packet: &[u8], to: Option<&[u8]>) -> Result<(), Errno> {
        self.data.send(packet, to)
    }

    /// Receives a packet by the data socket; its length.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        self.data.receive(buffer)
    }

    /// Connects a hook of this node with a hook of the node at `path`.
    pub fn connect(&self, path: &str, ours: &str, theirs: &str) -> Result<(), Errno> {
        let message = message(CONNECT, &[(path, 512), (ours, 32), (theirs, 32)]);
        self.control.send(&message, Some(&address(".")))
    }

    /// Gives a hook of this node a node that throws away what it gets.
    pub fn connect_hole(&self, hook: &str) -> Result<(), Errno> {
        let message = message(MKPEER, &[("hole", 32), (hook, 32), ("in", 32)]);
        self.control.send(&message, Some(&address(".")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_its_zero() {
        assert_eq!(address("a:"), [5, 32, b'a', b':', 0]);
    }

    #[test]
    fn a_message_has_a_header_of_56_bytes_and_its_arguments() {
        let bytes = message(MKPEER, &[("hole", 32)]);
        assert_eq!(bytes.len(), 56 + 32);
        assert_eq!(bytes[4..12], [32, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(&bytes[56..61], b"hole\0");
    }
}
