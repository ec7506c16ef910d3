//! What goes between a process and `hostkernd`.
//!
//! Each value is a frame: its length in 4 bytes, little endian, and as many bytes of postcard. A connection begins with a
//! [`Greeting`], which is answered by a [`Reply`]; what follows depends on its purpose.

use std::io::{self, Read, Write};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::calls::{BrokenPipe, Datagram, Direction, Events, Outgoing, ReadEvent, SocketCalls, SocketOption, Wait};
use crate::errno::Errno;
use crate::transport::Protocol;

/// Which edition of this file a process speaks.
pub const EDITION: u32 = 1;

/// The longest datagram, in bytes: no socket buffer is larger by default (`kern.ipc.maxsockbuf`).
pub const MAX_DATAGRAM: usize = 2 << 20;

/// The longest frame, in bytes: the longest datagram with an address and ancillary data.
const MAX_FRAME: usize = MAX_DATAGRAM + (16 << 10);

/// A socket, for the other connections that its process makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ticket(pub u64);

/// How a connection begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// [`EDITION`]; another one is answered with EPROTO.
    pub edition: u32,
    /// What the connection is for.
    pub purpose: Purpose,
}

/// What a connection is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// It is a socket, from now on until it ends. Answered by [`Answer::Opened`].
    ///
    /// Single bytes follow, not frames: the daemon sends one when the socket has become readable, and looks again when the
    /// process has sent it back.
    Open(Protocol),
    /// Calls on a socket, one after the other: a thread of the process. Each [`Call`] is answered by a [`Reply`].
    Attach(Ticket),
    /// kldload(2), and no more. Answered by [`Answer::Done`].
    LoadModule(String),
}

/// A system call on a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the call of SocketCalls of that name")]
pub enum Call {
    Bind(Vec<u8>),
    Connect(Vec<u8>),
    Send {
        bytes: Vec<u8>,
        to: Option<Vec<u8>>,
        ancillary: Option<Vec<u8>>,
        wait: Wait,
        broken_pipe: BrokenPipe,
    },
    Receive {
        /// Bytes of the buffer.
        length: u64,
        wait: Wait,
    },
    Name,
    GetOption(SocketOption),
    SetOption(SocketOption, i32),
    SetTimeout(Direction, Duration),
    SetWait(Wait),
    Shutdown(Direction),
    /// At most so long; without a time, for ever.
    Poll(Option<Duration>),
    ReadEvent(Duration),
}

/// What a call gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the result of the call of that name")]
pub enum Answer {
    Done,
    Opened(Ticket),
    Sent(u64),
    Received { bytes: Vec<u8>, from: Vec<u8> },
    Name(Vec<u8>),
    Option(i32),
    Events(Events),
    ReadEvent(Option<ReadEvent>),
}

/// An answer, or the error number in place of it.
pub type Reply = Result<Answer, Errno>;

/// Why a frame did not get through.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The connection is broken; `UnexpectedEof` where it has ended.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is too long.
    #[error("a frame of {0} bytes is longer than {MAX_FRAME}")]
    TooLong(usize),
    /// It is none of the values that are to come.
    #[error("a frame that cannot be understood: {0}")]
    Malformed(#[from] postcard::Error),
}

/// Writes a value as a frame, in one piece.
///
/// # Errors
/// The value is too long, in which case nothing is written, or the connection is broken.
pub fn send<T: Serialize>(mut to: impl Write, value: &T) -> Result<(), FrameError> {
    let mut frame = postcard::to_extend(value, vec![0; size_of::<u32>()])?;
    let length = frame.len() - size_of::<u32>();
    let head = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME);
    let head = head.ok_or(FrameError::TooLong(length))?;
    frame[..size_of::<u32>()].copy_from_slice(&head.to_le_bytes());
    Ok(to.write_all(&frame)?)
}

/// Reads a frame.
///
/// # Errors
/// The connection has ended or is broken, or what comes is no such value.
pub fn receive<T: DeserializeOwned>(mut from: impl Read) -> Result<T, FrameError> {
    let mut head = [0; size_of::<u32>()];
    from.read_exact(&mut head)?;
    let length = u32::from_le_bytes(head) as usize;
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length));
    }
    let mut frame = vec![0; length];
    from.read_exact(&mut frame)?;
    Ok(postcard::from_bytes(&frame)?)
}

