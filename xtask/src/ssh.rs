//! SSH to a guest, on libssh2 in its non-blocking mode: every wait has a deadline and looks after the guest meanwhile.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, ErrorCode, Session};

use crate::vm::{Demise, Watch};

pub mod exec;
#[cfg(test)]
pub mod testserver;

/// libssh2's "would block".
const AGAIN: ErrorCode = ErrorCode::Session(-37);
/// The longest wait before the guest is looked after again.
const SLICE: Duration = Duration::from_millis(50);
/// The pause between two attempts to connect.
const RETRY: Duration = Duration::from_millis(200);
/// How long a server that accepts may take to greet, and QEMU's forwarding to notice that there is none.
const GREETING_TIME: Duration = Duration::from_secs(4);
/// How long key exchange and login may take on a slow guest.
const LOGIN_TIME: Duration = Duration::from_secs(45);

/// How to log in.
#[derive(Debug, Clone)]
pub struct Login {
    /// The port on the loopback interface.
    pub port: u16,
    /// Whose account.
    pub user: String,
    /// The private key.
    pub identity: PathBuf,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The guest is gone.
    #[error(transparent)]
    Guest(#[from] Demise),
    /// Time ran out.
    #[error("no answer within {:.1} s while {doing}", .after.as_secs_f64())]
    Deadline {
        /// What was going on.
        doing: &'static str,
        /// The time that was given.
        after: Duration,
    },
    /// SSH was never reached.
    #[error("the guest did not open SSH within {:.0} s; the last attempt: {last}", .after.as_secs_f64())]
    NeverOpened {
        /// The time that was given.
        after: Duration,
        /// How the last attempt ended.
        last: String,
    },
    /// The server answers, but does not let us in.
    #[error("the guest's SSH refuses user {user} with the key {}: {source}", .identity.display())]
    Refused {
        /// Whose account.
        user: String,
        /// The key that was offered.
        identity: PathBuf,
        /// What libssh2 says.
        source: ssh2::Error,
    },
    /// The connection broke, or the two ends do not understand each other.
    #[error("the SSH connection failed while {doing}: {source}")]
    Broken {
        /// What was going on.
        doing: &'static str,
        /// What went wrong.
        source: std::io::Error,
    },
}

/// A point in time by which something must have happened, and how much time that was in the beginning.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    end: Instant,
    given: Duration,
}

impl Deadline {
    /// That long from now.
    pub fn after(given: Duration) -> Self {
        Self {
            end: Instant::now() + given,
            given,
        }
    }

    /// This one or `given` from now, whichever is earlier.
    pub fn or_sooner(self, given: Duration) -> Self {
        let other = Self::after(given);
        if other.end < self.end { other } else { self }
    }

    /// Whether it is over.
    pub fn is_over(self) -> bool {
        Instant::now() >= self.end
    }

    /// The failure to meet it.
    pub fn missed(self, doing: &'static str) -> Failure {
        Failure::Deadline {
            doing,
            after: self.given,
        }
    }
}

/// A session that is logged in.
pub struct Connection {
    session: Session,
    socket: TcpStream,
}

impl Connection {
    /// Tries until the guest lets us in.
    ///
    /// # Errors
    /// The deadline passes, the guest fails, or the server refuses the key.
    pub fn open(login: &Login, deadline: Deadline, watch: &mut dyn Watch) -> Result<Self, Failure> {
        let mut last = String::from("none was made");
        while !deadline.is_over() {
            match Self::attempt(login, deadline, watch) {
                Ok(connection) => return Ok(connection),
                Err(fatal @ (Failure::Guest(_) | Failure::Refused { .. })) => return Err(fatal),
                Err(passing) => last = passing.to_string(),
            }
            rest(RETRY, watch)?;
        }
        Err(Failure::NeverOpened {
            after: deadline.given,
            last,
        })
    }

