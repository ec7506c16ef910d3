//! `hostkernd --interface`: what it says, and what becomes of an interface that goes.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use netgraph::hosted::Hosted;
use netgraph::{Address, ListNodes, Socket};
use rustix::process::{Pid, Signal, kill_process};

/// Says which test's child a process is.
const CHILD: &str = "HOSTKERND_TEST_NAMESPACE";

/// Runs `work`, of the test called `test`, in a child that is root of a network of its own.
fn in_network_of_its_own(test: &str, work: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some_and(|child| child == test) {
        return work();
    }
    let child = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, test)
        .output()
        .expect("unshare runs: the package util-linux has it");
    let said = [&child.stdout[..], &child.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{}: {said}\nhint: this test needs user and network namespaces: `unshare --user --map-root-user --net true` \
         shows whether this machine has them",
        child.status
    );
}

fn ip(arguments: &str) {
    let ip = Command::new("ip").args(arguments.split(' ')).output();
    let ip = ip.expect("ip runs: the package iproute2 has it");
    assert!(ip.status.success(), "ip {arguments}: {ip:?}");
}

fn command(socket: &Path, interfaces: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hostkernd"));
    command.arg("--socket").arg(socket);
    interfaces.iter().for_each(|name| {
        command.args(["--interface", name]);
    });
    command
}

/// A daemon, and the lines that it says.
struct Daemon {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Daemon {
    fn start(socket: &Path, interfaces: &[&str]) -> Self {
        let mut child = command(socket, interfaces).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits for a line that contains this.
    fn says(&mut self, wanted: &str) -> String {
        let mut said = Vec::new();
        loop {
            let line = self.lines.next();
            let line = line.unwrap_or_else(|| panic!("{wanted:?} was not said, but {said:?}"));
            said.push(line.unwrap());
            if let Some(line) = said.pop_if(|line| line.contains(wanted)) {
                return line;
            }
        }
    }

    fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // After `end` there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn interfaces(socket: &mut Socket<Hosted>) -> Vec<String> {
    let nodes = socket.request(&Address::here(), &ListNodes).unwrap();
    let interfaces = nodes.into_iter().filter(|node| node.type_name == "ether");
    interfaces.filter_map(|node| node.name).collect()
}

/// How long a process has been running on a CPU, in ticks of the clock.
fn work_of(child: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime, of which proc(5) counts the process ID and the name as well.
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

#[test]
fn an_interface_goes_down_and_away() {
    in_network_of_its_own("an_interface_goes_down_and_away", || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        ip("link add em0.1 type veth peer name end0");
        ip("link add em1 type veth peer name end1");
        let mut daemon = Daemon::start(&path, &["em0.1", "em1"]);
        let said = daemon.says("hosted kernel at");
        assert!(
            said.ends_with(", interfaces em0.1, em1; a rehearsal stage, not FreeBSD"),
            "{said}"
        );
        let mut socket = Socket::open_on(Hosted::new(&path), None).unwrap();
        assert_eq!(interfaces(&mut socket), ["em0_1", "em1"]);
        ip("link set em1 down");
        daemon.says("interface em1 is down");
        ip("link set em1 up");
        daemon.says("interface em1 is up again");
        ip("link del em1");
        daemon.says("interface em1 is gone");
        let deadline = Instant::now() + Duration::from_secs(20);
        while interfaces(&mut socket) != ["em0_1"] {
            assert!(Instant::now() < deadline, "{:?}", interfaces(&mut socket));
        }
        let before = work_of(&daemon.child);
        std::thread::sleep(Duration::from_millis(500));
        let worked = work_of(&daemon.child) - before;
        assert!(worked < 20, "{worked} ticks of 50 with nothing to do");
        drop(socket);
        daemon.end();
    });
}

/// The daemon does not start, and says why; there is no Unix socket.
fn refused(interfaces: &[&str], expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let output = command(&path, interfaces).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in expected {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    assert!(!path.exists());
}

#[test]
fn what_cannot_be_attached_is_named() {
    in_network_of_its_own("what_cannot_be_attached_is_named", || {
        refused(
            &["nosuch"],
            &["there is no network interface nosuch", "hint: `ip -br link`"],
        );
        refused(
            &["a-name-that-is-too-long"],
            &["there is no network interface a-name-that-is-too-long"],
        );
        refused(
            &["lo"],
            &["network interface lo is not an Ethernet interface", "hint: "],
        );
        ip("link add em0 type veth peer name end0");
        refused(
            &["em0", "em0"],
            &["interface em0 is given twice", "hint: give each --interface once"],
        );
        // Without privilege: in a user namespace of its own, nobody is root of this network.
        let folder = tempfile::tempdir().unwrap();
        let daemon = command(&folder.path().join("socket"), &["em0"]);
        let output = Command::new("unshare")
            .args(["--user", "--map-current-user"])
            .arg(daemon.get_program())
            .args(daemon.get_args())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("could not open network interface em0: Operation not permitted"),
            "{said}"
        );
        assert!(
            said.contains("hint: run hostkernd as root, or with CAP_NET_RAW and CAP_NET_ADMIN"),
            "{said}"
        );
    });
}
