//! Network interfaces of this machine in the hosted kernel's graph: each has a node of type `ether`, and a thread that reads
//! its frames.
//!
//! Linux itself is to have no business with them: they need no addresses, and it is kept from speaking there by itself.

mod card;
mod sys;

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use hostkern::Errno;
use hostkern::netgraph::ether::{self, Interface};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub use card::{Card, InterfaceError};

/// The longest frame that is read: longer than any that a segmentation offload makes, should it not be off.
const LONGEST: usize = 128 * 1024;

/// How often to look whether an interface that is down is up again, or gone.
const PATIENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The interfaces that are attached; they are detached with the end of this value, before the kernel is taken down.
#[derive(Default)]
pub struct Interfaces {
    _readers: Vec<Reader>,
}

/// The thread that reads an interface's frames, and what ends it.
struct Reader {
    stop: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Interfaces {
    /// Attaches interfaces to the running kernel.
    ///
    /// # Errors
    /// The kernel has no node for one; then none stays attached.
    pub fn attach(cards: Vec<Card>) -> Result<Self, InterfaceError> {
        let readers = cards.into_iter().map(Reader::start).collect::<Result<_, _>>()?;
        Ok(Self { _readers: readers })
    }
}

impl Reader {
    fn start(card: Card) -> Result<Self, InterfaceError> {
        let card = Arc::new(card);
        let interface = ether::attach(card.name(), Arc::clone(&card) as Arc<_>);
        let interface = interface.map_err(|errno| match errno {
            Errno::EADDRINUSE => InterfaceError::Taken(card.name().to_owned()),
            errno => InterfaceError::NoNode {
                name: card.name().to_owned(),
                code: errno.get(),
            },
        })?;
        let failed = |error| InterfaceError::Refused {
            name: card.name().to_owned(),
            doing: "read from",
            error,
        };
        let (stop, stopped) = UnixStream::pair().map_err(failed)?;
        let name = card.name().to_owned();
        let line = Line {
            card: Arc::clone(&card),
            interface,
            stopped,
        };
        let thread = thread::Builder::new()
            .name(name)
            .spawn(|| line.serve())
            .map_err(failed)?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It cannot fail: the other end may be gone, but then so is the thread's work.
        let _ = self.stop.shutdown(Shutdown::Both);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(
            !matches!(ended, Some(Err(_))) || thread::panicking(),
            "the thread of an interface panicked"
        );
    }
}

/// What ends the wait for a frame.
enum Woken {
    Frame,
    Time,
    Stop,
}

/// What is known of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Up,
    Down,
    Gone,
}

/// An interface and the node that its frames go to. The node goes with the thread.
struct Line {
    card: Arc<Card>,
    interface: Interface,
    stopped: UnixStream,
}

impl Line {
    fn serve(self) {
        let mut buffer = vec![0; LONGEST];
        let mut health = Health::Up;
        while health != Health::Gone {
            match self.wait(health) {
                Ok(Woken::Stop) => return,
                Ok(Woken::Frame) if self.pass_on(&mut buffer).is_ok() => {}
                // Linux tells once that an interface has gone down, and never that it is gone.
                _ => health = self.look(health),
            }
        }
    }

    fn wait(&self, health: Health) -> io::Result<Woken> {
        let socket = self.card.socket();
        let mut entries = [
            PollFd::new(&socket, PollFlags::IN),
            PollFd::new(&self.stopped, PollFlags::IN),
        ];
        let patience = (health == Health::Down).then_some(&PATIENCE);
        match poll(&mut entries, patience) {
            Err(rustix::io::Errno::INTR) => return self.wait(health),
            result => result?,
        };
        let [frame, stop] = entries.map(|entry| !entry.revents().is_empty());
        Ok(match (stop, frame) {
            (true, _) => Woken::Stop,
            (false, true) => Woken::Frame,
            (false, false) => Woken::Time,
        })
    }

    fn pass_on(&self, buffer: &mut [u8]) -> io::Result<()> {
        match self.card.receive(buffer) {
            Ok(frame) => frame.into_iter().for_each(|frame| self.interface.deliver(frame)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Looks how the interface is, and says what has changed.
    fn look(&self, before: Health) -> Health {
        let now = match self.card.is_up() {
            Ok(true) => Health::Up,
            Ok(false) => Health::Down,
            Err(_) => Health::Gone,
        };
        let name = self.card.name();
        match now {
            _ if now == before => {}
            Health::Up => eprintln!("hostkernd: interface {name} is up again"),
            Health::Down => eprintln!("hostkernd: interface {name} is down; it carries nothing until it is up again"),
            Health::Gone => eprintln!("hostkernd: interface {name} is gone, and so is its node"),
        }
        now
    }
}
