//! `ng apply` as people meet it: confirmed or not, at boot, interrupted, killed.

#![cfg(not(target_os = "freebsd"))]

mod common;

use std::fs::{self, File};
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use common::{Daemon, PATIENCE, error};
use graphs::{edits, runner, sketches};
use proptest::strategy::{Strategy, ValueTree};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

const OLD: &str = "version: 1\nnodes:\n  a: { type: hub }\n  b: { type: hub }\nedges:\n  - a.x -- b.x\n";
const NEW: &str = "version: 1\nnodes:\n  a: { type: hub }\n  t: { type: tee }\n  b: { type: hub }\nedges:\n  - a.x -- t.left\n  - t.right -- b.x\n";
const WRONG: &str = "version: 1\nnodes:\n  a: { type: hubb }\n  b: { type: hub }\nedges:\n  - a.x -- b.x\n";

fn is(daemon: &Daemon, text: &str) -> bool {
    let file = daemon.file("wanted.yaml", text);
    daemon.run(&["plan", &file]).status.success()
}

/// Waits until the live graph is that one.
fn becomes(daemon: &Daemon, text: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !is(daemon, text) {
        assert!(Instant::now() < deadline, "{}", daemon.ng(&["dump"]));
        thread::sleep(Duration::from_millis(50));
    }
}

fn applied(daemon: &Daemon, text: &str, options: &[&str]) -> Output {
    let file = daemon.file("graph.yaml", text);
    daemon.run(&[&["apply"], options, &[&file]].concat())
}

#[test]
fn what_is_confirmed_stays() {
    let daemon = Daemon::start();
    assert!(applied(&daemon, OLD, &[]).status.success());
    let output = applied(&daemon, NEW, &["--confirm", "2"]);
    assert!(output.status.success(), "{output:?}");
    assert!(error(&output).contains("`ng confirm` within 2 s"), "{output:?}");
    daemon.ng(&["confirm"]);
    thread::sleep(Duration::from_millis(2500));
    assert!(is(&daemon, NEW));
    assert_eq!(daemon.run(&["confirm"]).status.code(), Some(64));
}

/// Its node would be in every list, and it would hold the program.
#[test]
fn once_confirmed_nobody_waits_any_more() {
    let daemon = Daemon::start();
    for _ in 0..5 {
        assert!(applied(&daemon, OLD, &["--confirm", "60"]).status.success());
        daemon.ng(&["confirm"]);
        let sockets = |text: &str| text.matches("socket").count();
        daemon.wait(&["list"], |text| sockets(text) == 1);
    }
}

#[test]
fn what_is_not_confirmed_goes() {
    let daemon = Daemon::start();
    assert!(applied(&daemon, OLD, &[]).status.success());
    assert!(applied(&daemon, NEW, &["--confirm", "1"]).status.success());
    assert!(is(&daemon, NEW));
    becomes(&daemon, OLD);
    // The next boot does not apply it either, as long as nobody says that it is meant.
    daemon.ng(&["destroy"]);
    assert!(applied(&daemon, OLD, &[]).status.success());
    assert!(applied(&daemon, NEW, &["--confirm", "1"]).status.success());
    becomes(&daemon, OLD);
    let boot = applied(&daemon, NEW, &["--boot"]);
    assert_eq!(boot.status.code(), Some(71), "{boot:?}");
    assert!(error(&boot).contains("was applied and not confirmed"), "{boot:?}");
    assert!(is(&daemon, OLD));
    assert!(applied(&daemon, NEW, &[]).status.success());
    assert!(applied(&daemon, NEW, &["--boot"]).status.success());
    assert!(is(&daemon, NEW));
}

#[test]
fn what_is_not_confirmed_before_a_reboot_cannot_be_confirmed_after_it() {
    for text in [NEW, WRONG] {
        let daemon = Daemon::start();
        assert!(applied(&daemon, OLD, &[]).status.success());
        assert!(applied(&daemon, NEW, &["--confirm", "600"]).status.success());
        for node in ["a:", "b:", "t:"] {
            daemon.run(&["shutdown", node]);
        }
        assert!(!applied(&daemon, text, &["--boot"]).status.success());
        assert!(is(&daemon, OLD));
        assert_eq!(daemon.run(&["confirm"]).status.code(), Some(64));
        assert_eq!(applied(&daemon, NEW, &["--boot"]).status.code(), Some(71));
        assert!(is(&daemon, OLD));
    }
}

#[test]
fn what_was_applied_in_an_earlier_life_of_the_graph_cannot_be_confirmed() {
    let daemon = Daemon::start();
    assert!(applied(&daemon, NEW, &["--confirm", "2"]).status.success());
    let mut pending = daemon.socket().into_os_string();
    pending.push(".state/pending.json");
    let text = fs::read_to_string(&pending).unwrap();
    fs::write(&pending, text.replace("\"instance\":\"", "\"instance\":\"another ")).unwrap();
    assert_eq!(daemon.run(&["confirm"]).status.code(), Some(64));
}

