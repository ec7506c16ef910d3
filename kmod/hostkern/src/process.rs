//! The system calls: a process and its netgraph sockets.

use core::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::socket::{Address, MSG_NOSIGNAL, So, Transfer};
use crate::thread::{self, Credentials, Vnet};
use kpi::Errno;

const SO_NOSIGPIPE: c_int = 0x800;
const EMSGSIZE: c_int = 40;
/// The longest ancillary data: a cluster.
const LONGEST_ANCILLARY: usize = 2048;

/// Who makes system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// What it may do.
    pub credentials: Credentials,
    /// Where its sockets and nodes are.
    pub vnet: Vnet,
}

/// What recvfrom(2) gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Bytes put into the buffer; with `MSG_TRUNC` as a flag, the datagram's whole length.
    pub length: usize,
    /// The sender's `sockaddr`, `sa_len` bytes of it; empty if there was none.
    pub from: Vec<u8>,
    /// `MSG_TRUNC` and the like.
    pub flags: i32,
}

/// What an `EVFILT_READ` event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// `EV_EOF`
    pub at_end: bool,
    /// Bytes there are to read.
    pub bytes: i64,
}

/// A file: what all descriptors of one socket share.
struct File {
    socket: So,
    opener: Process,
    broken_pipes: AtomicU32,
}

impl Drop for File {
    fn drop(&mut self) {
        // A kernel that was taken down meanwhile has reported the socket, and freed it.
        if self.socket.is_live() {
            self.opener.run(|| self.socket.close());
        }
    }
}

/// A descriptor of a socket; the last clone closes it.
#[derive(Clone)]
pub struct Socket {
    file: Arc<File>,
    process: Process,
}

/// An errno of C.
fn result(code: c_int) -> Result<(), Errno> {
    Errno::check(code).map_err(Errno::for_process)
}

/// As [`result`], for a code that is not 0.
fn errno(code: c_int) -> Errno {
    result(code).err().unwrap_or(Errno::EINVAL)
}

impl Process {
    /// root of the host.
    pub const ROOT: Self = Self {
        credentials: Credentials::Root,
        vnet: Vnet(0),
    };
    /// A user of the host without privileges.
    pub const USER: Self = Self {
        credentials: Credentials::User,
        vnet: Vnet(0),
    };

    /// Runs `work` as a system call of this process.
    fn run<R>(self, work: impl FnOnce() -> R) -> R {
        crate::clock::tick();
        let result = thread::with(self.credentials, self.vnet, work);
        thread::assert_clean();
        result
    }

    /// socket(2)
    ///
    /// # Errors
    /// `EAFNOSUPPORT`, `EPROTOTYPE`, `EPROTONOSUPPORT`: there is no such protocol. Else what it answered.
    pub fn socket(self, domain: i32, kind: i32, protocol: i32) -> Result<Socket, Errno> {
        let socket = self.run(|| So::create(domain, kind, protocol)).map_err(errno)?;
        let file = File {
            socket,
            opener: self,
            broken_pipes: AtomicU32::new(0),
        };
        Ok(Socket {
            file: Arc::new(file),
            process: self,
        })
    }

    /// sysctlbyname(3), reading.
    ///
    /// # Errors
    /// As [`crate::sysctl::read`].
    pub fn read_sysctl(self, name: &str) -> Result<Vec<u8>, Errno> {
        self.run(|| crate::sysctl::read(name))
    }

    /// sysctlbyname(3), writing.
    ///
    /// # Errors
    /// As [`crate::sysctl::write`].
    pub fn write_sysctl(self, name: &str, value: &[u8]) -> Result<(), Errno> {
        self.run(|| crate::sysctl::write(name, value))
    }
}

impl Socket {
    /// Runs `call` as a system call on the socket.
    fn call<R>(&self, call: impl FnOnce(So) -> R) -> R {
        self.process.run(|| call(self.file.socket))
    }

    /// The same descriptor in another process, as if passed to it: later calls are made with its credentials.
    #[must_use]
    pub fn in_process(&self, process: Process) -> Self {
        Self {
            file: Arc::clone(&self.file),
            process,
        }
    }

    /// bind(2); `name` is what the process passes, `sa_len` is overwritten by its length as getsockaddr() does.
    ///
    /// # Errors
    /// `EINVAL`, `ENAMETOOLONG`: no address at all. Else what the protocol answered.
    pub fn bind(&self, name: &[u8]) -> Result<(), Errno> {
        self.call(|socket| {
            let address = Address::from_process(name).map_err(errno)?;
            result(socket.bind(&address))
        })
    }

    /// connect(2)
    ///
    /// # Errors
    /// As [`Socket::bind`].
    pub fn connect(&self, name: &[u8]) -> Result<(), Errno> {
        self.call(|socket| {
            let address = Address::from_process(name).map_err(errno)?;
            result(socket.connect(&address))
        })
    }

