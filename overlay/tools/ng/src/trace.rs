//! `-d`: what goes through the sockets, told on standard error.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use netgraph::{Endpoint, Errno, Message, Protocol, Received, Transport};

use crate::dump;

/// A transport that tells what it carries.
#[derive(Debug)]
pub struct Traced<T> {
    inner: T,
    level: u8,
}

/// One of its sockets.
#[derive(Debug)]
pub struct TracedSocket<E> {
    inner: E,
    protocol: Protocol,
    level: u8,
}

impl<T> Traced<T> {
    /// Level 0 tells nothing, 1 one line for each message or packet, 2 its bytes too.
    pub fn new(inner: T, level: u8) -> Self {
        Self { inner, level }
    }
}

impl<T: Transport> Transport for Traced<T> {
    type Endpoint = TracedSocket<T::Endpoint>;

    fn open(&self, protocol: Protocol) -> Result<Self::Endpoint, Errno> {
        let inner = self.inner.open(protocol)?;
        let level = self.level;
        Ok(TracedSocket { inner, protocol, level })
    }

    fn load_module(&self, name: &str) -> Result<(), Errno> {
        let result = self.inner.load_module(name);
        if self.level > 0 {
            eprintln!("ng: load module {name}: {result:?}");
        }
        result
    }
}

impl<E> TracedSocket<E> {
    fn tell(&self, verb: &str, address: &str, bytes: &[u8]) {
        if self.level == 0 {
            return;
        }
        match (self.protocol, Message::from_bytes(bytes)) {
            (Protocol::Control, Ok(message)) => {
                let kind = if message.is_reply() { "response" } else { "message" };
                eprintln!(
                    "ng: {verb} \"{address}\": {kind} {} (cookie {}, command {:#x}, token {}), {} bytes of arguments",
                    message.name,
                    message.cookie,
                    message.command,
                    message.token,
                    message.data.len()
                );
            }
            _ => eprintln!("ng: {verb} \"{address}\": {} bytes", bytes.len()),
        }
        if self.level > 1 {
            eprint!("{}", dump::lines(bytes));
        }
    }
}

impl<E: Endpoint> Endpoint for TracedSocket<E> {
    fn bind(&self, name: &str) -> Result<(), Errno> {
        self.inner.bind(name)
    }

    fn connect(&self, address: &str) -> Result<(), Errno> {
        self.inner.connect(address)
    }

    fn send(&self, bytes: &[u8], to: Option<&str>) -> Result<(), Errno> {
        self.tell("send to", to.unwrap_or_default(), bytes);
        let result = self.inner.send(bytes, to);
        if let (Err(error), true) = (&result, self.level > 0) {
            eprintln!("ng: refused: {error}");
        }
        result
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<Option<Received>, Errno> {
        let received = self.inner.receive(buffer)?;
        if let Some(received) = &received {
            self.tell("received from", &received.from, &buffer[..received.length]);
        }
        Ok(received)
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<bool, Errno> {
        self.inner.wait(deadline)
    }

    fn reserve(&self, bytes: usize) -> Result<usize, Errno> {
        self.inner.reserve(bytes)
    }
}

impl<E: AsFd> AsFd for TracedSocket<E> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}
