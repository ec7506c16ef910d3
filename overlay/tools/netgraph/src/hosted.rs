//! The netgraph sockets of a hosted kernel, which the program `hostkernd` serves through a Unix socket.
//!
//! A socket is a connection that lives as long as it does; the calls on it go through others, one for each thread that calls
//! at the same time.
//!
//! The socket's own connection also tells when there is something to read. One token goes back and forth: the daemon sends a
//! byte when the socket becomes readable, and the process gives it back when a receive has found nothing; the daemon then
//! looks at the socket anew, so that what came meanwhile is told too. Thus the descriptor is readable while there is
//! something to read, and at most until the receive that finds nothing.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::errno::Errno;
use crate::transport::{Protocol, Transport};
pub use socket::HostedSocket;
use wire::{Answer, EDITION, FrameError, Greeting, Purpose, Reply};

mod socket;
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
        HostedSocket::new(self.path.clone(), ticket, life)
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

fn done(answer: Answer) -> Result<(), Errno> {
    match answer {
        Answer::Done => Ok(()),
        _ => Err(Errno::EPROTO),
    }
}

/// None for an instant too far away.
fn instant_in(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
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
