//! What the tests need of a system beside sockets.
//!
//! A process runs one test on one system, so that the system is known everywhere in it: [`here`].

use std::collections::BTreeMap;
use std::process::Child;
use std::sync::OnceLock;
use std::time::Duration;

use netgraph::{Errno, Protocol, SocketCalls};

use crate::outcome::{Outcome, not_here};

/// A socket, and what only some systems can do with it.
pub trait TestSocket: SocketCalls {
    /// cap_rights_limit(2) to `CAP_EVENT`, `CAP_READ` and `CAP_WRITE`.
    fn limit_rights(&self) -> Outcome;
}

/// What a system call does that a signal has interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// It ends in EINTR.
    Never,
    /// It starts again, if it may.
    Yes,
}

/// A thread that signals can be sent to.
pub trait Thread: Send + Sync {
    /// Interrupts the system call it sleeps in, or else the next one.
    fn interrupt(&self);
}

/// An operating system, real or hosted.
pub trait System: Sync {
    /// Its name and version, for the record.
    fn name(&self) -> String;

    /// The major version of FreeBSD whose ABI it has.
    fn release(&self) -> u32;

    /// socket(2) of the netgraph family.
    fn socket(&self, protocol: Protocol) -> Result<Box<dyn TestSocket>, Errno>;

    /// Gives up every privilege of this process for good; sockets that are open stay so.
    fn become_nobody(&self) -> Result<(), Errno>;

    /// Runs one of [`crate::tests::PROBES`] in a jail with a virtual network of its own.
    fn in_jail(&self, probe: &str, argument: &str) -> Outcome;

    /// Runs one of [`crate::tests::PROBES`] in a process of its own.
    fn start(&self, probe: &str) -> Outcome<Child>;

    /// Has signals interrupt system calls and do nothing else.
    fn catch_signals(&self, restart: Restart) -> Outcome;

    /// The calling thread.
    fn this_thread(&self) -> Box<dyn Thread>;

    /// How often this process was sent SIGPIPE.
    fn broken_pipes(&self) -> u32;

    /// sysctl(3) by name: the value's bytes.
    fn sysctl(&self, name: &str) -> Result<Vec<u8>, Errno>;

    /// The kernel's message buffer.
    fn message_buffer(&self) -> Outcome<Vec<String>>;

    /// kldload(2) of ng_socket, where it is not loaded.
    fn load(&self) -> Outcome<Result<(), Errno>>;

    /// kldunload(2) of ng_socket.
    fn unload(&self) -> Outcome<Result<(), Errno>>;

    /// How many control and data sockets the kernel's list shows, as netstat(1) reads it.
    fn sockets(&self) -> Outcome<(usize, usize)>;

    /// Runs a probe once with each argument, all at the same time; all must go well.
    fn run_probes(&self, probe: &str, arguments: &[String]) -> Outcome;

    /// How much of each kind the kernel has allocated, by what it calls them.
    fn allocated(&self) -> Outcome<BTreeMap<String, u64>>;

    /// What can be done to a kernel only from within.
    fn laboratory(&self) -> Outcome<&dyn Laboratory>;

    /// How many times, of those that a race is worth on FreeBSD, it is run here.
    fn share_of(&self, times: u32) -> u32;

    /// Ends what belongs to this process alone; what is left over then is a failure.
    fn leave(&self) -> Outcome;

    /// Leaves everything as it is, since the test has failed already.
    fn abandon(&self);
}

/// A packet as a node may hand it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet {
    /// As packets are.
    Whole,
    /// Without `M_PKTHDR`: the work of a faulty node.
    Headless,
}

/// A kernel that can be worked on from within.
pub trait Laboratory: Sync {
    /// Keeps a node busy until the guard is dropped: what is sent to it is queued.
    fn hold(&self, node: u32) -> Outcome<Box<dyn Send>>;

    /// Has a node of type `capture` send a packet out of its hook.
    fn inject(&self, node: u32, hook: &str, packet: Packet, bytes: &[u8]) -> Result<(), Errno>;

    /// Has a node of type `capture` answer messages with this number from now on, whatever it is.
    fn answer(&self, node: u32, number: i32) -> Result<(), Errno>;

    /// Has the kernel check assertions from now on, as one compiled with `INVARIANTS`.
    fn check_assertions(&self);

    /// Boots a kernel without the module, and loads it with the node type refused. What kldload(2) said, and how many
    /// allocations stayed. No socket may be open.
    fn load_failing(&self) -> Outcome<(Result<(), Errno>, u64)>;

    /// Boots a kernel with a `struct socket` that no release has. No socket may be open.
    fn boot_strange(&self) -> Outcome;
}

/// What a real kernel says to those who want a [`Laboratory`].
pub fn no_laboratory<T>() -> Outcome<T> {
    not_here("needs a kernel that can be worked on from within")
}

static HERE: OnceLock<Box<dyn System + Send>> = OnceLock::new();

/// Says which system this process is on, once.
pub fn arrive(system: Box<dyn System + Send>) {
    assert!(HERE.set(system).is_ok(), "a process is on one system");
}

/// The system that this process is on.
pub fn here() -> &'static dyn System {
    HERE.get().expect("main says where it is before a test runs").as_ref()
}

/// Runs `work` and, in another thread and after a while, `other`; both must go well.
pub fn meanwhile<T>(
    after: Duration,
    other: impl FnOnce() -> Outcome + Send,
    work: impl FnOnce() -> Outcome<T>,
) -> Outcome<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            std::thread::sleep(after);
            other()
        });
        let result = work();
        // A panic of the other thread is one of this test.
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        result
    })
}
