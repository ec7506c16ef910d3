//! The hosted kernel, in this process.

use std::io::{IoSlice, IoSliceMut};
use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hostkern::thread::{Credentials, Handle, Vnet};
use hostkern::{Config, Kernel, Process, Socket, Subject};
use netgraph::{
    BrokenPipe, Datagram, Direction, Errno, Events, FAMILY, Outgoing, Protocol, ReadEvent, SocketCalls, SocketOption,
    Wait,
};

use crate::outcome::{Outcome, not_here};
use crate::runner;
use crate::system::{Laboratory, Restart, System, TestSocket, Thread};

/// Numbers of FreeBSD's sys/socket.h, which this machine's own headers do not have.
mod number {
    pub const SOCK_DGRAM: i32 = 2;
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

/// A hosted kernel with one process on it.
pub struct Hosted {
    kernel: Mutex<Option<Kernel>>,
    process: Arc<Mutex<Process>>,
    broken_pipes: Arc<AtomicU32>,
    subject: Subject,
    name: String,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn errno(errno: hostkern::Errno) -> Errno {
    Errno(errno.get())
}

impl Hosted {
    /// Boots a kernel with the module in a file, or with the one that is linked into this program.
    pub fn boot(module: Option<&Path>) -> Result<Self, String> {
        let subject = module.map_or(Subject::Native, |path| Subject::File(path.to_owned()));
        let kernel = boot(&subject)?;
        Ok(Self {
            kernel: Mutex::new(Some(kernel)),
            process: Arc::new(Mutex::new(Process::ROOT)),
            broken_pipes: Arc::default(),
            name: module.map_or_else(|| "hostkern, native".into(), |path| format!("hostkern, {}", path.display())),
            subject,
        })
    }
}

fn boot(subject: &Subject) -> Result<Kernel, String> {
    let config = Config {
        subject: subject.clone(),
        guard_pages: true,
        check_leaks: true,
    };
    Kernel::boot(&config).map_err(|error| format!("the hosted kernel does not boot: {error}"))
}

/// A thread, as the hosted kernel knows it.
struct HostedThread(Handle);

impl Thread for HostedThread {
    fn interrupt(&self) {
        self.0.interrupt();
    }
}

impl System for Hosted {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn release(&self) -> u32 {
        14
    }

    fn socket(&self, protocol: Protocol) -> Result<Box<dyn TestSocket>, Errno> {
        let protocol = match protocol {
            Protocol::Data => 1,
            Protocol::Control => 2,
        };
        let process = *lock(&self.process);
        let socket = process.socket(i32::from(FAMILY), number::SOCK_DGRAM, protocol).map_err(errno)?;
        Ok(Box::new(HostedSocket {
            socket,
            process: Arc::clone(&self.process),
            broken_pipes: Arc::clone(&self.broken_pipes),
        }))
    }

    fn become_nobody(&self) -> Result<(), Errno> {
        lock(&self.process).credentials = Credentials::User;
        Ok(())
    }

    fn in_jail(&self, probe: &str, argument: &str) -> Outcome {
        let host = std::mem::replace(&mut lock(&self.process).vnet, Vnet(1));
        let outcome = runner::probe(probe, argument);
        lock(&self.process).vnet = host;
        outcome
    }

    fn start(&self, _: &str) -> Outcome<Child> {
        not_here("a hosted kernel serves one process")
    }

    fn catch_signals(&self, restart: Restart) -> Outcome {
        match restart {
            Restart::Never => Ok(()),
            Restart::Yes => not_here("a hosted kernel does not restart calls"),
        }
    }

    fn this_thread(&self) -> Box<dyn Thread> {
        Box::new(HostedThread(hostkern::thread::handle()))
    }

    fn broken_pipes(&self) -> u32 {
        self.broken_pipes.load(Ordering::Relaxed)
    }

    fn sysctl(&self, name: &str) -> Result<Vec<u8>, Errno> {
        let _ = name;
        Err(Errno::ENOENT)
    }

    fn message_buffer(&self) -> Outcome<Vec<String>> {
        Ok(hostkern::report::message_buffer())
    }

    fn load(&self) -> Outcome<Result<(), Errno>> {
        not_here("not yet")
    }

    fn unload(&self) -> Outcome<Result<(), Errno>> {
        not_here("not yet")
    }

    fn sockets(&self) -> Outcome<(usize, usize)> {
        not_here("not yet")
    }

    fn laboratory(&self) -> Outcome<&dyn Laboratory> {
        not_here("not yet")
    }

    fn leave(&self) -> Outcome {
        drop(lock(&self.kernel).take());
        Ok(())
    }
}

/// A socket of the hosted kernel, used by a process whose credentials may change meanwhile.
struct HostedSocket {
    socket: Socket,
    process: Arc<Mutex<Process>>,
    broken_pipes: Arc<AtomicU32>,
}

impl HostedSocket {
    /// The descriptor, in the process as it is now.
    fn now(&self) -> Socket {
        self.socket.in_process(*lock(&self.process))
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

impl TestSocket for HostedSocket {
    fn limit_rights(&self) -> Outcome {
        not_here("a hosted kernel has no capabilities")
    }
}

impl SocketCalls for HostedSocket {
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
        let result = socket.send(message.bytes, flags, message.to, message.ancillary);
        self.broken_pipes.fetch_add(socket.broken_pipes() - before, Ordering::Relaxed);
        result.map_err(errno)
    }

    fn recvfrom(&self, buffer: &mut [u8], wait: Wait) -> Result<Datagram, Errno> {
        let received = self.now().receive(buffer, wait_flag(wait)).map_err(errno)?;
        Ok(Datagram {
            length: received.length,
            from: received.from,
        })
    }

    fn writev(&self, parts: &[IoSlice<'_>]) -> Result<usize, Errno> {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.sendmsg(&Outgoing {
            bytes: &bytes,
            to: None,
            ancillary: None,
            wait: Wait::Blocking,
            broken_pipe: BrokenPipe::Signal,
        })
    }

    fn readv(&self, parts: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        let mut bytes = vec![0; parts.iter().map(|part| part.len()).sum()];
        let length = self.recvfrom(&mut bytes, Wait::Blocking)?.length;
        let mut rest = &bytes[..length];
        for part in parts {
            let (now, later) = rest.split_at(part.len().min(rest.len()));
            part[..now.len()].copy_from_slice(now);
            rest = later;
        }
        Ok(length)
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
        self.poll(Some(Instant::now() + within))?;
        Ok(self.now().read_event().map(|event| ReadEvent {
            at_end: event.at_end,
            bytes: event.bytes,
        }))
    }
}
