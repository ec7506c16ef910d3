//! A process that is killed: in the middle of everything, and without a chance to do anything about it.

use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::time::Instant;
use std::{cell::Cell, os::fd::AsFd, os::fd::BorrowedFd};

use netgraph::{Endpoint, Errno, Protocol, Received, Transport};

/// What unwinds the stack in place of the signal.
struct Killed;

/// A transport that carries so many messages, and no more.
pub struct Mortal<T> {
    inner: T,
    left: Rc<Cell<usize>>,
}

/// A socket of it.
pub struct MortalSocket<E> {
    inner: E,
    left: Rc<Cell<usize>>,
}

/// Runs what may be killed; None if it was.
pub fn survive<V>(work: impl FnOnce() -> V) -> Option<V> {
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(payload) if payload.is::<Killed>() => None,
        Err(payload) => panic::resume_unwind(payload),
    }
}

impl<T> Mortal<T> {
    pub fn new(inner: T, messages: usize) -> Self {
        let left = Rc::new(Cell::new(messages));
        Self { inner, left }
    }
}

impl<T: Transport> Transport for Mortal<T> {
    type Endpoint = MortalSocket<T::Endpoint>;

    fn open(&self, protocol: Protocol) -> Result<Self::Endpoint, Errno> {
        let inner = self.inner.open(protocol)?;
        let left = Rc::clone(&self.left);
        Ok(MortalSocket { inner, left })
    }

    fn load_module(&self, name: &str) -> Result<(), Errno> {
        self.inner.load_module(name)
    }
}

impl<E: Endpoint> Endpoint for MortalSocket<E> {
    fn bind(&self, name: &str) -> Result<(), Errno> {
        self.inner.bind(name)
    }

    fn connect(&self, address: &str) -> Result<(), Errno> {
        self.inner.connect(address)
    }

    fn send(&self, bytes: &[u8], to: Option<&str>) -> Result<(), Errno> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => panic::resume_unwind(Box::new(Killed)),
        }
        self.inner.send(bytes, to)
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<Option<Received>, Errno> {
        self.inner.receive(buffer)
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<bool, Errno> {
        self.inner.wait(deadline)
    }

    fn reserve(&self, bytes: usize) -> Result<usize, Errno> {
        self.inner.reserve(bytes)
    }
}

impl<E: AsFd> AsFd for MortalSocket<E> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}