    fn attempt(login: &Login, deadline: Deadline, watch: &mut dyn Watch) -> Result<Self, Failure> {
        let socket = connect(login.port)?;
        await_greeting(&socket, deadline.or_sooner(GREETING_TIME), watch)?;
        let connection = Self::over(socket)?;
        let deadline = deadline.or_sooner(LOGIN_TIME);
        let mut session = connection.session.clone();
        connection.until(deadline, watch, "agreeing on keys", || session.handshake())?;
        connection.authenticate(login, deadline, watch)?;
        Ok(connection)
    }

    fn over(socket: TcpStream) -> Result<Self, Failure> {
        let doing = "setting up the session";
        let broken = |source| Failure::Broken { doing, source };
        let mut session = Session::new().map_err(|error| broken(error.into()))?;
        session.set_tcp_stream(socket.try_clone().map_err(broken)?);
        session.set_blocking(false);
        Ok(Self { session, socket })
    }

    fn authenticate(&self, login: &Login, deadline: Deadline, watch: &mut dyn Watch) -> Result<(), Failure> {
        let key: &Path = &login.identity;
        let attempt = self.until(deadline, watch, "logging in", || {
            self.session.userauth_pubkey_file(&login.user, None, key, None)
        });
        match attempt {
            Err(Failure::Broken { source, .. }) if source.kind() != ErrorKind::ConnectionReset => {
                Err(Failure::Refused {
                    user: login.user.clone(),
                    identity: login.identity.clone(),
                    source: ssh2::Error::last_session_error(&self.session)
                        .unwrap_or_else(|| ssh2::Error::from_errno(ErrorCode::Session(-18))),
                })
            }
            other => other,
        }
    }

    /// Repeats a libssh2 call until it no longer would block.
    fn until<T>(
        &self,
        deadline: Deadline,
        watch: &mut dyn Watch,
        doing: &'static str,
        mut call: impl FnMut() -> Result<T, ssh2::Error>,
    ) -> Result<T, Failure> {
        loop {
            match call() {
                Ok(value) => return Ok(value),
                Err(error) if error.code() == AGAIN => {}
                Err(error) => {
                    let source = error.into();
                    return Err(Failure::Broken { doing, source });
                }
            }
            watch.check()?;
            if deadline.is_over() {
                return Err(deadline.missed(doing));
            }
            self.wait();
        }
    }

    /// Waits a moment, or less if the socket is ready for what libssh2 wants to do.
    pub fn wait(&self) {
        let flags = match self.session.block_directions() {
            BlockDirections::Outbound => PollFlags::OUT,
            BlockDirections::Both => PollFlags::IN | PollFlags::OUT,
            BlockDirections::Inbound | BlockDirections::None => PollFlags::IN,
        };
        let time = Timespec::try_from(SLICE).ok();
        // A failure (a signal, say) only makes the wait shorter.
        let _ = poll(&mut [PollFd::new(&self.socket, flags)], time.as_ref());
    }
}

fn connect(port: u16) -> Result<TcpStream, Failure> {
    let doing = "connecting";
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).map_err(|source| Failure::Broken { doing, source })
}

/// QEMU's forwarding accepts for any guest; only a greeting shows that somebody is there.
fn await_greeting(socket: &TcpStream, deadline: Deadline, watch: &mut dyn Watch) -> Result<(), Failure> {
    let doing = "waiting for the server's greeting";
    let broken = |source| Failure::Broken { doing, source };
    socket.set_read_timeout(Some(SLICE)).map_err(broken)?;
    loop {
        match socket.peek(&mut [0; 4]) {
            Ok(1..) => return Ok(()),
            Ok(0) => return Err(broken(ErrorKind::ConnectionReset.into())),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(broken(error)),
        }
        watch.check()?;
        if deadline.is_over() {
            return Err(deadline.missed(doing));
        }
    }
}

/// Lets some time pass while looking after the guest.
fn rest(time: Duration, watch: &mut dyn Watch) -> Result<(), Failure> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        watch.check()?;
        std::thread::sleep(SLICE.min(time));
    }
    Ok(())
}

#[cfg(test)]
#[path = "ssh/tests.rs"]
mod tests;
