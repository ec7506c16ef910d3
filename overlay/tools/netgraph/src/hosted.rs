//! The netgraph sockets of a hosted kernel, which the program `hostkernd` serves through a Unix socket.
//!
//! A socket is a connection that lives as long as it does; the calls on it go through others, one for each thread that calls
//! at the same time.
//!
//! The socket's own connection also tells when there is something to read. One token goes back and forth: the daemon sends a
//! byte when the socket becomes readable, and the process gives it back when a receive has found nothing; the daemon then
//! looks at the socket anew, so that what came meanwhile is told too. Thus the descriptor is readable while there is
//! something to read, and at most until the receive that finds nothing.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::calls::{BrokenPipe, Datagram, Direction, Events, Outgoing, ReadEvent, SocketCalls, SocketOption, Wait};
use crate::errno::Errno;
use crate::sys;
use crate::transport::{Protocol, Transport};
use wire::{Answer, Call, EDITION, FrameError, Greeting, Purpose, Reply, Ticket};

pub mod wire;

/// A hosted kernel. Whoever may open its Unix socket is root there.
///
/// Besides the errors of FreeBSD's calls there are: ECONNREFUSED, nobody serves the path; ECONNRESET, the daemon went away
/// meanwhile; EPROTO, it speaks another edition of [`wire`].
#[derive(Debug, Clone)]
pub struct Hosted {
    path: PathBuf,
}

impl Hosted {
    /// The kernel that is served at that path; nobody is asked yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl Transport for Hosted {
    type Endpoint = HostedSocket;

    fn open(&self, protocol: Protocol) -> Result<HostedSocket, Errno> {
        let (life, answer) = greet(&self.path, Purpose::Open(protocol))?;
        let Answer::Opened(ticket) = answer else {
            return Err(Errno::EPROTO);
        };
        life.set_nonblocking(true).map_err(|error| lost(&error))?;
        Ok(HostedSocket {
            path: self.path.clone(),
            ticket,
            life,
            idle: Mutex::default(),
        })
    }

    fn load_module(&self, name: &str) -> Result<(), Errno> {
        match greet(&self.path, Purpose::LoadModule(name.to_owned())) {
            Ok((_, answer)) => done(answer),
            Err(Errno::EEXIST) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Makes a connection.
fn greet(path: &Path, purpose: Purpose) -> Result<(UnixStream, Answer), Errno> {
    let stream = UnixStream::connect(path).map_err(|error| unreachable_because(&error))?;
    let edition = EDITION;
    let answer = exchange(&stream, &Greeting { edition, purpose })??;
    Ok((stream, answer))
}

/// Sends a request and waits for its reply; the outer error is that of the connection.
fn exchange<T: serde::Serialize>(stream: &UnixStream, request: &T) -> Result<Reply, Errno> {
    wire::send(stream, request).map_err(broken)?;
    wire::receive(stream).map_err(broken)
}

fn unreachable_because(error: &io::Error) -> Errno {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => Errno::ECONNREFUSED,
        ErrorKind::PermissionDenied => Errno::EACCES,
        ErrorKind::InvalidInput => Errno::ENAMETOOLONG,
        _ => Errno::EIO,
    }
}

fn broken(error: FrameError) -> Errno {
    match error {
        FrameError::Io(error) => lost(&error),
        FrameError::TooLong(_) => Errno::EMSGSIZE,
        FrameError::Malformed(_) => Errno::EPROTO,
    }
}

fn lost(error: &io::Error) -> Errno {
    match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => Errno::ECONNRESET,
        _ => Errno::EIO,
    }
}

/// None for an instant too far away.
fn instant_in(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
}

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

fn done(answer: Answer) -> Result<(), Errno> {
    match answer {
        Answer::Done => Ok(()),
        _ => Err(Errno::EPROTO),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_there_is_a_refused_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let refused = || Hosted::new(&path).open(Protocol::Control).err();
        assert_eq!(refused(), Some(Errno::ECONNREFUSED));
        // A daemon that was killed leaves its file.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert_eq!(refused(), Some(Errno::ECONNREFUSED));
        assert_eq!(Hosted::new(&path).load_module("ng_hub"), Err(Errno::ECONNREFUSED));
    }

    #[test]
    fn a_daemon_that_hangs_up_is_a_lost_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let daemon = std::thread::spawn(move || drop(listener.accept()));
        assert_eq!(Hosted::new(&path).open(Protocol::Data).err(), Some(Errno::ECONNRESET));
        daemon.join().unwrap();
    }
}
