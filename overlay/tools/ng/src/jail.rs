//! The netgraph of a jail that has a network stack of its own (vnet), from outside the jail.
//!
//! A socket belongs to the network stack of the process that makes it, and a ksocket node to that of the process that asked
//! for it. So a second process of ng, the [`agent`], enters the jail, makes the sockets and sends the control messages; the
//! sockets are given to this process, which reads from them. This process stays where its files, ifconfig(8) and the
//! kernel's modules are: a jail need not have any of them.

use std::env;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use netgraph::{
    Endpoint, Errno, GENERIC_COOKIE, Kernel, KernelSocket, MakePeer, Message, Protocol, Received, Request, Transport,
    TypeName,
};

use crate::failure::{Failure, Result};

pub mod agent;
mod wire;

use wire::Order;

/// The netgraph of a jail.
#[derive(Clone)]
pub struct InJail(Arc<Line>);

/// A netgraph socket in a jail.
pub struct JailSocket {
    line: Arc<Line>,
    number: u32,
    protocol: Protocol,
    socket: KernelSocket,
}

/// The connection to the agent.
struct Line {
    stream: UnixStream,
    /// How many sockets were made: each has the next number, here and there.
    made: AtomicU32,
    agent: Mutex<Option<Child>>,
}

impl InJail {
    /// Starts an agent that enters the jail of that number.
    ///
    /// # Errors
    /// The agent does not start.
    pub fn enter(jail: i32) -> Result<Self> {
        let started = UnixStream::pair().and_then(|(stream, theirs)| {
            let agent = Command::new(env::current_exe()?)
                .args(["jail-agent", &jail.to_string()])
                .stdin(OwnedFd::from(theirs))
                // Signals of the terminal are for this process, which may have something to take back.
                .process_group(0)
                .spawn()?;
            Ok(Line::new(stream, Some(agent)))
        });
        started.map(|line| Self(Arc::new(line))).map_err(|error| Failure::Io {
            what: "could not start the process that enters the jail",
            error,
        })
    }
}

impl Line {
    fn new(stream: UnixStream, agent: Option<Child>) -> Self {
        Self {
            stream,
            made: AtomicU32::new(0),
            agent: Mutex::new(agent),
        }
    }

    /// Has the agent do something. An agent that is gone has lost the connection.
    fn ask(&self, order: &Order) -> Result<Option<OwnedFd>, Errno> {
        let lost = |_: io::Error| Errno::EPIPE;
        order.write(&self.stream).map_err(lost)?;
        wire::read_reply(&self.stream).map_err(lost)?
    }

    fn open(&self, protocol: Protocol) -> Result<(u32, KernelSocket), Errno> {
        let socket = self.ask(&Order::Open(protocol))?.ok_or(Errno::EPROTO)?;
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        Ok((number, socket.into()))
    }
}

impl Drop for Line {
    /// The agent ends with the connection.
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        if let Some(mut agent) = self.agent.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = agent.wait();
        }
    }
}

impl Transport for InJail {
    type Endpoint = JailSocket;

    fn open(&self, protocol: Protocol) -> Result<JailSocket, Errno> {
        let opened = match self.0.open(protocol) {
            Err(Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT) => {
                self.load_module("ng_socket")?;
                self.0.open(protocol)
            }
            opened => opened,
        };
        opened.map(|(number, socket)| JailSocket {
            line: self.0.clone(),
            number,
            protocol,
            socket,
        })
    }

    /// Jails may not; this process does.
    fn load_module(&self, name: &str) -> Result<(), Errno> {
        Kernel.load_module(name)
    }
}

impl JailSocket {
    fn send_in_jail(&self, bytes: &[u8], to: Option<&str>) -> Result<(), Errno> {
        let order = Order::Send {
            socket: self.number,
            to: to.map(str::to_owned),
            bytes: bytes.to_vec(),
        };
        self.line.ask(&order).map(drop)
    }
}

impl AsFd for JailSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for JailSocket {
    fn drop(&mut self) {
        let _ = self.line.ask(&Order::Close(self.number));
    }
}

impl Endpoint for JailSocket {
    fn bind(&self, name: &str) -> Result<(), Errno> {
        Endpoint::bind(&self.socket, name)
    }

    fn connect(&self, address: &str) -> Result<(), Errno> {
        Endpoint::connect(&self.socket, address)
    }

    /// A node type that is asked for loads its module, which is not allowed in a jail; so this process loads it.
    fn send(&self, bytes: &[u8], to: Option<&str>) -> Result<(), Errno> {
        if self.protocol == Protocol::Data {
            return self.socket.send(bytes, to);
        }
        match self.send_in_jail(bytes, to) {
            Err(refusal @ (Errno::ENXIO | Errno::EPERM)) => {
                let kind = asked_type(bytes).ok_or(refusal)?;
                Kernel.load_module(&format!("ng_{kind}")).map_err(|_| refusal)?;
                self.send_in_jail(bytes, to)
            }
            sent => sent,
        }
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<Option<Received>, Errno> {
        self.socket.receive(buffer)
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<bool, Errno> {
        Endpoint::wait(&self.socket, deadline)
    }

    fn reserve(&self, bytes: usize) -> Result<usize, Errno> {
        self.socket.reserve(bytes)
    }
}

/// The type of the node that a message asks for, if it does.
fn asked_type(bytes: &[u8]) -> Option<TypeName> {
    let message = Message::from_bytes(bytes).ok()?;
    let asks = message.cookie == GENERIC_COOKIE && message.command == MakePeer::COMMAND;
    // `struct ngm_mkpeer` begins with the type, which ends with a zero.
    let name = message.data.split(|&byte| byte == 0).next().filter(|_| asks)?;
    std::str::from_utf8(name).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