#[test]
fn without_a_graph_before_nothing_is_left() {
    let daemon = Daemon::start();
    assert!(applied(&daemon, NEW, &["--confirm", "1"]).status.success());
    becomes(&daemon, "version: 1\n");
    assert_eq!(daemon.ng(&["dump"]), "version: 1\nnodes: {}\nedges: []\n");
}

#[test]
fn a_wrong_file_at_boot_leads_to_the_last_good_graph() {
    let daemon = Daemon::start();
    let first = applied(&daemon, WRONG, &["--boot"]);
    assert_eq!(first.status.code(), Some(65), "{first:?}");
    assert!(error(&first).contains("no graph was ever confirmed here"), "{first:?}");
    assert!(applied(&daemon, OLD, &[]).status.success());
    // The kernel's graph is gone with a reboot; what is remembered is not.
    for node in ["a:", "b:"] {
        daemon.run(&["shutdown", node]);
    }
    let boot = applied(&daemon, WRONG, &["--boot"]);
    assert_eq!(boot.status.code(), Some(65), "{boot:?}");
    let said = error(&boot);
    assert!(
        said.contains("graph.yaml:3:14") && said.contains("did you mean `hub`?"),
        "{said}"
    );
    assert!(
        said.contains("applied the last graph that was confirmed instead"),
        "{said}"
    );
    assert!(is(&daemon, OLD));
}

#[test]
fn the_last_good_graph_is_made_also_when_nobody_can_be_told() {
    let daemon = Daemon::start();
    assert!(applied(&daemon, OLD, &[]).status.success());
    assert!(applied(&daemon, NEW, &["--confirm", "600"]).status.success());
    let file = daemon.file("graph.yaml", WRONG);
    let deaf = File::options().write(true).open("/dev/full").unwrap();
    let boot = daemon
        .command(&["apply", "--boot", &file])
        .stderr(deaf)
        .status()
        .unwrap();
    assert_eq!(boot.code(), Some(65), "{boot:?}");
    assert!(is(&daemon, OLD));
}

#[test]
fn one_at_a_time() {
    let daemon = Daemon::start();
    assert!(applied(&daemon, OLD, &[]).status.success());
    let mut folder = daemon.socket().into_os_string();
    folder.push(".state/lock");
    let lock = File::options().write(true).open(folder).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let output = applied(&daemon, NEW, &[]);
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    assert!(
        error(&output).contains("another ng is changing the graph"),
        "{output:?}"
    );
    assert!(is(&daemon, OLD), "to look is allowed");
}

/// A graph that takes a while, and another one.
fn large() -> (String, String) {
    let strategy = (sketches(120, 200), edits());
    let tree = strategy.new_tree(&mut runner(1)).unwrap();
    let (sketch, edit) = tree.current();
    (sketch.yaml(), edit.of(&sketch).yaml())
}

/// Applies the graph in a process that gets the signal after so many milliseconds.
fn interrupted(daemon: &Daemon, text: &str, signal: Signal, after: u64) -> Output {
    let file = daemon.file("graph.yaml", text);
    let child = daemon.command(&["apply", &file]).spawn().unwrap();
    thread::sleep(Duration::from_millis(after));
    let _ = kill_process(Pid::from_child(&child), signal);
    child.wait_with_output().unwrap()
}

#[test]
fn a_signal_takes_back_what_was_begun() {
    let daemon = Daemon::start();
    let (first, second) = large();
    let mut taken_back = 0;
    for after in (0..120).step_by(8) {
        assert!(applied(&daemon, &first, &[]).status.success());
        let output = interrupted(&daemon, &second, Signal::TERM, after);
        match output.status.code() {
            Some(0) => assert!(is(&daemon, &second)),
            Some(_) => {
                assert!(error(&output).contains("the graph is as it was before"), "{output:?}");
                assert!(is(&daemon, &first));
                taken_back += 1;
            }
            // Before the first of its messages, a signal ends it at once.
            None => assert!(is(&daemon, &first)),
        }
    }
    println!("{taken_back} were taken back");
}

#[test]
fn a_killed_apply_is_healed_by_the_next() {
    let daemon = Daemon::start();
    let (first, second) = large();
    for after in (0..120).step_by(6) {
        assert!(applied(&daemon, &first, &[]).status.success());
        interrupted(&daemon, &second, Signal::KILL, after);
        let healed = applied(&daemon, if after % 4 == 0 { &first } else { &second }, &[]);
        assert!(healed.status.success(), "{after} ms: {healed:?}");
        assert!(is(&daemon, if after % 4 == 0 { &first } else { &second }));
    }
    daemon.ng(&["destroy"]);
    assert_eq!(daemon.ng(&["dump"]), "version: 1\nnodes: {}\nedges: []\n");
}
