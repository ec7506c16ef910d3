//! The running FreeBSD kernel. The only place with `unsafe` in this program.
//!
//! It compiles on every Unix, so that it is checked wherever the workspace is; it is used on FreeBSD only.
#![cfg_attr(not(target_os = "freebsd"), allow(dead_code, reason = "used on FreeBSD only"))]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use libc::c_int;
use netgraph::{Errno, KernelSocket, Protocol, Transport};

use crate::outcome::{Outcome, Stop, not_here};
use crate::system::{Laboratory, Restart, System, TestSocket, Thread, no_laboratory};

/// The user without any privilege.
const NOBODY: libc::uid_t = 65534;
/// The module under test.
const MODULE: &str = "ng_socket";

/// How often SIGPIPE came.
static BROKEN_PIPES: AtomicU32 = AtomicU32::new(0);

/// The running kernel.
pub struct FreeBsd;

impl FreeBsd {
    /// The running kernel, in a process that counts SIGPIPE.
    pub fn new() -> Self {
        // Without the handler, SIGPIPE would end the process, which a test would report in its own way.
        let _ = handle(libc::SIGPIPE, count_broken_pipe, 0);
        Self
    }
}

extern "C" fn count_broken_pipe(_: c_int) {
    BROKEN_PIPES.fetch_add(1, Ordering::Relaxed);
}

extern "C" fn ignore(_: c_int) {}

fn last_error() -> Errno {
    let code = std::io::Error::last_os_error().raw_os_error();
    code.map_or(Errno::EIO, Errno)
}

fn checked(result: c_int) -> Result<c_int, Errno> {
    if result < 0 { Err(last_error()) } else { Ok(result) }
}

/// sigaction(2)
fn handle(signal: c_int, handler: extern "C" fn(c_int), flags: c_int) -> Result<(), Errno> {
    // SAFETY: sigaction is made of integers and a pointer, for which zero is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = flags;
    // SAFETY: the kernel reads one action; its handler touches nothing but an atomic.
    checked(unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) }).map(drop)
}

/// Sends SIGTERM to a child that has not been waited for.
pub fn terminate(child: libc::pid_t) -> Result<(), Errno> {
    // SAFETY: integers only.
    checked(unsafe { libc::kill(child, libc::SIGTERM) }).map(drop)
}

impl TestSocket for KernelSocket {
    fn limit_rights(&self) -> Outcome {
        Ok(limit_rights(self.as_fd())?)
    }
}

/// cap_rights_limit(2) to `CAP_EVENT`, `CAP_READ` and `CAP_WRITE`
#[cfg(target_os = "freebsd")]
fn limit_rights(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    // sys/capsicum.h: CAPRIGHT(0, 1), CAPRIGHT(0, 2) and CAPRIGHT(1, 0x20), where the index is bit 57 or 58.
    let (read_and_write, event, end): (u64, u64, u64) = (1 << 57 | 0x3, 1 << 58 | 0x20, 0);
    // SAFETY: the rights are made of integers, for which zero is a value.
    let mut rights: libc::cap_rights_t = unsafe { std::mem::zeroed() };
    // SAFETY: version 0 of the structure, and 64-bit rights up to a zero, as cap_rights_init(3) has it.
    unsafe { libc::__cap_rights_init(0, &raw mut rights, read_and_write, event, end) };
    // SAFETY: the kernel reads one set of rights.
    checked(unsafe { libc::cap_rights_limit(socket.as_raw_fd(), &raw const rights) }).map(drop)
}

#[cfg(not(target_os = "freebsd"))]
fn limit_rights(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    let _ = socket.as_raw_fd();
    Err(Errno::ENOSYS)
}

/// A thread of this process.
struct PosixThread(libc::pthread_t);

// SAFETY: a pthread_t names a thread to pthread_kill(3) from any other one. Tests interrupt threads that still run.
unsafe impl Send for PosixThread {}
// SAFETY: as above: naming a thread changes nothing.
unsafe impl Sync for PosixThread {}

impl Thread for PosixThread {
    fn interrupt(&self) {
        // SAFETY: the thread still runs: it is the one that the test runs in, which waits for its helpers.
        let result = unsafe { libc::pthread_kill(self.0, libc::SIGUSR1) };
        assert_eq!(result, 0, "pthread_kill of a thread that runs");
    }
}

