//! `-d`: what goes through the sockets, told on standard error.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use netgraph::{Endpoint, Errno, Message, Protocol, Received, Transport};

use crate::dump;

/// How much is told: 0 nothing, 1 one line for each message or packet, 2 and more its bytes, too. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Level(Arc<AtomicU8>);

impl Level {
    /// That level.
    pub fn new(level: u8) -> Self {
        Self(Arc::new(AtomicU8::new(level)))
    }

    /// The level now.
    pub fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    /// Changes it.
    pub fn set(&self, level: u8) {
        self.0.store(level, Ordering::Relaxed);
    }
}

/// A transport that tells what it carries.
#[derive(Debug)]
pub struct Traced<T> {
    inner: T,
    level: Level,
}

/// One of its sockets.
#[derive(Debug)]
pub struct TracedSocket<E> {
    inner: E,
    protocol: Protocol,
    level: Level,
}

impl<T> Traced<T> {
    /// Tells as much as the level says at the time.
    pub fn new(inner: T, level: Level) -> Self {
        Self { inner, level }
    }
}

impl<T: Transport> Transport for Traced<T> {
    type Endpoint = TracedSocket<T::Endpoint>;

    fn open(&self, protocol: Protocol) -> Result<Self::Endpoint, Errno> {
        let inner = self.inner.open(protocol)?;
        let level = self.level.clone();
        Ok(TracedSocket { inner, protocol, level })
    }

    fn load_module(&self, name: &str) -> Result<(), Errno> {
        let result = self.inner.load_module(name);
        if self.level.get() > 0 {
            tell!("ng: load module {name}: {result:?}");
        }
        result
    }
}

impl<E> TracedSocket<E> {
    fn tell(&self, verb: &str, address: &str, bytes: &[u8]) {
        if self.level.get() == 0 {
            return;
        }
        match (self.protocol, Message::from_bytes(bytes)) {
            (Protocol::Control, Ok(message)) => {
                let kind = if message.is_reply() { "response" } else { "message" };
                tell!(
                    "ng: {verb} \"{address}\": {kind} {} (cookie {}, command {:#x}, token {}), {} bytes of arguments",
                    message.name,
                    message.cookie,
                    message.command,
                    message.token,
                    message.data.len()
                );
            }
            _ => tell!("ng: {verb} \"{address}\": {} bytes", bytes.len()),
        }
        if self.level.get() > 1 {
            tell!("{}", dump::lines(bytes).trim_end_matches('\n'));
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
        if let (Err(error), true) = (&result, self.level.get() > 0) {
            tell!("ng: refused: {error}");
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
