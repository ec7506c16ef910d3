//! Control messages, as they lie in a datagram.

use crate::address::{NAME, until_nul};
use crate::errno::{Errno, Result};

/// Bytes before the arguments.
pub const HEADER: usize = 56;
/// The version of the format.
pub const VERSION: u8 = 8;
/// `NGM_GENERIC_COOKIE`
pub const GENERIC: u32 = 1_137_070_366;
/// `NGM_SOCKET_COOKIE`
pub const SOCKET: u32 = 851_601_233;
/// `NGF_RESP`
pub const RESPONSE: u32 = 1;

/// Commands under [`GENERIC`].
pub mod generic {
    /// Questions are commands with these bits.
    const QUESTION: u32 = 0x3000_0000;

    /// Remove the node.
    pub const SHUTDOWN: u32 = 1;
    /// Make a node, connected to this one.
    pub const MKPEER: u32 = 2;
    /// Connect the node to another one.
    pub const CONNECT: u32 = 3;
    /// Name the node.
    pub const NAME: u32 = 4;
    /// Remove a hook.
    pub const RMHOOK: u32 = 5;
    /// What node is this?
    pub const NODEINFO: u32 = 6 | QUESTION;
    /// Which hooks has it?
    pub const LISTHOOKS: u32 = 7 | QUESTION;
    /// Which nodes have names?
    pub const LISTNAMES: u32 = 8 | QUESTION;
    /// Which nodes are there?
    pub const LISTNODES: u32 = 9 | QUESTION;
    /// Which types are there?
    pub const LISTTYPES: u32 = 10 | QUESTION;
    /// For the node's type.
    pub const TEXT_STATUS: u32 = 11 | QUESTION;
    /// Binary arguments as text.
    pub const BINARY2ASCII: u32 = 12 | QUESTION;
    /// Text as binary arguments.
    pub const ASCII2BINARY: u32 = 13 | QUESTION;
    /// For the node's type.
    pub const TEXT_CONFIG: u32 = 14;
}

/// Commands under [`SOCKET`].
pub mod socket {
    /// Shut down with the last hook.
    pub const NOLINGER: u32 = 1;
    /// Do not.
    pub const LINGER: u32 = 2;
    /// Set which events are sent.
    pub const SET_EVENTS: u32 = 3;
    /// Which are?
    pub const GET_EVENTS: u32 = 4;
    /// Set which hooks are accepted.
    pub const SET_POLICY: u32 = 5;
    /// Which are?
    pub const GET_POLICY: u32 = 6;
    /// What has been counted?
    pub const GET_STATS: u32 = 7;
    /// Count from 0.
    pub const CLR_STATS: u32 = 8;
    /// Both.
    pub const GETCLR_STATS: u32 = 9;
}

/// A control message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The header with zeros in place of the members below: version, spare, spare2, and the command's name.
    bytes: [u8; HEADER],
    /// `cmd`
    pub command: u32,
    /// `flags`
    pub flags: u32,
    /// `token`
    pub token: u32,
    /// `typecookie`
    pub cookie: u32,
    /// The arguments.
    pub arguments: Vec<u8>,
}

fn word(bytes: &[u8], offset: usize) -> u32 {
    let field = bytes.get(offset..).and_then(<[u8]>::first_chunk::<4>);
    u32::from_le_bytes(*field.expect("a header has this member"))
}

impl Message {
    /// A message of the current version.
    #[must_use]
    pub fn new(cookie: u32, command: u32, token: u32, arguments: &[u8]) -> Self {
        let mut bytes = [0; HEADER];
        bytes[0] = VERSION;
        Self {
            bytes,
            command,
            flags: 0,
            token,
            cookie,
            arguments: arguments.to_vec(),
        }
    }