impl System for FreeBsd {
    fn name(&self) -> String {
        format!("FreeBSD {}", release_text())
    }

    fn release(&self) -> u32 {
        release_text()
            .split('.')
            .next()
            .and_then(|major| major.parse().ok())
            .unwrap_or(0)
    }

    fn socket(&self, protocol: Protocol) -> Result<Box<dyn TestSocket>, Errno> {
        Ok(Box::new(KernelSocket::new(protocol)?))
    }

    fn become_nobody(&self) -> Result<(), Errno> {
        // SAFETY: an integer only.
        checked(unsafe { libc::setuid(NOBODY) }).map(drop)
    }

    fn in_jail(&self, probe: &str, argument: &str) -> Outcome {
        let program = std::env::current_exe()?;
        let output = Command::new("jail")
            .args(["-c", "vnet", "path=/", &format!("name={argument}"), "exec.clean=0"])
            .arg(format!("command={}", program.display()))
            .args(["--probe", probe, argument])
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stdout);
        Err(Stop::Failed(format!("in the jail: {said} ({})", output.status)))
    }

    fn start(&self, probe: &str) -> Outcome<Child> {
        Ok(Command::new(std::env::current_exe()?)
            .args(["--probe", probe, ""])
            .spawn()?)
    }

    fn catch_signals(&self, restart: Restart) -> Outcome {
        let flags = match restart {
            Restart::Never => 0,
            Restart::Yes => libc::SA_RESTART,
        };
        Ok(handle(libc::SIGUSR1, ignore, flags)?)
    }

    fn this_thread(&self) -> Box<dyn Thread> {
        // SAFETY: no arguments.
        Box::new(PosixThread(unsafe { libc::pthread_self() }))
    }

    fn broken_pipes(&self) -> u32 {
        BROKEN_PIPES.load(Ordering::Relaxed)
    }

    fn sysctl(&self, name: &str) -> Result<Vec<u8>, Errno> {
        sysctl(&CString::new(name).map_err(|_| Errno::EINVAL)?)
    }

    fn message_buffer(&self) -> Outcome<Vec<String>> {
        let text = self.sysctl("kern.msgbuf")?;
        Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
    }

    fn load(&self) -> Outcome<Result<(), Errno>> {
        Ok(netgraph::Kernel.load_module(MODULE))
    }

    fn unload(&self) -> Outcome<Result<(), Errno>> {
        if cfg!(target_os = "freebsd") {
            Ok(unload(MODULE))
        } else {
            not_here("there is no kldunload")
        }
    }

    fn sockets(&self) -> Outcome<(usize, usize)> {
        // Without -M, netstat of FreeBSD 14 does not look the symbol up that it then misses.
        let arguments = ["-M", "/dev/mem", "-f", "netgraph", "-an"];
        let output = Command::new("netstat").args(arguments).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let count = |kind: &str| text.lines().filter(|line| line.starts_with(kind)).count();
        Ok((count("ctrl"), count("data")))
    }

    fn run_probes(&self, probe: &str, arguments: &[String]) -> Outcome {
        let program = std::env::current_exe()?;
        let start = |argument: &String| Command::new(&program).args(["--probe", probe, argument]).spawn();
        let mut children = arguments.iter().map(start).collect::<Result<Vec<_>, _>>()?;
        let ends = children.iter_mut().map(Child::wait).collect::<Result<Vec<_>, _>>()?;
        match ends.iter().find(|end| !end.success()) {
            Some(end) => Err(Stop::Failed(format!("expected every process to do well, got {end}"))),
            None => Ok(()),
        }
    }

    fn allocated(&self) -> Outcome<BTreeMap<String, u64>> {
        let vmstat = |option: &str| Command::new("vmstat").arg(option).output();
        let types = String::from_utf8_lossy(&vmstat("-m")?.stdout).into_owned();
        let zones = String::from_utf8_lossy(&vmstat("-z")?.stdout).into_owned();
        let types = types.lines().filter_map(type_in_use);
        Ok(types.chain(zones.lines().filter_map(zone_in_use)).collect())
    }

    fn share_of(&self, times: u32) -> u32 {
        times
    }

    fn laboratory(&self) -> Outcome<&dyn Laboratory> {
        no_laboratory()
    }

    fn leave(&self) -> Outcome {
        Ok(())
    }

    fn abandon(&self) {}
}

