//! Sockets of a protocol made here: what is sent comes back.

use core::ffi::c_int;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kpi::Errno;
use kpi::raw::domain::domain as raw_domain;
use kpi::raw::mbuf::mbuf;
use kpi::raw::protosw::{PR_ADDR, PR_ATOMIC, protosw};
use kpi::raw::socketvar::{SOCK_DGRAM, sockaddr, sockbuf, socket};
use kpi::raw::systm::thread;
use kpi::shared::SyncCell;

use super::*;
use crate::domain::{domain_add, domain_remove};
use crate::kernel::{Config, Kernel, Subject};
use crate::process::{Process, Socket};

const FAMILY: c_int = 200;
const SIZE: u64 = 4096;

static SENT: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn attach(so: *mut socket, _: c_int, _: *mut thread) -> c_int {
    // SAFETY: a socket that is being made.
    unsafe { soreserve(so, SIZE, SIZE) }
}

unsafe extern "C" fn close(so: *mut socket) {
    // SAFETY: a live socket, none of whose locks is held.
    unsafe { soisdisconnected(so) }
}

/// The datagram comes back, from whom it was sent to.
unsafe extern "C" fn send(
    so: *mut socket,
    _: c_int,
    m: *mut mbuf,
    to: *mut sockaddr,
    _: *mut mbuf,
    _: *mut thread,
) -> c_int {
    SENT.fetch_add(1, Ordering::Relaxed);
    // SAFETY: a live socket.
    let own = unsafe { So::new(so) };
    let buffer: *mut sockbuf = own.place(own.layout.so_rcv);
    core::mem::forget(own.buffer(Direction::Receive).lock());
    // SAFETY: the buffer is locked, and everything else valid.
    if unsafe { sbappendaddr_locked(buffer, to, m, core::ptr::null_mut()) } == 1 {
        // SAFETY: the receive buffer is locked.
        unsafe { sorwakeup_locked(so) };
        return 0;
    }
    // SAFETY: the receive buffer is locked.
    unsafe { soroverflow_locked(so) };
    // SAFETY: the buffer did not take it.
    unsafe { crate::mbuf::free(m) };
    Errno::ENOBUFS.get()
}

unsafe extern "C" fn detach(_: *mut socket) {}

struct Statics {
    switch: Box<SyncCell<protosw>>,
    domain: Box<SyncCell<raw_domain>>,
}

// SAFETY: used by pointer only, by the kernel whose turn it is.
unsafe impl Send for Statics {}

static STATICS: LazyLock<Statics> = LazyLock::new(|| {
    // SAFETY: integers, pointers and optional functions, for all of which zero is a value.
    let mut switch: protosw = unsafe { core::mem::zeroed() };
    switch.pr_type = SOCK_DGRAM;
    switch.pr_protocol = 1;
    switch.pr_flags = PR_ATOMIC | PR_ADDR;
    switch.pr_attach = Some(attach);
    switch.pr_detach = Some(detach);
    switch.pr_close = Some(close);
    switch.pr_send = Some(send);
    let switch = Box::new(SyncCell::new(switch));
    // SAFETY: integers and pointers, for all of which zero is a value.
    let mut domain: raw_domain = unsafe { core::mem::zeroed() };
    domain.dom_family = FAMILY;
    domain.dom_nprotosw = 2;
    domain.dom_flags = 4;
    domain.dom_protosw[0] = switch.get();
    Statics {
        switch,
        domain: Box::new(SyncCell::new(domain)),
    }
});

/// A kernel with the protocol.
struct World {
    _kernel: Kernel,
}

impl World {
    fn new() -> Self {
        let config = Config {
            subject: Subject::None,
            guard_pages: true,
            check_leaks: true,
        };
        let world = Self {
            _kernel: Kernel::boot(config).expect("a kernel without a module"),
        };
        // SAFETY: a domain of the native release, in memory that stays.
        unsafe { domain_add(STATICS.domain.get()) };
        world
    }

    fn socket(&self) -> Socket {
        Process::ROOT.socket(FAMILY, SOCK_DGRAM.into(), 1).expect("a socket")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // SAFETY: added by new.
        unsafe { domain_remove(STATICS.domain.get()) };
    }
}

const ADDRESS: [u8; 4] = [0, 200, b'x', 0];
const SEEN: [u8; 4] = [4, 200, b'x', 0];

fn code(errno: c_int) -> Errno {
    Errno::check(errno).expect_err("an errno is not 0")
}

