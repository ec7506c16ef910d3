//! The system calls on sockets, for tests: addresses and datagrams made and read.

use std::io::{IoSlice, IoSliceMut};
use std::time::{Duration, Instant};

use netgraph::{BrokenPipe, Direction, Errno, Events, FAMILY, Outgoing, ReadEvent, SocketOption, Wait, address_text};

use crate::system::TestSocket;

/// What is or holds a socket.
pub trait AsSocket {
    /// The socket.
    fn socket(&self) -> &dyn TestSocket;
}

impl AsSocket for &dyn TestSocket {
    fn socket(&self) -> &dyn TestSocket {
        *self
    }
}

/// A `struct sockaddr_ng`, right or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Vec<u8>);

impl Address {
    /// The text and a zero behind it.
    pub fn text(text: &str) -> Self {
        Self::raw(&[text.as_bytes(), &[0]].concat())
    }

    /// Exactly these bytes behind length and family.
    pub fn raw(data: &[u8]) -> Self {
        let length = u8::try_from(data.len() + 2).unwrap_or(u8::MAX);
        Self([&[length, FAMILY], data].concat())
    }

    /// The first bytes of an address, fewer than its head.
    pub fn cut(length: usize) -> Self {
        Self([2, FAMILY][..length].to_vec())
    }

    /// What lies before the first zero.
    pub fn as_text(&self) -> String {
        address_text(&self.0)
    }

    /// The size of the address that the kernel gave.
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

/// A message as most programs send it.
fn plain<'a>(bytes: &'a [u8], to: Option<&'a Address>) -> Outgoing<'a> {
    Outgoing {
        bytes,
        to: to.map(|address| &address.0[..]),
        ancillary: None,
        wait: Wait::Blocking,
        broken_pipe: BrokenPipe::Signal,
    }
}

/// bind(2)
pub fn bind(socket: &impl AsSocket, address: &Address) -> Result<(), Errno> {
    socket.socket().bind(&address.0)
}

/// connect(2)
pub fn connect(socket: &impl AsSocket, address: &Address) -> Result<(), Errno> {
    socket.socket().connect(&address.0)
}

/// getsockname(2)
pub fn own_name(socket: &impl AsSocket) -> Result<Address, Errno> {
    socket.socket().getsockname().map(Address)
}

/// sendto(2)
pub fn send(socket: &impl AsSocket, bytes: &[u8], to: Option<&Address>) -> Result<usize, Errno> {
    socket.socket().sendmsg(&plain(bytes, to))
}

/// sendto(2) with `MSG_DONTWAIT`
pub fn send_at_once(socket: &impl AsSocket, bytes: &[u8], to: &Address) -> Result<usize, Errno> {
    let message = Outgoing {
        wait: Wait::Never,
        ..plain(bytes, Some(to))
    };
    socket.socket().sendmsg(&message)
}

/// sendmsg(2) with a control message (an integer of no meaning) beside the datagram.
pub fn send_with_ancillary(socket: &impl AsSocket, bytes: &[u8], to: &Address) -> Result<usize, Errno> {
    // FreeBSD's struct cmsghdr: the length of all, SOL_SOCKET (0xffff), a type; then the integer.
    let head: [u32; 4] = [16, 0xffff, 0x7f, 0];
    let ancillary = head.map(u32::to_ne_bytes).concat();
    let message = Outgoing {
        ancillary: Some(&ancillary),
        ..plain(bytes, Some(to))
    };
    socket.socket().sendmsg(&message)
}

/// recvfrom(2)
pub fn receive(socket: &impl AsSocket, room: usize, wait: Wait) -> Result<(Vec<u8>, Address), Errno> {
    let mut bytes = vec![0u8; room];
    let datagram = socket.socket().recvfrom(&mut bytes, wait)?;
    bytes.truncate(datagram.length);
    Ok((bytes, Address(datagram.from)))
}

/// read(2)
pub fn read(socket: &impl AsSocket, room: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0u8; room];
    let length = socket.socket().readv(&mut [IoSliceMut::new(&mut bytes)])?;
    bytes.truncate(length);
    Ok(bytes)
}

/// write(2)
pub fn write(socket: &impl AsSocket, bytes: &[u8]) -> Result<usize, Errno> {
    socket.socket().writev(&[IoSlice::new(bytes)])
}

/// writev(2) of two parts
pub fn write_parts(socket: &impl AsSocket, parts: [&[u8]; 2]) -> Result<usize, Errno> {
    socket.socket().writev(&parts.map(IoSlice::new))
}

/// readv(2) into parts of 14 and of up to 2,048 bytes, put together
pub fn read_parts(socket: &impl AsSocket) -> Result<Vec<u8>, Errno> {
    let (mut head, mut body) = ([0u8; 14], vec![0u8; 2048]);
    let parts = &mut [IoSliceMut::new(&mut head), IoSliceMut::new(&mut body)];
    let length = socket.socket().readv(parts)?;
    let mut bytes = [&head[..], &body[..]].concat();
    bytes.truncate(length);
    Ok(bytes)
}

/// setsockopt(2)
pub fn set_option(socket: &impl AsSocket, option: SocketOption, value: i32) -> Result<(), Errno> {
    socket.socket().setsockopt(option, value)
}

/// getsockopt(2)
pub fn option(socket: &impl AsSocket, option: SocketOption) -> Result<i32, Errno> {
    socket.socket().getsockopt(option)
}

/// `SO_ERROR`: the error that the socket kept, which is told once.
pub fn pending_error(socket: &impl AsSocket) -> Result<Option<Errno>, Errno> {
    let number = option(socket, SocketOption::Error)?;
    Ok((number != 0).then_some(Errno(number)))
}

/// Sets `O_NONBLOCK`.
pub fn set_nonblocking(socket: &impl AsSocket) -> Result<(), Errno> {
    socket.socket().set_wait(Wait::Never)
}

/// `SO_SNDTIMEO`
pub fn limit_sends(socket: &impl AsSocket, timeout: Duration) -> Result<(), Errno> {
    socket.socket().set_timeout(Direction::Send, timeout)
}

/// poll(2) for input; what it reports, after so many milliseconds at most.
pub fn poll(socket: &impl AsSocket, milliseconds: u64) -> Result<Events, Errno> {
    socket
        .socket()
        .poll(Some(Instant::now() + Duration::from_millis(milliseconds)))
}

/// kqueue(2) with one `EVFILT_READ`; none after a second without an event.
pub fn read_event(socket: &impl AsSocket) -> Result<Option<ReadEvent>, Errno> {
    socket.socket().read_event(Duration::from_secs(1))
}
