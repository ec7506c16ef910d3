//! Taps that do not end as they should.

use std::thread;
use std::time::{Duration, Instant};

use super::bench::{Bench, frame};

/// How often a tap is killed.
const ROUNDS: u32 = 24;

/// The guardians' process numbers, out of the names of their nodes, the oldest first.
fn guardians(bench: &Bench) -> Vec<String> {
    let list = bench.ng(&["list"]);
    let rest = list.split("ngtapd").skip(1);
    rest.filter_map(|rest| rest.split_whitespace().next().map(str::to_owned))
        .collect()
}

fn kill(process: &str) {
    let kill = std::process::Command::new("kill").args(["-KILL", process]).status();
    assert!(kill.unwrap().success());
}

/// From the first moment to well after the insertion, in steps that grow.
#[test]
fn a_killed_tap_leaves_the_graph_as_it_was() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let started = Instant::now();
    bench.tap(&["a.x"]).0.kill().unwrap();
    bench.wait_for(&before);
    // How long a tap takes to be there, on this machine and now.
    let usual = started.elapsed();
    for round in 0..ROUNDS {
        let mut tap = bench.command(&["tap", "a.x"]).spawn().unwrap();
        thread::sleep(usual * round / ROUNDS);
        tap.kill().unwrap();
        tap.wait().unwrap();
        bench.wait_for(&before);
    }
    // The guardian of the last one may be late.
    thread::sleep(usual);
    bench.wait_for(&before);
    frames_pass(&bench);
}

fn frames_pass(bench: &Bench) {
    let receiver = bench
        .command(&["-n", "receiver", "hook", "-n", "-t", "30", "-c", "10", "b:", "out"])
        .spawn();
    bench.wait("the receiver listens", || {
        bench.ng(&["show", "b:"]).contains("receiver")
    });
    (0..10).for_each(|number| bench.send("a:", &frame(2, 1, &[number])));
    let received = receiver.unwrap().wait_with_output().unwrap();
    assert!(received.status.success(), "{received:?}");
    assert_eq!(received.stdout.len(), 10 * 15);
}

#[test]
fn without_its_guardian_a_tap_ends_and_cleans_up_itself() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let tap = bench.tap(&["a.x"]);
    kill(&guardians(&bench)[0]);
    let output = tap.output();
    assert_eq!(output.status.code(), Some(71), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("has ended early"),
        "{output:?}"
    );
    assert_eq!(bench.graph(), before);
}

/// The guardian is killed at moments from its start to well after the insertion.
#[cfg(target_os = "linux")]
#[test]
fn a_killed_guardian_leaves_the_graph_as_it_was() {
    let bench = Bench::hubs();
    let before = bench.graph();
    for round in 0..ROUNDS {
        let tap = bench.command(&["tap", "a.x"]).spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", tap.id());
        let mut guardian = String::new();
        bench.wait("the guardian is started", || {
            guardian = std::fs::read_to_string(&children).unwrap();
            !guardian.is_empty()
        });
        thread::sleep(Duration::from_millis(2) * round);
        kill(guardian.trim());
        let output = tap.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(71), "{output:?}");
        bench.wait_for(&before);
    }
}

#[test]
fn what_both_leave_behind_is_cleaned_up() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let other = bench.tap(&["a.x"]);
    let mut tap = bench.command(&["tap", "b.y"]).spawn().unwrap();
    bench.wait("both are inserted, and nobody is at it", || {
        bench.graph().len() == before.len() + 2 && guardians(&bench).len() == 2
    });
    let second = &guardians(&bench)[1];
    // Stopped, neither can act when the other one is killed.
    let stop = std::process::Command::new("kill")
        .args(["-STOP", &tap.id().to_string()])
        .status();
    assert!(stop.unwrap().success());
    kill(second);
    tap.kill().unwrap();
    tap.wait().unwrap();
    bench.wait("its guardian is gone", || {
        !bench.ng(&["list"]).contains(&format!("ngtapd{second}"))
    });
    assert_eq!(bench.ng(&["tap", "--clean"]), format!("removed ngtap{second}:\n"));
    assert_eq!(bench.ng(&["tap", "--clean"]), "no tap is left over\n");
    assert_eq!(bench.graph().len(), before.len() + 1, "the other tap is still there");
    other.signal("-INT");
    assert!(other.output().status.success());
    bench.wait_for(&before);
}

#[test]
fn a_tap_that_somebody_shuts_down_ends() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let tap = bench.tap(&["a.x"]);
    let name = bench.graph().iter().find(|node| node["type"] == "tee").unwrap()["name"].clone();
    bench.ng(&["shutdown", &format!("{}:", name.as_str().unwrap())]);
    let output = tap.output();
    assert_eq!(output.status.code(), Some(71), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("was shut down"), "{said}");
    bench.wait_for(&before);
}

#[test]
fn a_neighbour_that_goes_takes_the_tap_with_it() {
    let bench = Bench::hubs();
    let tap = bench.tap(&["a.x"]);
    bench.ng(&["shutdown", "b:"]);
    let output = tap.output();
    assert_eq!(output.status.code(), Some(71), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("an end of `a.x -- b.y` is gone"), "{said}");
    bench.wait("the tap is gone", || bench.graph().len() == 1);
}

/// Nothing waits for a guardian: neither its parent's terminal nor its output.
#[test]
fn a_guardian_keeps_no_output_open() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let tap = bench.tap(&["a.x"]);
    let process = guardians(&bench).remove(0);
    let stop = std::process::Command::new("kill").args(["-STOP", &process]).status();
    assert!(stop.unwrap().success());
    let started = Instant::now();
    let mut tap = tap;
    tap.0.kill().unwrap();
    // Reads its output up to the end.
    tap.output();
    assert!(started.elapsed() < Duration::from_secs(5));
    let go = std::process::Command::new("kill").args(["-CONT", &process]).status();
    assert!(go.unwrap().success());
    bench.wait_for(&before);
}
