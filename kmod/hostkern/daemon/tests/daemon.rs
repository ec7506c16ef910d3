//! The program `hostkernd`, and the sockets it serves.

use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netgraph::hosted::wire::{self, Answer, Call, EDITION, Greeting, Purpose, Reply};
use netgraph::hosted::{Hosted, HostedSocket};
use netgraph::{
    Address, Connect, Endpoint, Errno, GetNodeInfo, HookName, ListNodes, MakePeer, Protocol, Socket, SocketCalls,
    Transport, Wait, socket_address,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

/// A running hostkernd with the native module.
struct Daemon {
    child: Child,
    path: PathBuf,
    introduction: String,
}

impl Daemon {
    fn start(path: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hostkernd"))
            .arg("--socket")
            .arg(path)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
        let introduction = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("hostkernd: "))
            .expect("it says what it is");
        Self {
            child,
            path: path.to_owned(),
            introduction,
        }
    }

    fn transport(&self) -> Hosted {
        Hosted::new(&self.path)
    }

    fn open(&self, name: &str) -> Socket<Hosted> {
        Socket::open_on(self.transport(), Some(&name.parse().unwrap())).unwrap()
    }

    fn signal(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap()
    }

    /// Ends it as it should be; it says so if something was lost.
    fn end(mut self) {
        let status = self.signal(Signal::TERM);
        assert!(status.success(), "{status}");
        assert!(!self.path.exists());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // After `end` there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection in the words of the wire.
fn greet(path: &Path, edition: u32, purpose: Purpose) -> (UnixStream, Reply) {
    let stream = UnixStream::connect(path).unwrap();
    wire::send(&stream, &Greeting { edition, purpose }).unwrap();
    let reply = wire::receive(&stream).unwrap();
    (stream, reply)
}

fn is_readable(socket: &HostedSocket, patience: Duration) -> bool {
    let mut entries = [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)];
    poll(&mut entries, Some(&Timespec::try_from(patience).unwrap())).unwrap() == 1
}

fn names(socket: &mut Socket<Hosted>) -> Vec<String> {
    let nodes = socket.request(&Address::here(), &ListNodes).unwrap();
    nodes.into_iter().filter_map(|node| node.name).collect()
}

fn hook(name: &str) -> HookName {
    name.parse().unwrap()
}

#[test]
fn it_says_what_it_is_and_goes_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("socket"));
    let said = &daemon.introduction;
    assert!(said.contains("FreeBSD 14 ABI"), "{said}");
    assert!(said.ends_with("a rehearsal stage, not FreeBSD"), "{said}");
    let mut socket = daemon.open("one");
    let here = Address::here();
    for (kind, ours) in [("hub", "a"), ("tee", "b")] {
        let peer_hook = hook(if kind == "hub" { "port" } else { "left" });
        let request = MakePeer {
            type_name: kind.parse().unwrap(),
            hook: hook(ours),
            peer_hook,
        };
        socket.request(&here, &request).unwrap();
    }
    let request = Connect {
        peer: "one:b".parse().unwrap(),
        hook: hook("other"),
        peer_hook: hook("right"),
    };
    // Both outlive the socket, and are left to the daemon.
    socket.request(&".:a".parse().unwrap(), &request).unwrap();
    drop(socket);
    daemon.end();
}

#[test]
fn a_closed_socket_is_gone_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("socket"));
    let mut watcher = daemon.open("watcher");
    for _ in 0..50 {
        let mut socket = daemon.open("guest");
        socket.open_data().unwrap();
        drop(socket);
        assert_eq!(names(&mut watcher), ["watcher"]);
    }
    drop(watcher);
    daemon.end();
}

#[test]
fn only_a_stale_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let mut killed = Daemon::start(&path);
    killed.signal(Signal::KILL);
    assert!(path.exists());
    let daemon = Daemon::start(&path);
    let second = Daemon::start(&path);
    assert!(second.introduction.contains("in use"), "{}", second.introduction);
    let mut second = second;
    assert_eq!(second.child.wait().unwrap().code(), Some(1));
    drop(daemon.open("one"));
    daemon.end();
}

#[test]
fn a_daemon_that_is_killed_is_a_lost_connection() {
    let folder = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(&folder.path().join("socket"));
    let mut socket = daemon.open("one");
    daemon.signal(Signal::KILL);
    let lost = socket.request(&Address::here(), &GetNodeInfo).unwrap_err();
    assert_eq!(lost.errno(), Some(Errno::ECONNRESET));
}

#[test]
fn a_process_that_dies_in_a_call_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("socket"));
    let mut watcher = daemon.open("watcher");
    let (life, reply) = greet(&daemon.path, EDITION, Purpose::Open(Protocol::Control));
    let Ok(Answer::Opened(ticket)) = reply else {
        panic!("{reply:?}");
    };
    let attach = || greet(&daemon.path, EDITION, Purpose::Attach(ticket)).0;
    let (named, receiving, polling) = (attach(), attach(), attach());
    wire::send(&named, &Call::Bind(socket_address("victim").unwrap())).unwrap();
    assert_eq!(wire::receive::<Reply>(&named).unwrap(), Ok(Answer::Done));
    let wait = Wait::Blocking;
    // Twice: the second call, too, must not outlive the process.
    for _ in 0..2 {
        wire::send(&receiving, &Call::Receive { length: 64, wait }).unwrap();
        wire::send(&polling, &Call::Poll(None)).unwrap();
    }
    // They have begun, most likely; before or after, the result must be the same.
    thread::sleep(Duration::from_millis(50));
    assert_eq!(names(&mut watcher).len(), 2);
    drop(life);
    let deadline = Instant::now() + Duration::from_secs(20);
    while names(&mut watcher).len() > 1 {
        assert!(Instant::now() < deadline, "{:?}", names(&mut watcher));
        thread::sleep(Duration::from_millis(5));
    }
    drop(watcher);
    daemon.end();
}

