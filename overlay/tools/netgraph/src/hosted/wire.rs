//! What goes between a process and `hostkernd`.
//!
//! Each value is a frame: its length in 4 bytes, little endian, and as many bytes of postcard. A connection begins with a
//! [`Greeting`], which is answered by a [`Reply`]; what follows depends on its purpose. Bytes are copied in one piece
//! (`serde_bytes`): serde alone would take them for a list of numbers, which looks the same in the frame.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::calls::{BrokenPipe, Datagram, Direction, Events, Outgoing, ReadEvent, SocketCalls, SocketOption, Wait};
use crate::errno::Errno;
use crate::transport::Protocol;
pub use frame::{FrameError, receive, send};

mod frame;

/// Which edition of this file a process speaks.
pub const EDITION: u32 = 1;

/// The longest datagram, in bytes: no socket buffer is larger by default (`kern.ipc.maxsockbuf`).
pub const MAX_DATAGRAM: usize = 2 << 20;

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
    Bind(#[serde(with = "serde_bytes")] Vec<u8>),
    Connect(#[serde(with = "serde_bytes")] Vec<u8>),
    Send {
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        #[serde(with = "serde_bytes")]
        to: Option<Vec<u8>>,
        #[serde(with = "serde_bytes")]
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
    Received {
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        #[serde(with = "serde_bytes")]
        from: Vec<u8>,
    },
    Name(#[serde(with = "serde_bytes")] Vec<u8>),
    Option(i32),
    Events(Events),
    ReadEvent(Option<ReadEvent>),
}

/// An answer, or the error number in place of it.
pub type Reply = Result<Answer, Errno>;

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