impl Call {
    /// Makes the call.
    ///
    /// # Errors
    /// Those of the call.
    pub fn make(&self, socket: &impl SocketCalls) -> Reply {
        match self {
            Self::Bind(address) => socket.bind(address).map(done),
            Self::Connect(address) => socket.connect(address).map(done),
            Self::Send { .. } => self.send(socket),
            Self::Receive { length, wait } => receive_datagram(socket, *length, *wait),
            Self::Name => socket.getsockname().map(Answer::Name),
            Self::GetOption(option) => socket.getsockopt(*option).map(Answer::Option),
            Self::SetOption(option, value) => socket.setsockopt(*option, *value).map(done),
            Self::SetTimeout(direction, timeout) => socket.set_timeout(*direction, *timeout).map(done),
            Self::SetWait(wait) => socket.set_wait(*wait).map(done),
            Self::Shutdown(direction) => socket.shutdown(*direction).map(done),
            // A time so long that there is no such instant is for ever.
            Self::Poll(time) => socket.poll(time.and_then(super::instant_in)).map(Answer::Events),
            Self::ReadEvent(within) => socket.read_event(*within).map(Answer::ReadEvent),
        }
    }

    fn send(&self, socket: &impl SocketCalls) -> Reply {
        let Self::Send {
            bytes,
            to,
            ancillary,
            wait,
            broken_pipe,
        } = self
        else {
            return Err(Errno::EPROTO);
        };
        let sent = socket.sendmsg(&Outgoing {
            bytes,
            to: to.as_deref(),
            ancillary: ancillary.as_deref(),
            wait: *wait,
            broken_pipe: *broken_pipe,
        })?;
        Ok(Answer::Sent(sent as u64))
    }
}

fn done((): ()) -> Answer {
    Answer::Done
}

fn receive_datagram(socket: &impl SocketCalls, length: u64, wait: Wait) -> Reply {
    let length = usize::try_from(length).map_or(MAX_DATAGRAM, |length| length.min(MAX_DATAGRAM));
    let mut bytes = vec![0; length];
    let Datagram { length, from } = socket.recvfrom(&mut bytes, wait)?;
    bytes.truncate(length);
    Ok(Answer::Received { bytes, from })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_replies_come_through() {
        let calls = [
            Call::Bind(b"\x04\x20a\0".to_vec()),
            Call::Send {
                bytes: vec![0xff; 300],
                to: None,
                ancillary: Some(vec![]),
                wait: Wait::Never,
                broken_pipe: BrokenPipe::Signal,
            },
            Call::Poll(Some(Duration::from_millis(1500))),
            Call::SetOption(SocketOption::ReceiveErrors, -1),
        ];
        let replies: [Reply; 2] = [Err(Errno::ENOENT), Ok(Answer::Opened(Ticket(u64::MAX)))];
        let mut stream = Vec::new();
        calls.iter().for_each(|call| send(&mut stream, call).unwrap());
        replies.iter().for_each(|reply| send(&mut stream, reply).unwrap());
        let mut stream = stream.as_slice();
        for call in calls {
            assert_eq!(receive::<Call>(&mut stream).unwrap(), call);
        }
        for reply in replies {
            assert_eq!(receive::<Reply>(&mut stream).unwrap(), reply);
        }
        assert!(stream.is_empty());
    }

    #[test]
    fn the_longest_datagram_fits_and_no_longer_frame_is_sent() {
        let answer = |length| Answer::Received {
            bytes: vec![0; length],
            from: vec![0; 255],
        };
        let mut stream = Vec::new();
        send(&mut stream, &answer(MAX_DATAGRAM)).unwrap();
        stream.clear();
        let refused = send(&mut stream, &answer(MAX_FRAME));
        assert!(matches!(refused, Err(FrameError::TooLong(_))), "{refused:?}");
        assert!(stream.is_empty());
    }

    #[test]
    fn a_frame_that_claims_too_much_is_not_read() {
        let refused = receive::<Call>(&[0xff; 8][..]);
        assert!(matches!(refused, Err(FrameError::TooLong(0xffff_ffff))), "{refused:?}");
    }

    #[test]
    fn broken_frames_are_errors() {
        let malformed = receive::<Call>(&[1, 0, 0, 0, 0x7f][..]);
        assert!(matches!(malformed, Err(FrameError::Malformed(_))), "{malformed:?}");
        for part in [&[][..], &[4, 0], &[4, 0, 0, 0, 1]] {
            let cut = receive::<Call>(part);
            let Err(FrameError::Io(error)) = cut else {
                panic!("{cut:?}");
            };
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
