//! The hosted kernel, in this process.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Child;

use hostkern::abi::Abi;
use hostkern::faults::{self, Site};
use hostkern::kernel::BootError;
use hostkern::netgraph::{self as graph, capture};
use hostkern::report;
use hostkern::thread::{Credentials, Handle, Vnet};
use hostkern::{Config, Kernel, Process, Subject};
use hostkernd::{Local, LocalSocket};
use netgraph::{Errno, Protocol, Transport};

use crate::outcome::{Outcome, Stop, holds, not_here};
use crate::runner;
use crate::system::{Laboratory, Packet, Restart, System, TestSocket, Thread};

/// The kernel, which stays in the thread that booted it, and its module.
struct Machine {
    kernel: Kernel,
    file: Option<i32>,
}

thread_local! {
    /// The machine of the thread that runs the test. Only there is it booted, changed and taken down.
    static MACHINE: RefCell<Option<Machine>> = const { RefCell::new(None) };
}

/// A hosted kernel with one process on it.
pub struct Hosted {
    process: Local,
    subject: Subject,
    release: u32,
}

fn errno(errno: hostkern::Errno) -> Errno {
    Errno(errno.get())
}

fn config(subject: Subject) -> Config {
    Config {
        subject,
        guard_pages: true,
        check_leaks: true,
    }
}

impl Machine {
    fn boot(subject: Subject, abi: Option<Abi>) -> Result<Self, String> {
        let booted = Kernel::boot_release(config(subject), abi);
        let kernel = booted.map_err(|error| format!("the hosted kernel does not boot: {error}"))?;
        let file = kernel.subject();
        Ok(Self { kernel, file })
    }

    fn load(&mut self, subject: &Subject) -> Result<(), Errno> {
        match self.kernel.load(subject) {
            Ok(file) => {
                self.file = file;
                Ok(())
            }
            Err(BootError::Link(error)) => Err(Errno(error.errno())),
            Err(_) => Err(Errno::ENOEXEC),
        }
    }

    fn unload(&mut self) -> Result<(), Errno> {
        let file = self.file.ok_or(Errno::ENOENT)?;
        self.kernel.settle();
        self.kernel.unload(file).map_err(errno)?;
        self.file = None;
        Ok(())
    }
}

/// Works with this thread's machine.
fn with_machine<T>(work: impl FnOnce(&mut Machine) -> T) -> Outcome<T> {
    MACHINE.with_borrow_mut(|machine| match machine {
        Some(machine) => Ok(work(machine)),
        None => not_here("the machine is another thread's"),
    })
}

/// Takes this thread's machine down, and boots another one.
fn reboot(subject: Subject, abi: Option<Abi>) -> Outcome {
    MACHINE.with_borrow_mut(|machine| {
        *machine = None;
        *machine = Some(Machine::boot(subject, abi).map_err(Stop::Failed)?);
        Ok(())
    })
}