    /// sendmsg(2); SIGPIPE, if it comes, is counted in [`Socket::broken_pipes`].
    ///
    /// # Errors
    /// What the socket layer or the protocol answered.
    pub fn send(&self, data: &[u8], flags: i32, to: Option<&[u8]>, ancillary: Option<&[u8]>) -> Result<usize, Errno> {
        self.call(|socket| {
            let address = to.map(Address::from_process).transpose().map_err(errno)?;
            if ancillary.is_some_and(|ancillary| ancillary.len() > LONGEST_ANCILLARY) {
                return Err(errno(EMSGSIZE));
            }
            let control = ancillary.map_or(core::ptr::null_mut(), crate::mbuf::packet);
            let mut transfer = Transfer::from_process(data);
            let error = socket.send(address.as_ref(), &mut transfer, control, flags);
            self.sent(socket, error, flags, data.len(), transfer.left())
        })
    }

    /// What sendmsg(2) makes of sosend's answer.
    fn sent(&self, socket: So, error: c_int, flags: c_int, length: usize, left: isize) -> Result<usize, Errno> {
        let left = usize::try_from(left).unwrap_or(0);
        let Err(errno) = result(error) else {
            return Ok(length - left);
        };
        // A part was sent: say so.
        if left != length && (errno == Errno::EINTR || errno == Errno::EWOULDBLOCK) {
            return Ok(length - left);
        }
        if errno == Errno::EPIPE && flags & MSG_NOSIGNAL == 0 && socket.options() & SO_NOSIGPIPE == 0 {
            self.file.broken_pipes.fetch_add(1, Ordering::Relaxed);
        }
        Err(errno)
    }

    /// recvfrom(2)
    ///
    /// # Errors
    /// What the socket layer or the protocol answered.
    pub fn receive(&self, buffer: &mut [u8], flags: i32) -> Result<Received, Errno> {
        self.call(|socket| {
            let length = buffer.len();
            let mut transfer = Transfer::into_process(buffer);
            let mut flags = flags;
            let (error, from) = socket.receive(&mut transfer, &mut flags);
            result(error)?;
            Ok(Received {
                length: length.wrapping_add_signed(-transfer.left()),
                from: from.map(|from| from.to_vec()).unwrap_or_default(),
                flags,
            })
        })
    }

    /// getsockname(2): a whole `sockaddr`.
    ///
    /// # Errors
    /// What the protocol answered.
    pub fn name(&self) -> Result<Vec<u8>, Errno> {
        self.call(So::name).map_err(errno)
    }

    /// getsockopt(2) of an int of `SOL_SOCKET`; FreeBSD's numbers.
    ///
    /// # Errors
    /// `ENOPROTOOPT`: there is no such option.
    pub fn option(&self, option: i32) -> Result<i32, Errno> {
        self.call(|socket| socket.option(option)).map_err(errno)
    }

    /// setsockopt(2) of an int of `SOL_SOCKET`.
    ///
    /// # Errors
    /// `ENOPROTOOPT`: there is no such option. `EINVAL`, `ENOBUFS`: the size is less than 1, or more than the system allows.
    pub fn set_option(&self, option: i32, value: i32) -> Result<(), Errno> {
        self.call(|socket| socket.set_option(option, value)).map_err(errno)
    }

    /// `SO_SNDTIMEO` or `SO_RCVTIMEO`; zero is for ever.
    ///
    /// # Errors
    /// `ENOPROTOOPT`: it is another option.
    pub fn set_timeout(&self, option: i32, timeout: Duration) -> Result<(), Errno> {
        self.call(|socket| socket.set_timeout(option, timeout)).map_err(errno)
    }

    /// `O_NONBLOCK` (fcntl(2), FIONBIO).
    pub fn set_nonblocking(&self, nonblocking: bool) {
        self.call(|socket| socket.set_nonblocking(nonblocking));
    }

    /// shutdown(2)
    ///
    /// # Errors
    /// What the socket layer or the protocol answered.
    pub fn shutdown(&self, how: i32) -> Result<(), Errno> {
        self.call(|socket| result(socket.shutdown(how)))
    }

    /// poll(2): the events there are, 0 after the timeout; `None` waits for ever.
    ///
    /// # Errors
    /// `EINTR`: a signal came.
    pub fn poll(&self, events: i16, timeout: Option<Duration>) -> Result<i16, Errno> {
        self.call(|socket| socket.poll(events, timeout)).map_err(errno)
    }

    /// `EVFILT_READ`, now; `None` if it is not ready.
    #[must_use]
    pub fn read_event(&self) -> Option<Readiness> {
        self.call(So::read_event)
    }

    /// How many times a send raised SIGPIPE.
    #[must_use]
    pub fn broken_pipes(&self) -> u32 {
        self.file.broken_pipes.load(Ordering::Relaxed)
    }
}
