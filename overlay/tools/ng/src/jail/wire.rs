//! What is said between ng and its agent in a jail: orders, and for each one a reply.
//!
//! Both are the same program on the same machine, so numbers have the order of bytes that they have in memory.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use netgraph::{Errno, Protocol};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

/// What the agent is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Make a socket; the reply brings it.
    Open(Protocol),
    /// Send by a socket, by its number.
    Send {
        /// Which socket: how many were made before it.
        socket: u32,
        /// The address; None: wherever the socket leads.
        to: Option<String>,
        /// What.
        bytes: Vec<u8>,
    },
    /// Close a socket.
    Close(u32),
}

/// In place of an address's length: there is no address.
const NOWHERE: u32 = u32::MAX;

/// The most bytes of an address or a message; more is a mistake.
const MOST: u32 = 1 << 24;

impl Order {
    /// Sends the order.
    pub fn write(&self, mut stream: &UnixStream) -> io::Result<()> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput);
        let (head, to, bytes): ([u32; 4], &[u8], &[u8]) = match self {
            Self::Open(Protocol::Control) => ([0, 0, 0, 0], &[], &[]),
            Self::Open(Protocol::Data) => ([0, 1, 0, 0], &[], &[]),
            Self::Send { socket, to, bytes } => {
                let address = to.as_deref().unwrap_or_default().as_bytes();
                let size = to.as_ref().map_or(Ok(NOWHERE), |_| length(address))?;
                ([1, *socket, size, length(bytes)?], address, bytes)
            }
            Self::Close(socket) => ([2, *socket, 0, 0], &[], &[]),
        };
        let head: Vec<u8> = head.iter().flat_map(|number| number.to_ne_bytes()).collect();
        stream.write_all(&[&head, to, bytes].concat())
    }

    /// Waits for an order; None: the other side is gone.
    pub fn read(mut stream: &UnixStream) -> io::Result<Option<Self>> {
        let mut head = [0; 16];
        match stream.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            result => result?,
        }
        let number = |index: usize| {
            let bytes: [u8; 4] = head[4 * index..][..4].try_into().unwrap_or_default();
            u32::from_ne_bytes(bytes)
        };
        let order = match (number(0), number(1)) {
            (0, 0) => Self::Open(Protocol::Control),
            (0, _) => Self::Open(Protocol::Data),
            (1, socket) => Self::Send {
                socket,
                to: match number(2) {
                    NOWHERE => None,
                    length => Some(String::from_utf8(take(stream, length)?).map_err(io::Error::other)?),
                },
                bytes: take(stream, number(3))?,
            },
            (_, socket) => Self::Close(socket),
        };
        Ok(Some(order))
    }
}

fn take(mut stream: &UnixStream, length: u32) -> io::Result<Vec<u8>> {
    if length > MOST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length as usize];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Answers an order: what went wrong, or nothing, or a socket.
pub fn write_reply(stream: &UnixStream, result: Result<Option<BorrowedFd<'_>>, Errno>) -> io::Result<()> {
    let (number, socket) = match result {
        Ok(socket) => (0, socket),
        Err(error) => (error.0, None),
    };
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let sockets: Vec<BorrowedFd<'_>> = socket.into_iter().collect();
    if !sockets.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(&sockets)) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let bytes = number.to_ne_bytes();
    sendmsg(stream, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::empty())?;
    Ok(())
}

/// Waits for the answer to an order.
pub fn read_reply(stream: &UnixStream) -> io::Result<Result<Option<OwnedFd>, Errno>> {
    let mut bytes = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let received = rustix::io::retry_on_intr(|| recvmsg(stream, &mut parts, &mut ancillary, RecvFlags::empty()))?;
    if received.bytes != bytes.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let sockets = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
        _ => None,
    });
    let socket = sockets.flatten().next();
    Ok(match i32::from_ne_bytes(bytes) {
        0 => Ok(socket),
        number => Err(Errno(number)),
    })
}
