//! `ng --hosted`: processes that share a hosted kernel.

#![cfg(not(target_os = "freebsd"))]

use std::io::Write;
use std::process::{Command, Stdio};

mod common;

use common::{Daemon, error};

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