#[test]
fn there_is_no_socket_without_a_protocol() {
    let world = World::new();
    let errno = |family, kind, protocol| Process::ROOT.socket(family, kind, protocol).err();
    assert_eq!(errno(32, 2, 1), Some(code(errno::EAFNOSUPPORT)));
    assert_eq!(errno(FAMILY, 1, 0), Some(code(errno::EPROTOTYPE)));
    assert_eq!(errno(FAMILY, 2, 9), Some(code(errno::EPROTONOSUPPORT)));
    assert!(Process::ROOT.socket(FAMILY, 2, 0).is_ok(), "protocol 0 is the first");
    drop(world);
}

#[test]
fn methods_that_are_left_out_are_not_supported() {
    let world = World::new();
    let socket = world.socket();
    assert_eq!(socket.bind(&ADDRESS), Err(Errno::EOPNOTSUPP));
    assert_eq!(socket.connect(&ADDRESS), Err(Errno::EOPNOTSUPP));
    assert_eq!(socket.name(), Err(Errno::EOPNOTSUPP));
    assert_eq!(socket.shutdown(9), Err(Errno::EINVAL));
    assert_eq!(socket.shutdown(1), Err(Errno::EOPNOTSUPP));
}

#[test]
fn a_datagram_comes_back_with_its_address() {
    let world = World::new();
    let socket = world.socket();
    assert_eq!(socket.send(b"hello", 0, Some(&ADDRESS), None), Ok(5));
    assert_eq!(socket.read_event().map(|event| event.bytes), Some(5));
    let mut buffer = [0; 16];
    let seen = socket.receive(&mut buffer, MSG_PEEK).expect("a datagram");
    assert_eq!((seen.length, &seen.from[..], seen.flags & MSG_TRUNC), (5, &SEEN[..], 0));
    let received = socket.receive(&mut buffer, 0).expect("the datagram again");
    assert_eq!((received.length, &buffer[..5]), (5, &b"hello"[..]));
    assert_eq!(socket.receive(&mut buffer, MSG_DONTWAIT), Err(Errno::EWOULDBLOCK));
    assert_eq!(socket.read_event(), None);
}

#[test]
fn what_does_not_fit_the_reader_is_cut_off() {
    let world = World::new();
    let socket = world.socket();
    let mut buffer = [0; 2];
    for (flags, length) in [(0, 2), (MSG_TRUNC, 5)] {
        socket.send(b"hello", 0, Some(&ADDRESS), None).expect("room");
        let received = socket.receive(&mut buffer, flags).expect("a datagram");
        assert_eq!((received.length, received.flags & MSG_TRUNC), (length, MSG_TRUNC));
    }
    assert_eq!(socket.receive(&mut buffer, MSG_DONTWAIT), Err(Errno::EWOULDBLOCK));
}

#[test]
fn sends_fail_in_freebsds_order() {
    let world = World::new();
    let socket = world.socket();
    let large = vec![0; SIZE as usize + 1];
    assert_eq!(socket.send(&large, 0, None, None), Err(Errno::EDESTADDRREQ));
    assert_eq!(socket.send(&large, 0, Some(&ADDRESS), None), Err(code(errno::EMSGSIZE)));
    assert_eq!(socket.send(b"", 0, Some(&[0]), None), Err(Errno::EINVAL));
    assert_eq!(
        socket.send(b"", 0, Some(&[0; 256]), None),
        Err(code(errno::ENAMETOOLONG))
    );
    assert_eq!(socket.broken_pipes(), 0);
}

#[test]
fn a_full_buffer_refuses_and_tells_who_asked() {
    let world = World::new();
    let socket = world.socket();
    let datagram = [0; 2000];
    assert_eq!(socket.send(&datagram, 0, Some(&ADDRESS), None), Ok(2000));
    assert_eq!(socket.send(&datagram, 0, Some(&ADDRESS), None), Ok(2000));
    assert_eq!(socket.send(&datagram, 0, Some(&ADDRESS), None), Err(Errno::ENOBUFS));
    assert_eq!(socket.option(options::SO_ERROR), Ok(0));
    socket.set_option(SO_RERROR, 1).expect("an option");
    assert_eq!(socket.send(&datagram, 0, Some(&ADDRESS), None), Err(Errno::ENOBUFS));
    assert_eq!(socket.option(options::SO_ERROR), Ok(Errno::ENOBUFS.get()));
}