impl Hosted {
    /// Boots a kernel with the module in a file, or with the one that is linked into this program.
    pub fn boot(module: Option<&Path>) -> Result<Self, String> {
        let subject = module.map_or(Subject::Native, |path| Subject::File(path.to_owned()));
        let machine = Machine::boot(subject.clone(), None)?;
        // __FreeBSD_version: the major version and five digits.
        let release = u32::try_from(machine.kernel.abi().version).unwrap_or(0) / 100_000;
        MACHINE.set(Some(machine));
        Ok(Self {
            process: Local::root(),
            subject,
            release,
        })
    }
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
        format!("hostkern, FreeBSD {}", self.release)
    }

    fn release(&self) -> u32 {
        self.release
    }

    fn socket(&self, protocol: Protocol) -> Result<Box<dyn TestSocket>, Errno> {
        Ok(Box::new(self.process.open(protocol)?))
    }

    fn become_nobody(&self) -> Result<(), Errno> {
        let process = self.process.process();
        self.process.become_process(Process {
            credentials: Credentials::User,
            ..process
        });
        Ok(())
    }

    fn in_jail(&self, probe: &str, argument: &str) -> Outcome {
        let process = self.process.process();
        let host = self.process.become_process(Process {
            vnet: Vnet(1),
            ..process
        });
        let outcome = runner::probe(probe, argument);
        self.process.become_process(host);
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
        self.process.broken_pipes()
    }

    fn sysctl(&self, name: &str) -> Result<Vec<u8>, Errno> {
        self.process.process().read_sysctl(name).map_err(errno)
    }

    fn message_buffer(&self) -> Outcome<Vec<String>> {
        Ok(hostkern::report::message_buffer())
    }

    fn load(&self) -> Outcome<Result<(), Errno>> {
        with_machine(|machine| machine.load(&self.subject))
    }

    fn unload(&self) -> Outcome<Result<(), Errno>> {
        with_machine(Machine::unload)
    }

    fn sockets(&self) -> Outcome<(usize, usize)> {
        not_here("no netstat reads a hosted kernel's memory")
    }

    fn run_probes(&self, probe: &str, arguments: &[String]) -> Outcome {
        std::thread::scope(|scope| {
            let threads: Vec<_> = { arguments.iter() }
                .map(|argument| scope.spawn(move || runner::probe(probe, argument)))
                .collect();
            let mut ends = threads.into_iter().map(|thread| thread.join());
            ends.try_for_each(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    fn allocated(&self) -> Outcome<BTreeMap<String, u64>> {
        with_machine(|machine| machine.kernel.settle())?;
        let usage = hostkern::memory::usage();
        Ok(usage.into_iter().map(|usage| (usage.name, usage.live)).collect())
    }

    fn share_of(&self, times: u32) -> u32 {
        // Slower, and every memory access is checked; what order can do is for the model checker.
        times.div_ceil(4)
    }

    fn laboratory(&self) -> Outcome<&dyn Laboratory> {
        Ok(self)
    }

    fn leave(&self) -> Outcome {
        // Should something be left over, the kernel says so and aborts.
        drop(MACHINE.take());
        Ok(())
    }

    fn abandon(&self) {
        // Or the end of the thread would take it down, and the report of what is left over hide what failed.
        std::mem::forget(MACHINE.take());
    }
}

/// How many allocations there are.
fn allocations() -> u64 {
    hostkern::memory::usage().iter().map(|usage| usage.live).sum()
}

impl Laboratory for Hosted {
    fn hold(&self, node: u32) -> Outcome<Box<dyn Send>> {
        let held = graph::hold(node).map_err(errno)?;
        Ok(Box::new(held))
    }

    fn inject(&self, node: u32, hook: &str, packet: Packet, bytes: &[u8]) -> Result<(), Errno> {
        let header = match packet {
            Packet::Whole => capture::Header::Packet,
            Packet::Headless => capture::Header::Missing,
        };
        capture::inject(node, hook, bytes, header).map_err(errno)
    }

    fn answer(&self, node: u32, number: i32) -> Result<(), Errno> {
        capture::answer(node, number).map_err(errno)
    }

    fn check_assertions(&self) {
        report::set_build(report::Build::Invariants);
    }

    fn load_failing(&self) -> Outcome<(Result<(), Errno>, u64)> {
        let abi = with_machine(|machine| machine.kernel.abi())?;
        reboot(Subject::None, Some(abi))?;
        let before = allocations();
        faults::arm(Site::NewType, 1, true);
        let answer = self.load()?;
        holds("a node type that was refused", faults::disarm())?;
        Ok((answer, allocations().saturating_sub(before)))
    }

    fn boot_strange(&self) -> Outcome {
        let mut abi = with_machine(|machine| machine.kernel.abi())?;
        let socket = &mut abi.socket;
        socket.size += STRANGE;
        for place in [
            &mut socket.so_snd_sx,
            &mut socket.so_snd_mtx,
            &mut socket.so_rcv_sx,
            &mut socket.so_rcv_mtx,
            &mut socket.so_rcv,
            &mut socket.so_snd,
        ] {
            *place += STRANGE;
        }
        reboot(self.subject.clone(), Some(abi))
    }
}

/// How many bytes more a strange kernel's `struct socket` has, before its locks.
const STRANGE: usize = 128;

impl TestSocket for LocalSocket {
    fn limit_rights(&self) -> Outcome {
        not_here("a hosted kernel has no capabilities")
    }
}