/// What a round of the storm allocates, as vmstat(8) calls it; the names of types have no spaces.
const KINDS: [&str; 6] = ["netgraph", "socket", "soname", "sonewconn", "pcb", "mbuf"];

fn is_of_interest(name: &str) -> bool {
    let name = name.to_lowercase();
    KINDS.iter().any(|kind| name.starts_with(kind))
}

/// A malloc(9) type and its allocations, from a line of `vmstat -m`.
fn type_in_use(line: &str) -> Option<(String, u64)> {
    let mut words = line.split_whitespace();
    let name = words.next().filter(|name| is_of_interest(name))?;
    Some((name.to_owned(), words.next()?.parse().ok()?))
}

/// A zone and its allocations, from a line of `vmstat -z`: a name, a colon; size, limit, used, free and more.
fn zone_in_use(line: &str) -> Option<(String, u64)> {
    let (name, figures) = line.rsplit_once(':').filter(|(name, _)| is_of_interest(name))?;
    let used = figures.split(',').nth(2)?.trim().parse().ok()?;
    Some((format!("{name} (zone)"), used))
}

/// Such as `14.3-RELEASE`.
fn release_text() -> String {
    // SAFETY: utsname is made of characters, for which zero is a value.
    let mut system: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills one structure.
    unsafe { libc::uname(&raw mut system) };
    let characters = system.release.iter().take_while(|byte| **byte != 0);
    characters.map(|byte| char::from(byte.cast_unsigned())).collect()
}

/// sysctlbyname(3): asked for the size first, with room for what may be added meanwhile.
#[cfg(target_os = "freebsd")]
fn sysctl(name: &CStr) -> Result<Vec<u8>, Errno> {
    let mut size = 0;
    let none = std::ptr::null_mut();
    // SAFETY: no buffer is given: the kernel writes the size only.
    checked(unsafe { libc::sysctlbyname(name.as_ptr(), none, &raw mut size, std::ptr::null(), 0) })?;
    size += size / 8 + 16;
    let mut bytes = vec![0u8; size];
    let place = bytes.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `size` bytes, which `bytes` has, and the size.
    checked(unsafe { libc::sysctlbyname(name.as_ptr(), place, &raw mut size, std::ptr::null(), 0) })?;
    bytes.truncate(size);
    Ok(bytes)
}

#[cfg(not(target_os = "freebsd"))]
fn sysctl(_: &CStr) -> Result<Vec<u8>, Errno> {
    Err(Errno::ENOSYS)
}

/// kldfind(2) and kldunload(2)
#[cfg(target_os = "freebsd")]
fn unload(module: &str) -> Result<(), Errno> {
    // SAFETY: the declarations are those of sys/linker.h.
    unsafe extern "C" {
        fn kldfind(file: *const libc::c_char) -> c_int;
        fn kldunload(file: c_int) -> c_int;
    }
    let name = CString::new(module).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the kernel reads a zero-terminated string.
    let file = checked(unsafe { kldfind(name.as_ptr()) })?;
    // SAFETY: an integer only.
    checked(unsafe { kldunload(file) }).map(drop)
}

#[cfg(not(target_os = "freebsd"))]
fn unload(_: &str) -> Result<(), Errno> {
    Err(Errno::ENOSYS)
}

#[cfg(test)]
mod check {
    use super::*;

    #[test]
    fn lines_of_vmstat_are_read() {
        let types = [
            "netgraph_sock    12    3K    4711  16,32,64",
            "     Type   Use  Memory",
            "devbuf 5 1K 7 16",
        ];
        let read: Vec<_> = types.into_iter().filter_map(type_in_use).collect();
        assert_eq!(read, [("netgraph_sock".to_owned(), 12)]);
        let zones = [
            "NetGraph items:   72,  4123,      31,     997,   4711,   0,   0,   0",
            "ITEM  SIZE  LIMIT  USED",
        ];
        let read: Vec<_> = zones.into_iter().filter_map(zone_in_use).collect();
        assert_eq!(read, [("NetGraph items (zone)".to_owned(), 31)]);
    }
}