#[test]
fn sigterm_ends_calls_that_wait() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("socket"));
    let socket = daemon.transport().open(Protocol::Control).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| socket.poll(None));
        thread::sleep(Duration::from_millis(50));
        daemon.end();
        // The answer may get through, or not.
        let ended = waiting.join().unwrap();
        assert!(matches!(ended, Err(Errno::EINTR | Errno::ECONNRESET)), "{ended:?}");
    });
}

#[test]
fn calls_are_made_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("socket"));
    let socket = daemon.transport().open(Protocol::Control).unwrap();
    thread::scope(|scope| {
        let mut buffer = [0; 512];
        let receiving = &socket;
        let received = scope.spawn(move || receiving.recvfrom(&mut buffer, Wait::Blocking));
        let message = netgraph::Message {
            command: 6 | netgraph::READONLY | netgraph::HAS_REPLY,
            flags: 0,
            token: 1,
            cookie: netgraph::GENERIC_COOKIE,
            name: "nodeinfo".to_owned(),
            data: Vec::new(),
        };
        socket.send(&message.to_bytes(), Some(".:")).unwrap();
        let length = received.join().unwrap().unwrap().length;
        assert!(length > netgraph::HEADER_SIZE);
    });
    drop(socket);
    daemon.end();
}

#[test]
fn another_edition_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("socket"));
    let (_, reply) = greet(&daemon.path, EDITION + 1, Purpose::LoadModule("ng_hub".to_owned()));
    assert_eq!(reply, Err(Errno::EPROTO));
    daemon.end();
}

#[test]
fn modules_are_loaded_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("socket"));
    let transport = daemon.transport();
    assert_eq!(transport.load_module("ng_hub"), Ok(()));
    assert_eq!(transport.load_module("ng_hub"), Ok(()));
    assert_eq!(transport.load_module("ng_nosuch"), Err(Errno::ENOENT));
    daemon.end();
}

/// A node whose hook `x` leads to the hub `hub0`, with its data socket.
fn attached(daemon: &Daemon, name: &str) -> (Socket<Hosted>, HostedSocket) {
    let mut socket = daemon.open(name);
    let request = Connect {
        peer: "hub0:".parse().unwrap(),
        hook: hook("x"),
        peer_hook: hook(name),
    };
    socket.request(&Address::here(), &request).unwrap();
    let data = daemon.transport().open(Protocol::Data).unwrap();
    Endpoint::connect(&data, &format!("{name}:")).unwrap();
    (socket, data)
}

fn make_hub(daemon: &Daemon) -> Socket<Hosted> {
    let mut socket = daemon.open("maker");
    let request = MakePeer {
        type_name: "hub".parse().unwrap(),
        hook: hook("hub"),
        peer_hook: hook("maker"),
    };
    socket.request(&Address::here(), &request).unwrap();
    let name = netgraph::Name("hub0".parse().unwrap());
    socket.request(&".:hub".parse().unwrap(), &name).unwrap();
    socket
}

#[test]
fn the_descriptor_is_readable_while_there_is_something() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("socket"));
    let maker = make_hub(&daemon);
    let (left, sender) = attached(&daemon, "left");
    let (right, receiver) = attached(&daemon, "right");
    let mut buffer = [0; 64];
    for _ in 0..20 {
        assert!(!is_readable(&receiver, Duration::from_millis(1)));
        sender.send(b"one", Some("x")).unwrap();
        sender.send(b"two", Some("x")).unwrap();
        for _ in 0..2 {
            assert!(is_readable(&receiver, Duration::from_secs(20)));
            assert_eq!(receiver.receive(&mut buffer).unwrap().unwrap().length, 3);
        }
        assert_eq!(receiver.receive(&mut buffer), Ok(None));
    }
    drop((maker, left, right, sender, receiver));
    daemon.end();
}

/// Sends back as many packets as are to come, each when the descriptor says that it is there.
fn send_back(socket: &HostedSocket, rounds: usize) {
    let mut buffer = [0; 64];
    let mut count = 0;
    while count < rounds {
        assert!(
            is_readable(socket, Duration::from_secs(20)),
            "packet {count} was not told"
        );
        while let Some(received) = socket.receive(&mut buffer).unwrap() {
            socket.send(&buffer[..received.length], Some("x")).unwrap();
            count += 1;
        }
    }
}

#[test]
fn no_wakeup_is_lost() {
    const ROUNDS: usize = 500;
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&folder.path().join("socket"));
    let maker = make_hub(&daemon);
    let (left, first) = attached(&daemon, "left");
    let (right, second) = attached(&daemon, "right");
    // Three packets go to and fro, so that some come while the token is on its way.
    for _ in 0..3 {
        first.send(b"ball", Some("x")).unwrap();
    }
    thread::scope(|scope| {
        scope.spawn(|| send_back(&first, ROUNDS - 3));
        scope.spawn(|| send_back(&second, ROUNDS));
    });
    drop((maker, left, right, first, second));
    daemon.end();
}
