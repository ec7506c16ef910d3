//! A process that is killed in the middle of everything, without a chance to do anything about it; and one of which a
//! message is refused.

use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::time::Instant;
use std::{cell::Cell, os::fd::AsFd, os::fd::BorrowedFd};

use netgraph::{Endpoint, Errno, Protocol, Received, Transport};

/// What unwinds the stack in place of the signal.
struct Killed;

/// What becomes of the message that is one too many.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// The process is killed instead of sending it.
    Killed,
    /// It is refused, as if the kernel had no memory; those behind it are not.
    Refused,
}

/// A transport that carries so many messages before something happens.
pub struct Mortal<T> {
    inner: T,
    left: Rc<Cell<usize>>,
    over: Rc<Cell<bool>>,
    end: End,
}

/// A socket of it.
pub struct MortalSocket<E> {
    inner: E,
    left: Rc<Cell<usize>>,
    over: Rc<Cell<bool>>,
    end: End,
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
    pub fn new(inner: T, messages: usize, end: End) -> Self {
        let left = Rc::new(Cell::new(messages));
        let over = Rc::default();
        Self { inner, left, over, end }
    }

    /// Becomes true when it happens.
    pub fn over(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.over)
    }
}

impl<T: Transport> Transport for Mortal<T> {
    type Endpoint = MortalSocket<T::Endpoint>;

    fn open(&self, protocol: Protocol) -> Result<Self::Endpoint, Errno> {
        let inner = self.inner.open(protocol)?;
        let left = Rc::clone(&self.left);
        let (over, end) = (self.over(), self.end);
        Ok(MortalSocket { inner, left, over, end })
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
        match (self.left.get().checked_sub(1), self.end) {
            (Some(left), _) => self.left.set(left),
            (None, End::Killed) => panic::resume_unwind(Box::new(Killed)),
            (None, End::Refused) if !self.over.replace(true) => return Err(Errno::ENOMEM),
            (None, End::Refused) => {}
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