#[test]
fn a_disconnected_socket_is_at_its_end_both_ways() {
    let world = World::new();
    let socket = world.socket();
    let reader = socket.clone();
    let waiting = std::thread::spawn(move || reader.receive(&mut [0; 8], 0).map(|received| received.length));
    let poller = socket.clone();
    let polling = std::thread::spawn(move || poller.poll(poll::POLLIN, None));
    let so = last_socket();
    until(|| crate::thread::sleepers().len() == 2);
    // SAFETY: the socket lives, and nothing of it is locked here.
    unsafe { soisdisconnected(so) };
    assert_eq!(waiting.join().expect("no panic"), Ok(0));
    // It is woken when reading has ended; that writing has, it may not see any more.
    let seen = polling.join().expect("no panic").expect("nothing interrupts it");
    assert_eq!(seen & !poll::POLLHUP, poll::POLLIN);
    let ends = socket.poll(poll::POLLIN, Some(Duration::ZERO));
    assert_eq!(ends, Ok(poll::POLLIN | poll::POLLHUP));
    assert_eq!(socket.send(b"x", 0, Some(&ADDRESS), None), Err(Errno::EPIPE));
    assert_eq!(socket.send(b"x", MSG_NOSIGNAL, Some(&ADDRESS), None), Err(Errno::EPIPE));
    assert_eq!(socket.broken_pipes(), 1);
    assert_eq!(socket.read_event().map(|event| event.at_end), Some(true));
}

/// The only socket there is.
fn last_socket() -> *mut socket {
    let live = lock(&STATE.get().live);
    *live.last().expect("a socket") as *mut socket
}

/// Waits until something is so, ten seconds at most.
fn until(condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "nothing happens");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn waiting_ends_with_time_and_with_signals() {
    let world = World::new();
    let socket = world.socket();
    socket
        .set_timeout(options::SO_RCVTIMEO, Duration::from_millis(20))
        .expect("an option");
    assert_eq!(socket.receive(&mut [0; 8], 0), Err(Errno::EWOULDBLOCK));
    assert_eq!(socket.poll(poll::POLLIN, Some(Duration::from_millis(5))), Ok(0));
    assert_eq!(socket.poll(poll::POLLOUT, None), Ok(poll::POLLOUT));
    socket
        .set_timeout(options::SO_RCVTIMEO, Duration::ZERO)
        .expect("an option");
    let (to_us, from_thread) = std::sync::mpsc::channel();
    let reader = socket.clone();
    let waiting = std::thread::spawn(move || {
        to_us.send(crate::thread::handle()).expect("somebody listens");
        reader.receive(&mut [0; 8], 0)
    });
    let handle = from_thread.recv().expect("the thread's handle");
    until(|| handle.sleeping_on().as_deref() == Some("sbwait"));
    handle.interrupt();
    assert_eq!(waiting.join().expect("no panic"), Err(Errno::EINTR));
    socket.set_nonblocking(true);
    assert_eq!(socket.receive(&mut [0; 8], 0), Err(Errno::EWOULDBLOCK));
}

#[test]
fn buffers_have_the_sizes_that_are_asked_for() {
    let world = World::new();
    let socket = world.socket();
    assert_eq!(socket.option(options::SO_RCVBUF), Ok(SIZE as c_int));
    assert_eq!(socket.set_option(options::SO_RCVBUF, 9000), Ok(()));
    assert_eq!(socket.option(options::SO_RCVBUF), Ok(9000));
    assert_eq!(socket.set_option(options::SO_SNDBUF, 0), Err(Errno::EINVAL));
    let most = crate::abi::booted().sb_max as c_int;
    assert_eq!(socket.set_option(options::SO_SNDBUF, most), Err(Errno::ENOBUFS));
    assert_eq!(socket.set_option(options::SO_SNDBUF, most / 9 * 8), Ok(()));
    assert_eq!(socket.option(options::SO_TYPE), Ok(SOCK_DGRAM.into()));
    assert_eq!(socket.option(0x7777), Err(code(errno::ENOPROTOOPT)));
}

#[test]
fn a_shutdown_during_the_copy_is_not_seen_before_the_protocol() {
    let world = World::new();
    let socket = world.socket();
    let so = last_socket() as usize;
    let before = SENT.load(Ordering::Relaxed);
    // SAFETY: the socket lives, and nothing of it is locked while data are copied.
    during_next_copyin(move || unsafe { soisdisconnected(so as *mut socket) });
    assert_eq!(socket.send(b"late", 0, Some(&ADDRESS), None), Ok(4));
    assert_eq!(SENT.load(Ordering::Relaxed), before + 1);
}

#[test]
fn the_last_descriptor_closes() {
    let world = World::new();
    let socket = world.socket();
    let passed = socket.in_process(Process::USER);
    drop(socket);
    assert_eq!(passed.send(b"x", 0, Some(&ADDRESS), None), Ok(1));
    assert_eq!(lock(&STATE.get().live).len(), 1);
    drop(passed);
    assert_eq!(lock(&STATE.get().live).len(), 0);
}

#[test]
fn the_switch_keeps_the_kernels_defaults() {
    let world = World::new();
    // SAFETY: the switch is a static, and the domain was added.
    let sosend = unsafe { (*STATICS.switch.get()).pr_sosend };
    assert_eq!(
        sosend.map(|method| method as usize),
        Some(sosend_generic as *const () as usize)
    );
    drop(world);
}
