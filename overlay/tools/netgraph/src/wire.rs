//! Control messages as bytes: `struct ng_mesg` of netgraph/ng_message.h, in the host's byte order.

use thiserror::Error;

use crate::names::NameError;
pub use reader::{Reader, padded, until_zero};

mod reader;

/// Size of a message's header in bytes (`sizeof(struct ng_mesg)`).
pub const HEADER_SIZE: usize = 56;

/// The version that every message carries (`NG_VERSION`).
pub const VERSION: u8 = 8;

/// The command changes nothing (`NGM_READONLY`, part of the command number).
pub const READONLY: u32 = 0x1000_0000;

/// The command is always answered (`NGM_HASREPLY`, part of the command number).
pub const HAS_REPLY: u32 = 0x2000_0000;

/// The message is an answer (`NGF_RESP`, in the flags).
pub const IS_REPLY: u32 = 1;

/// Type cookie of the messages that every node understands (`NGM_GENERIC_COOKIE`).
pub const GENERIC_COOKIE: u32 = 1_137_070_366;

/// Type cookie of ng_socket's own messages (`NGM_SOCKET_COOKIE` of netgraph/ng_socket.h).
pub const SOCKET_COOKIE: u32 = 851_601_233;

/// Size of the command's name in the header, with its terminating zero (`NG_CMDSTRSIZ`).
const COMMAND_NAME_SIZE: usize = 32;

/// Bytes that are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// There are fewer bytes than the layout has.
    #[error("{what} is cut short: {received} bytes of at least {expected}")]
    Short {
        /// What was to be read.
        what: &'static str,
        /// How many bytes it has at least.
        expected: usize,
        /// How many there were.
        received: usize,
    },
    /// The version is not [`VERSION`].
    #[error("the message has version {0}; {VERSION} was expected")]
    Version(u8),
    /// A number is none of those that have a meaning.
    #[error("{value} is no {what}")]
    Value {
        /// What it was to be.
        what: &'static str,
        /// The number.
        value: u32,
    },
    /// A name is none that this library can carry.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// One control message.
///
/// The length of the arguments, `arglen`, is not a field of its own: it is the length of `data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which command, together with the cookie.
    pub command: u32,
    /// [`IS_REPLY`] or 0.
    pub flags: u32,
    /// Repeated in the answer.
    pub token: u32,
    /// Which node type defined the command.
    pub cookie: u32,
    /// The command's name, for people and for conversion from ASCII; at most 31 bytes count.
    pub name: String,
    /// The arguments.
    pub data: Vec<u8>,
}

impl Message {
    /// Whether this is the answer to a message.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.flags & IS_REPLY != 0
    }

    /// Whether the command is one that is always answered.
    #[must_use]
    pub fn has_reply(&self) -> bool {
        self.command & HAS_REPLY != 0
    }

    /// The message as it is sent: the header, then the arguments.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_SIZE + self.data.len());
        bytes.extend([VERSION, 0, 0, 0]);
        let length = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        for field in [length, self.command, self.flags, self.token, self.cookie] {
            bytes.extend(field.to_ne_bytes());
        }
        bytes.extend(padded::<COMMAND_NAME_SIZE>(&self.name));
        bytes.extend(&self.data);
        bytes
    }

    /// Reads a message; bytes behind its `arglen` are left out.
    ///
    /// # Errors
    /// The header or the arguments are cut short, or the version is another one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("a control message", bytes);
        let version = reader.take(4)?[0];
        let length = reader.u32()? as usize;
        let command = reader.u32()?;
        let flags = reader.u32()?;
        let token = reader.u32()?;
        let cookie = reader.u32()?;
        let name = reader.text::<COMMAND_NAME_SIZE>()?;
        let data = reader.take(length)?.to_vec();
        if version != VERSION {
            return Err(Malformed::Version(version));
        }
        Ok(Self {
            command,
            flags,
            token,
            cookie,
            name,
            data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Message {
        Message {
            command: 6 | READONLY | HAS_REPLY,
            flags: IS_REPLY,
            token: 7,
            cookie: GENERIC_COOKIE,
            name: "nodeinfo".into(),
            data: vec![1, 2, 3],
        }
    }

    #[test]
    fn the_header_has_56_bytes_in_the_order_of_the_struct() {
        let bytes = sample().to_bytes();
        assert_eq!(bytes.len(), HEADER_SIZE + 3);
        assert_eq!(bytes[0], 8);
        assert_eq!(bytes[4..8], 3u32.to_ne_bytes());
        assert_eq!(bytes[8..12], 0x3000_0006u32.to_ne_bytes());
        assert_eq!(bytes[12..16], 1u32.to_ne_bytes());
        assert_eq!(bytes[16..20], 7u32.to_ne_bytes());
        assert_eq!(bytes[20..24], GENERIC_COOKIE.to_ne_bytes());
        assert_eq!(&bytes[24..33], b"nodeinfo\0");
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(Message::from_bytes(&sample().to_bytes()), Ok(sample()));
    }

    #[test]
    fn every_shortened_message_is_refused() {
        let bytes = sample().to_bytes();
        for length in 0..bytes.len() {
            assert!(Message::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn an_argument_length_past_the_end_is_refused() {
        let mut bytes = sample().to_bytes();
        bytes[4..8].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert!(matches!(Message::from_bytes(&bytes), Err(Malformed::Short { .. })));
    }

    #[test]
    fn another_version_is_refused() {
        let mut bytes = sample().to_bytes();
        bytes[0] = 7;
        assert_eq!(Message::from_bytes(&bytes), Err(Malformed::Version(7)));
    }
}
