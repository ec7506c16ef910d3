//! A hosted kernel with a graph, and `ng` on it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hostkern::{Config, Kernel, Subject};
use hostkernd::{Server, Stop, serve};
use netgraph::hosted::Hosted;
use netgraph::{Address, Connect, Socket};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Two hubs that outlive their hooks, connected: `a.x -- b.y`.
const HUBS: &[&[&str]] = &[
    &["mkpeer", "hub", "t", "t"],
    &["name", "t", "a"],
    &["msg", "a:", "setpersistent"],
    &["mkpeer", "a:", "hub", "x", "y"],
    &["name", "a:x", "b"],
    &["msg", "b:", "setpersistent"],
    &["rmhook", "t"],
];

/// A kernel that is served from this process. Should it lose something, it aborts the tests.
pub struct Bench {
    pub folder: TempDir,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Bench {
    /// A kernel with an empty graph.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::bind(&folder.path().join("socket")).unwrap();
        let stop = server.stopper();
        let config = Config {
            subject: Subject::Native,
            guard_pages: false,
            check_leaks: true,
        };
        let thread = thread::spawn(move || serve(Kernel::boot(config).unwrap(), &server));
        let thread = Some(thread);
        Self { folder, stop, thread }
    }

    /// One with [`HUBS`].
    pub fn hubs() -> Self {
        let bench = Self::empty();
        bench.script(HUBS);
        bench
    }

    /// Runs these lines by one `ng`.
    pub fn script(&self, lines: &[&[&str]]) {
        let path = self.path("script");
        let lines: Vec<String> = lines.iter().map(|words| words.join(" ")).collect();
        fs::write(&path, lines.join("\n")).unwrap();
        self.ng(&["-f", path.to_str().unwrap()]);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ng"));
        command.arg("--hosted").arg(self.path("socket")).args(arguments);
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs `ng`, which is to succeed, and returns what it prints.
    pub fn ng(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `ng`, which is to fail with this status, and returns what it says.
    pub fn refusal(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// All nodes but sockets, and their links; those of sockets are left out.
    pub fn graph(&self) -> Vec<Value> {
        let list: Value = serde_json::from_str(&self.ng(&["list", "-l", "--json"])).unwrap();
        let mut nodes = list["nodes"].as_array().unwrap().clone();
        nodes.retain(|node| node["type"] != "socket");
        for node in &mut nodes {
            let links = node["links"].as_array_mut().unwrap();
            links.sort_by_key(|link| link["hook"].to_string());
        }
        nodes
    }

    /// Waits until something is so.
    pub fn wait(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}: {:#?}", self.graph());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the graph is as it was, and no guardian is left.
    pub fn wait_for(&self, graph: &[Value]) {
        self.wait("the graph is not as before", || {
            self.graph() == graph && !self.ng(&["list"]).contains("ngtap")
        });
    }

    /// Sends a packet into a hub.
    pub fn send(&self, node: &str, packet: &[u8]) {
        let mut sender = self.command(&["hook", node, "in"]);
        let mut sender = sender.stdin(Stdio::piped()).spawn().unwrap();
        sender.stdin.take().unwrap().write_all(packet).unwrap();
        let output = sender.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// A node of this process, connected to a hub.
    pub fn attach(&self, name: &str, hub: &str) -> Socket<Hosted> {
        let mut socket = Socket::open_on(Hosted::new(self.path("socket")), Some(&name.parse().unwrap())).unwrap();
        socket.open_data().unwrap();
        let request = Connect {
            peer: hub.parse().unwrap(),
            hook: "hook".parse().unwrap(),
            peer_hook: name.parse().unwrap(),
        };
        socket.request(&Address::here(), &request).unwrap();
        socket
    }

    /// Starts `ng` in the background.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Starts `ng tap`, and waits until it watches.
    pub fn tap(&self, arguments: &[&str]) -> Tap {
        let child = self.start(&[&["-n", "watcher", "tap"], arguments].concat());
        let is_connected = |line: &str| line.contains(" watcher ") && line.ends_with("Num hooks: 2");
        self.wait("the tap does not watch", || {
            self.ng(&["list"]).lines().any(is_connected)
        });
        Tap(child)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // After a test that failed, too: the next one waits for its turn.
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the daemon panicked");
        }
    }
}

/// An `ng` in the background.
pub struct Tap(pub Child);

impl Tap {
    /// Waits until it ends by itself.
    pub fn output(self) -> Output {
        self.0.wait_with_output().unwrap()
    }

    /// Sends it a signal, by kill(1).
    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([name, &self.0.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// What it prints, line by line.
    pub fn lines(&mut self) -> std::io::Lines<BufReader<ChildStdout>> {
        BufReader::new(self.0.stdout.take().unwrap()).lines()
    }
}

/// An Ethernet frame with an experimental protocol, between stations with these numbers.
pub fn frame(to: u8, from: u8, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 0x88, 0xb5], payload].concat()
}
