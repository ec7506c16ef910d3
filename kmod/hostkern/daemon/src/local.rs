//! The sockets of the hosted kernel in this process.

use std::ffi::CString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hostkern::{Process, Socket};
use netgraph::{
    BrokenPipe, Datagram, Direction, Errno, Events, FAMILY, Outgoing, Protocol, ReadEvent, SocketCalls, SocketOption,
    Transport, Wait,
};

/// Numbers of FreeBSD's sys/socket.h and sys/poll.h, which this machine's own headers do not have.
mod number {
    pub const SOCK_DGRAM: i32 = 2;
    pub const NG_DATA: i32 = 1;
    pub const NG_CONTROL: i32 = 2;
    pub const MSG_DONTWAIT: i32 = 0x80;
    pub const MSG_NOSIGNAL: i32 = 0x2_0000;
    pub const SO_SNDBUF: i32 = 0x1001;
    pub const SO_RCVBUF: i32 = 0x1002;
    pub const SO_SNDTIMEO: i32 = 0x1005;
    pub const SO_RCVTIMEO: i32 = 0x1006;
    pub const SO_ERROR: i32 = 0x1007;
    pub const SO_RERROR: i32 = 0x2_0000;
    pub const SHUT_RD: i32 = 0;
    pub const SHUT_WR: i32 = 1;
    pub const POLLIN: i16 = 0x01;
    pub const POLLERR: i16 = 0x08;
    pub const POLLHUP: i16 = 0x10;
}

/// A process of the hosted kernel that runs in this one.
#[derive(Debug, Clone)]
pub struct Local(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    process: Mutex<Process>,
    broken_pipes: AtomicU32,
}

/// A socket of a [`Local`]; the last clone closes it.
#[derive(Clone)]
pub struct LocalSocket {
    socket: Socket,
    process: Local,
}

fn errno(errno: hostkern::Errno) -> Errno {
    Errno(errno.get())
}

impl Local {
    /// A process of root's, in the host's vnet.
    #[must_use]
    pub fn root() -> Self {
        Self(Arc::new(Shared {
            process: Mutex::new(Process::ROOT),
            broken_pipes: AtomicU32::new(0),
        }))
    }

    /// What it is now.
    #[must_use]
    pub fn process(&self) -> Process {
        *self.0.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes its credentials, or moves it to another vnet; its sockets stay, and are used so from now on. Returns what it
    /// was.
    pub fn become_process(&self, process: Process) -> Process {
        let mut place = self.0.process.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, process)
    }

    /// How often it would have got SIGPIPE. This process does not: it may serve many.
    #[must_use]
    pub fn broken_pipes(&self) -> u32 {
        self.0.broken_pipes.load(Ordering::Relaxed)
    }
}

impl Transport for Local {
    type Endpoint = LocalSocket;

    fn open(&self, protocol: Protocol) -> Result<LocalSocket, Errno> {
        let protocol = match protocol {
            Protocol::Data => number::NG_DATA,
            Protocol::Control => number::NG_CONTROL,
        };
        let socket = self
            .process()
            .socket(i32::from(FAMILY), number::SOCK_DGRAM, protocol)
            .map_err(errno)?;
        Ok(LocalSocket {
            socket,
            process: self.clone(),
        })
    }

    fn load_module(&self, name: &str) -> Result<(), Errno> {
        let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
        let thread = hostkern::thread::current();
        // SAFETY: the name is a C string for the length of the call, and null asks for no ID.
        let error = unsafe { hostkern::module::kern_kldload(thread, name.as_ptr(), std::ptr::null_mut()) };
        match Errno(error) {
            Errno(0) | Errno::EEXIST => Ok(()),
            error => Err(error),
        }
    }
}

impl LocalSocket {
    /// The descriptor, in the process as it is now.
    fn now(&self) -> Socket {
        self.socket.in_process(self.process.process())
    }
}

fn wait_flag(wait: Wait) -> i32 {
    match wait {
        Wait::Blocking => 0,
        Wait::Never => number::MSG_DONTWAIT,
    }
}

fn option_number(option: SocketOption) -> i32 {
    match option {
        SocketOption::SendBuffer => number::SO_SNDBUF,
        SocketOption::ReceiveBuffer => number::SO_RCVBUF,
        SocketOption::Error => number::SO_ERROR,
        SocketOption::ReceiveErrors => number::SO_RERROR,
    }
}

impl SocketCalls for LocalSocket {
    fn bind(&self, address: &[u8]) -> Result<(), Errno> {
        self.now().bind(address).map_err(errno)
    }

    fn connect(&self, address: &[u8]) -> Result<(), Errno> {
        self.now().connect(address).map_err(errno)
    }

    fn sendmsg(&self, message: &Outgoing<'_>) -> Result<usize, Errno> {
        let flags = wait_flag(message.wait)
            | match message.broken_pipe {
                BrokenPipe::Error => number::MSG_NOSIGNAL,
                BrokenPipe::Signal => 0,
            };
        let socket = self.now();
        let before = socket.broken_pipes();
        let sent = socket.send(message.bytes, flags, message.to, message.ancillary);
        let signals = socket.broken_pipes() - before;
        self.process.0.broken_pipes.fetch_add(signals, Ordering::Relaxed);
        sent.map_err(errno)
    }

    fn recvfrom(&self, buffer: &mut [u8], wait: Wait) -> Result<Datagram, Errno> {
        let received = self.now().receive(buffer, wait_flag(wait)).map_err(errno)?;
        Ok(Datagram {
            length: received.length,
            from: received.from,
        })
    }

    fn getsockname(&self) -> Result<Vec<u8>, Errno> {
        self.now().name().map_err(errno)
    }

    fn getsockopt(&self, option: SocketOption) -> Result<i32, Errno> {
        self.now().option(option_number(option)).map_err(errno)
    }

    fn setsockopt(&self, option: SocketOption, value: i32) -> Result<(), Errno> {
        self.now().set_option(option_number(option), value).map_err(errno)
    }

    fn set_timeout(&self, direction: Direction, timeout: Duration) -> Result<(), Errno> {
        let option = match direction {
            Direction::Receive => number::SO_RCVTIMEO,
            Direction::Send => number::SO_SNDTIMEO,
        };
        self.now().set_timeout(option, timeout).map_err(errno)
    }

    fn set_wait(&self, wait: Wait) -> Result<(), Errno> {
        self.now().set_nonblocking(wait == Wait::Never);
        Ok(())
    }

    fn shutdown(&self, direction: Direction) -> Result<(), Errno> {
        let how = match direction {
            Direction::Receive => number::SHUT_RD,
            Direction::Send => number::SHUT_WR,
        };
        self.now().shutdown(how).map_err(errno)
    }

    fn poll(&self, deadline: Option<Instant>) -> Result<Events, Errno> {
        let time = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let found = self.now().poll(number::POLLIN, time).map_err(errno)?;
        Ok(Events {
            readable: found & number::POLLIN != 0,
            hangup: found & number::POLLHUP != 0,
            error: found & number::POLLERR != 0,
        })
    }

    fn read_event(&self, within: Duration) -> Result<Option<ReadEvent>, Errno> {
        self.poll(Instant::now().checked_add(within))?;
        Ok(self.now().read_event().map(|event| ReadEvent {
            at_end: event.at_end,
            bytes: event.bytes,
        }))
    }
}