    /// Takes a message out of a datagram; bytes behind its arguments do not count.
    ///
    /// # Errors
    /// `EINVAL`: the datagram is shorter than the header, or than the header says; or it is of another version.
    pub fn read(datagram: &[u8]) -> Result<Self> {
        let (header, rest) = datagram.split_first_chunk::<HEADER>().ok_or(Errno::EINVAL)?;
        let length = usize::try_from(word(header, 4)).map_err(|_| Errno::EINVAL)?;
        let arguments = rest.get(..length).ok_or(Errno::EINVAL)?;
        if header[0] != VERSION {
            return Err(Errno::EINVAL);
        }
        let mut bytes = *header;
        bytes[4..24].fill(0);
        Ok(Self {
            bytes,
            command: word(header, 8),
            flags: word(header, 12),
            token: word(header, 16),
            cookie: word(header, 20),
            arguments: arguments.to_vec(),
        })
    }

    /// The message as a datagram.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = self.bytes.to_vec();
        let length = u32::try_from(self.arguments.len()).expect("arguments are short");
        let words = [length, self.command, self.flags, self.token, self.cookie];
        for (index, word) in words.iter().enumerate() {
            bytes[4 + 4 * index..8 + 4 * index].copy_from_slice(&word.to_le_bytes());
        }
        bytes.extend(&self.arguments);
        bytes
    }

    /// The answer to this message, by netgraph itself or a node that uses its macros.
    #[must_use]
    pub fn answer(&self, arguments: &[u8]) -> Self {
        let mut bytes = self.bytes;
        bytes[..4].copy_from_slice(&[VERSION, 0, 0, 0]);
        Self {
            bytes,
            flags: RESPONSE,
            arguments: arguments.to_vec(),
            ..*self
        }
    }

    /// The answer to this message, by a socket node: the header as it came.
    #[must_use]
    pub fn answer_of_socket(&self, arguments: &[u8]) -> Self {
        Self {
            flags: RESPONSE,
            arguments: arguments.to_vec(),
            ..*self
        }
    }

    /// Whether it answers another one.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.flags & RESPONSE != 0
    }

    /// The name in the field at `offset`, if the arguments are `whole` bytes long.
    ///
    /// # Errors
    /// `EINVAL`: they are not.
    pub fn name(&self, offset: usize, whole: usize) -> Result<&[u8]> {
        self.string(offset, NAME, whole)
    }

    /// The string in the field of `size` bytes at `offset`, if the arguments are `whole` bytes long. The field's last byte
    /// is taken for a NUL.
    ///
    /// # Errors
    /// `EINVAL`: they are not.
    pub fn string(&self, offset: usize, size: usize, whole: usize) -> Result<&[u8]> {
        if self.arguments.len() != whole {
            return Err(Errno::EINVAL);
        }
        Ok(until_nul(&self.arguments[offset..offset + size - 1]))
    }
}

/// A string in a field of `size` bytes, cut to what fits with its NUL.
#[must_use]
pub fn field(text: &[u8], size: usize) -> Vec<u8> {
    let mut field = text[..text.len().min(size - 1)].to_vec();
    field.resize(size, 0);
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let message = Message::new(SOCKET, socket::LINGER, 7, b"abc");
        let mut bytes = message.write();
        assert_eq!(Message::read(&bytes), Ok(message.clone()));
        bytes.push(9);
        assert_eq!(Message::read(&bytes), Ok(message));
    }

    #[test]
    fn lengths_are_believed_only_if_they_are_true() {
        let bytes = Message::new(SOCKET, 1, 1, b"abc").write();
        assert_eq!(Message::read(&bytes[..58]), Err(Errno::EINVAL));
        assert_eq!(Message::read(&bytes[..55]), Err(Errno::EINVAL));
        assert_eq!(Message::read(&[]), Err(Errno::EINVAL));
        let mut other = bytes;
        other[0] = 7;
        assert_eq!(Message::read(&other), Err(Errno::EINVAL));
    }

    #[test]
    fn names_lie_in_fields() {
        let message = Message::new(GENERIC, generic::NAME, 1, &field(b"wan", 32));
        assert_eq!(message.name(0, 32), Ok(&b"wan"[..]));
        assert_eq!(message.name(0, 64), Err(Errno::EINVAL));
        assert_eq!(field(&[b'x'; 40], 32).len(), 32);
    }
}
