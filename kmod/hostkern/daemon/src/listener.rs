//! The Unix socket that processes connect to.

use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};

use rustix::event::{PollFd, PollFlags, poll};
use thiserror::Error;

/// How long to wait when no connection can be accepted, as while every descriptor is in use.
const PAUSE: Duration = Duration::from_millis(100);

/// Why there is no Unix socket.
#[derive(Debug, Error)]
pub enum BindError {
    /// Another daemon serves it.
    #[error("{path} is in use: another hostkernd serves it", path = .0.display())]
    InUse(PathBuf),
    /// There is a file of another kind.
    #[error("{path} exists, and is no socket", path = .0.display())]
    NoSocket(PathBuf),
    /// The system does not make one.
    #[error("could not listen on {path}: {error}", path = path.display())]
    Refused {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
}

/// The Unix socket; its file goes with it.
pub(crate) struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Makes the socket, for this user only; one that a killed daemon has left is replaced.
    pub(crate) fn bind(path: &Path) -> Result<Self, BindError> {
        let refused = |error| BindError::Refused {
            path: path.to_owned(),
            error,
        };
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                remove_stale(path)?;
                UnixListener::bind(path)
            }
            result => result,
        };
        let listener = Self {
            listener: listener.map_err(refused)?,
            path: path.to_owned(),
        };
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(refused)?;
        // A process may go between its connect and our accept.
        listener.listener.set_nonblocking(true).map_err(refused)?;
        Ok(listener)
    }

    /// The next connection; none once there is something to read from `stop`, or its end.
    pub(crate) fn next(&self, stop: &UnixStream) -> Option<UnixStream> {
        loop {
            let mut entries = [
                PollFd::new(&self.listener, PollFlags::IN),
                PollFd::new(stop, PollFlags::IN),
            ];
            let waited = poll(&mut entries, None).map_err(io::Error::from);
            if !entries[1].revents().is_empty() {
                return None;
            }
            match waited.and_then(|_| self.accept()) {
                Ok(stream) => return Some(stream),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => {
                    eprintln!("hostkernd: could not accept a connection: {error}");
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            eprintln!("hostkernd: could not remove {}: {error}", self.path.display());
        }
    }
}

/// Removes a socket that nobody listens on.
fn remove_stale(path: &Path) -> Result<(), BindError> {
    let refused = |error| BindError::Refused {
        path: path.to_owned(),
        error,
    };
    if !fs::symlink_metadata(path).map_err(refused)?.file_type().is_socket() {
        return Err(BindError::NoSocket(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(refused),
        Err(error) => Err(refused(error)),
        Ok(_) => Err(BindError::InUse(path.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_sockets_are_replaced_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(UnixListener::bind(&path).unwrap());
        let listener = Listener::bind(&path).unwrap();
        let second = Listener::bind(&path).err().unwrap();
        assert!(second.to_string().ends_with("is in use: another hostkernd serves it"));
        drop(listener);
        assert!(!path.exists());
        fs::write(&path, "a file").unwrap();
        assert!(matches!(Listener::bind(&path), Err(BindError::NoSocket(_))));
        assert!(path.exists());
    }
}
