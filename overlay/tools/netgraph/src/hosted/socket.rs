//! A socket of a hosted kernel: its life, and the calls on it.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::wire::{Answer, Call, Purpose, Reply, Ticket};
use super::{done, exchange, greet, lost};
use crate::calls::{BrokenPipe, Datagram, Direction, Events, Outgoing, ReadEvent, SocketCalls, SocketOption, Wait};
use crate::errno::Errno;
use crate::sys;

/// A socket of a hosted kernel.
///
/// Its descriptor is to be polled for input, and for nothing else: it is not the socket.
#[derive(Debug)]
pub struct HostedSocket {
    path: PathBuf,
    ticket: Ticket,
    /// Its end closes the socket.
    life: UnixStream,
    /// Connections on which no call is being made.
    idle: Mutex<Vec<UnixStream>>,
}

impl HostedSocket {
    /// The socket that the daemon has just opened.
    pub(super) fn new(path: PathBuf, ticket: Ticket, life: UnixStream) -> Result<Self, Errno> {
        life.set_nonblocking(true).map_err(|error| lost(&error))?;
        let idle = Mutex::default();
        Ok(Self {
            path,
            ticket,
            life,
            idle,
        })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<UnixStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call; others may be under way.
    fn call(&self, call: &Call) -> Reply {
        let idle = self.idle().pop();
        let stream = match idle {
            Some(stream) => stream,
            None => self.attach()?,
        };
        let reply = exchange(&stream, call)?;
        self.idle().push(stream);
        reply
    }

    fn attach(&self) -> Result<UnixStream, Errno> {
        match greet(&self.path, Purpose::Attach(self.ticket)) {
            Ok((stream, answer)) => done(answer).map(|()| stream),
            // The socket was open: so is the daemon gone.
            Err(Errno::ECONNREFUSED | Errno::EBADF) => Err(Errno::ECONNRESET),
            Err(error) => Err(error),
        }
    }

    /// Gives the token back, if it is here.
    fn rearm(&self) -> Result<(), Errno> {
        let mut token = [0];
        match (&self.life).read(&mut token) {
            Ok(0) => Err(Errno::ECONNRESET),
            Ok(_) => (&self.life).write_all(&token).map_err(|error| lost(&error)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(lost(&error)),
        }
    }
}

impl Drop for HostedSocket {
    /// Returns when the socket is closed, as close(2) does.
    fn drop(&mut self) {
        self.idle().clear();
        // Errors say that the daemon is gone, and the socket with it.
        let closed = self
            .life
            .shutdown(Shutdown::Write)
            .and_then(|()| self.life.set_nonblocking(false))
            .and_then(|()| self.life.read_to_end(&mut Vec::new()));
        drop(closed);
    }
}

impl AsFd for HostedSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.life.as_fd()
    }
}

impl SocketCalls for HostedSocket {
    fn bind(&self, address: &[u8]) -> Result<(), Errno> {
        self.call(&Call::Bind(address.to_vec())).and_then(done)
    }

    fn connect(&self, address: &[u8]) -> Result<(), Errno> {
        self.call(&Call::Connect(address.to_vec())).and_then(done)
    }

    fn sendmsg(&self, message: &Outgoing<'_>) -> Result<usize, Errno> {
        let call = Call::Send {
            bytes: message.bytes.to_vec(),
            to: message.to.map(<[u8]>::to_vec),
            ancillary: message.ancillary.map(<[u8]>::to_vec),
            wait: message.wait,
            broken_pipe: message.broken_pipe,
        };
        match self.call(&call) {
            Ok(Answer::Sent(length)) => usize::try_from(length).map_err(|_| Errno::EPROTO),
            Ok(_) => Err(Errno::EPROTO),
            Err(Errno::EPIPE) if message.broken_pipe == BrokenPipe::Signal => {
                sys::raise_broken_pipe();
                Err(Errno::EPIPE)
            }
            Err(error) => Err(error),
        }
    }

    fn recvfrom(&self, buffer: &mut [u8], wait: Wait) -> Result<Datagram, Errno> {
        let length = buffer.len() as u64;
        match self.call(&Call::Receive { length, wait }) {
            Ok(Answer::Received { bytes, from }) => {
                let length = bytes.len();
                let place = buffer.get_mut(..length).ok_or(Errno::EPROTO)?;
                place.copy_from_slice(&bytes);
                Ok(Datagram { length, from })
            }
            Ok(_) => Err(Errno::EPROTO),
            Err(Errno::EAGAIN) => {
                self.rearm()?;
                Err(Errno::EAGAIN)
            }
            Err(error) => Err(error),
        }
    }

    fn getsockname(&self) -> Result<Vec<u8>, Errno> {
        match self.call(&Call::Name)? {
            Answer::Name(name) => Ok(name),
            _ => Err(Errno::EPROTO),
        }
    }

    fn getsockopt(&self, option: SocketOption) -> Result<i32, Errno> {
        match self.call(&Call::GetOption(option))? {
            Answer::Option(value) => Ok(value),
            _ => Err(Errno::EPROTO),
        }
    }

    fn setsockopt(&self, option: SocketOption, value: i32) -> Result<(), Errno> {
        self.call(&Call::SetOption(option, value)).and_then(done)
    }

    fn set_timeout(&self, direction: Direction, timeout: Duration) -> Result<(), Errno> {
        self.call(&Call::SetTimeout(direction, timeout)).and_then(done)
    }

    fn set_wait(&self, wait: Wait) -> Result<(), Errno> {
        self.call(&Call::SetWait(wait)).and_then(done)
    }

    fn shutdown(&self, direction: Direction) -> Result<(), Errno> {
        self.call(&Call::Shutdown(direction)).and_then(done)
    }

    fn poll(&self, deadline: Option<Instant>) -> Result<Events, Errno> {
        let time = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match self.call(&Call::Poll(time))? {
            Answer::Events(events) => Ok(events),
            _ => Err(Errno::EPROTO),
        }
    }

    fn read_event(&self, within: Duration) -> Result<Option<ReadEvent>, Errno> {
        match self.call(&Call::ReadEvent(within))? {
            Answer::ReadEvent(event) => Ok(event),
            _ => Err(Errno::EPROTO),
        }
    }
}
