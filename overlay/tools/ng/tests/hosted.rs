//! `ng --hosted`: processes that share a hosted kernel.

#![cfg(not(target_os = "freebsd"))]

mod common;

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::Daemon;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two hubs and a tee between them.
const GRAPH: &str = "\
version: 1
nodes:
  left: { type: hub }
  right: { type: hub }
  tap: { type: tee }
edges:
  - left.port -- tap.left
  - tap.right -- right.port
";

impl Daemon {
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ng"));
        command.arg("--hosted").arg(self.socket()).args(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs `ng`, which is to succeed, and returns what it prints.
    fn ng(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until the output of `ng` is as wanted.
    fn wait(&self, arguments: &[&str], is_wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.ng(arguments);
            if is_wanted(&text) {
                return;
            }
            assert!(Instant::now() < deadline, "{arguments:?}: {text}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs `ng hook` in the background, from when it is connected.
    fn hook(&self, name: &str, arguments: &[&str]) -> Child {
        let child = self.command(&[&["-n", name, "hook", "-t", "30"], arguments].concat());
        let child = { child }.spawn().unwrap();
        let is_connected = |line: &str| line.contains(name) && line.ends_with("Num hooks: 1");
        self.wait(&["list"], |text| text.lines().any(is_connected));
        child
    }
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_one_process_makes_another_one_sees() {
    let daemon = Daemon::start();
    let script = "mkpeer tee a left\nname a tap0\nmkpeer tap0: hub right port\nname tap0:right sw0\n";
    daemon.ng(&["-f", &daemon.file("script", script)]);
    assert!(daemon.ng(&["list"]).contains("There are 3 total nodes:"));
    let shown = daemon.ng(&["show", "tap0:"]);
    assert!(shown.contains("Num hooks: 1") && shown.contains("sw0"), "{shown}");
    daemon.ng(&["connect", "tap0:", "sw0:", "left2right", "copy"]);
    assert!(daemon.ng(&["show", "sw0:"]).contains("Num hooks: 2"));
    let answer = daemon.ng(&["msg", "tap0:", "nodeinfo"]);
    assert!(answer.contains("tee"), "{answer}");
    let missing = daemon.run(&["show", "nosuch:"]);
    assert_eq!(missing.status.code(), Some(71));
    assert!(error(&missing).contains("ENOENT"), "{missing:?}");
    daemon.ng(&["shutdown", "sw0:"]);
}

#[test]
fn the_environment_names_the_kernel_too() {
    let daemon = Daemon::start();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ng"));
    let output = command.arg("types").env("NG_HOSTED", daemon.socket()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("socket"), "{output:?}");
}

#[test]
fn a_graph_is_applied_once() {
    let daemon = Daemon::start();
    let file = daemon.file("graph.yaml", GRAPH);
    assert_eq!(daemon.run(&["apply", "--dry-run", &file]).status.code(), Some(1));
    daemon.ng(&["apply", &file]);
    daemon.ng(&["apply", "--dry-run", &file]);
    let before = daemon.ng(&["list", "-n", "--json"]);
    daemon.ng(&["apply", &file]);
    assert!(before.contains("tap"), "{before}");
    assert!(daemon.ng(&["show", "tap:"]).contains("Num hooks: 2"));
}

#[test]
fn a_file_is_drawn_without_a_kernel() {
    let mut daemon = Daemon::start();
    let file = daemon.file("graph.yaml", GRAPH);
    daemon.stop();
    let drawn = daemon.ng(&["svg", "-f", &file]);
    assert!(drawn.contains(">tap</text>") && drawn.ends_with("</svg>\n"), "{drawn}");
    let picture = daemon.file("graph.mmd", "old");
    assert_eq!(daemon.ng(&["mermaid", "-f", &file, "-o", &picture]), "");
    assert!(fs::read_to_string(&picture).unwrap().starts_with("flowchart LR\n"));
    let json: serde_json::Value = serde_json::from_str(&daemon.ng(&["dot", "--json", "-f", &file])).unwrap();
    assert_eq!(json["edges"][0]["left"]["hook"], "port");
    assert_eq!(
        daemon.run(&["dot"]).status.code(),
        Some(71),
        "without -f, a kernel is asked"
    );
}

#[test]
fn packets_go_from_process_to_process() {
    let daemon = Daemon::start();
    daemon.ng(&["apply", &daemon.file("graph.yaml", GRAPH)]);
    let receiver = daemon.hook("receiver", &["-n", "-c", "2", "right:", "out"]);
    for packet in ["first ", "second"] {
        let mut sender = daemon.command(&["hook", "left:", "in"]);
        let mut sender = sender.stdin(Stdio::piped()).spawn().unwrap();
        sender.stdin.take().unwrap().write_all(packet.as_bytes()).unwrap();
        assert!(sender.wait_with_output().unwrap().status.success());
    }
    let output = receiver.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "first second");
}

#[test]
fn a_killed_process_leaves_nothing_behind() {
    let daemon = Daemon::start();
    daemon.ng(&["apply", &daemon.file("graph.yaml", GRAPH)]);
    let mut watcher = daemon.hook("watcher", &["-n", "right:", "out"]);
    assert!(daemon.ng(&["show", "right:"]).contains("Num hooks: 2"));
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    daemon.wait(&["show", "right:"], |text| text.contains("Num hooks: 1"));
    assert!(!daemon.ng(&["list"]).contains("watcher"));
}

#[test]
fn a_kernel_that_is_not_there_or_goes_away_is_named() {
    let mut daemon = Daemon::start();
    daemon.ng(&["apply", &daemon.file("graph.yaml", GRAPH)]);
    let watcher = daemon.hook("watcher", &["-n", "right:", "out"]);
    daemon.stop();
    let watched = watcher.wait_with_output().unwrap();
    let path = daemon.socket().display().to_string();
    assert_eq!(watched.status.code(), Some(71), "{watched:?}");
    let gone = format!("hint: the hosted kernel at {path} went away");
    assert!(error(&watched).contains(&gone), "{watched:?}");
    let refused = daemon.run(&["list"]);
    assert_eq!(refused.status.code(), Some(71), "{refused:?}");
    let hint = format!("`hostkernd --socket {path}` starts one");
    assert!(error(&refused).contains(&hint), "{refused:?}");
}

#[test]
fn programs_cannot_have_the_socket_itself() {
    let daemon = Daemon::start();
    let refused = daemon.run(&["hook", "-e", "x:", "hook", "cat"]);
    assert_eq!(refused.status.code(), Some(64), "{refused:?}");
}
