//! What a tap shows, and what it refuses.

use std::time::Instant;

use serde_json::Value;

use super::bench::{Bench, PATIENCE, frame};

#[test]
fn both_directions_are_seen_and_nothing_is_left() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let tap = bench.tap(&["a.x", "-c", "2", "--json"]);
    bench.send("a:", &frame(2, 1, b"to b"));
    bench.send("b:", &frame(1, 2, b"to a"));
    let output = tap.output();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ways: Vec<_> = lines
        .iter()
        .map(|line| (line["from"].as_str(), line["to"].as_str()))
        .collect();
    assert_eq!(ways, [(Some("a.x"), Some("b.y")), (Some("b.y"), Some("a.x"))]);
    assert_eq!(lines[0]["length"], 18);
    assert_eq!(
        lines[0]["summary"],
        "02:00:00:00:00:01 > 02:00:00:00:00:02, type 0x88b5"
    );
    bench.wait_for(&before);
}

#[test]
fn frames_arrive_while_an_edge_is_tapped_and_afterwards() {
    let bench = Bench::hubs();
    let receiver = bench
        .command(&["-n", "receiver", "hook", "-n", "-t", "30", "-c", "40", "b:", "out"])
        .spawn();
    let receiver = receiver.unwrap();
    bench.wait("the receiver listens", || {
        bench.ng(&["show", "b:"]).contains("receiver")
    });
    let tap = bench.tap(&["b:y"]);
    (0..20).for_each(|number| bench.send("a:", &frame(2, 1, &[number])));
    tap.signal("-INT");
    let output = tap.output();
    assert!(output.status.success(), "{output:?}");
    (20..40).for_each(|number| bench.send("a:", &frame(2, 1, &[number])));
    let received = receiver.wait_with_output().unwrap();
    let expected: Vec<u8> = (0..40).flat_map(|number| frame(2, 1, &[number])).collect();
    assert!(received.status.success() && received.stdout == expected, "{received:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("20 packets, of 20 seen; 0 lost"), "{said}");
}

#[test]
fn a_filter_chooses_and_time_ends() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let tap = bench.tap(&["a.x -- b.y", "--filter", "ether src 02:00:00:00:00:07", "-t", "2", "-x"]);
    bench.send("a:", &frame(2, 1, b"other"));
    bench.send("a:", &frame(2, 7, b"wanted"));
    let output = tap.output();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("a.x > b.y, 20 bytes: ") && text.contains("nted"),
        "{text}"
    );
    assert!(!text.contains("other"), "{text}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1 packet, of 2 seen; 0 lost"), "{said}");
    assert_eq!(bench.graph(), before);
}

#[test]
fn time_before_enough_packets_is_a_failure() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let said = bench.refusal(&["tap", "a.x", "-c", "3", "-t", "1"], 75);
    assert!(said.contains("0 of 3 packets came in 1 s"), "{said}");
    assert_eq!(bench.graph(), before);
}

#[test]
fn a_tee_whose_copies_are_free_is_used_as_it_is() {
    let bench = Bench::hubs();
    bench.script(&[
        &["mkpeer", "a:", "tee", "tapped", "left"],
        &["name", "a:tapped", "tee0"],
        &["connect", "tee0:", "b:", "right", "tapped"],
        &["rmhook", "a:", "x"],
    ]);
    let before = bench.graph();
    for (edge, from) in [
        ("tee0:", "a.tapped"),
        ("b:tapped", "a.tapped"),
        ("tee0:left", "a.tapped"),
    ] {
        let tap = bench.tap(&[edge, "-c", "1", "--json"]);
        assert_eq!(bench.graph().len(), before.len(), "no node was made");
        bench.send("a:", &frame(2, 1, b"x"));
        let output = tap.output();
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(line["from"], from, "{edge}");
        assert_eq!(line["to"], "b.tapped", "{edge}");
        assert_eq!(bench.graph(), before);
    }
}

#[test]
fn two_taps_on_one_edge_come_out_in_any_order() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let first = bench.tap(&["a.x"]);
    let second = bench
        .command(&["-n", "second", "tap", "a.x -- b.y", "--json"])
        .spawn()
        .unwrap();
    bench.wait("both are inserted", || bench.graph().len() == before.len() + 2);
    bench.wait("the second one watches", || {
        bench.ng(&["show", "second:"]).contains("Num hooks: 2")
    });
    first.signal("-TERM");
    assert!(first.output().status.success());
    bench.send("a:", &frame(2, 1, b"x"));
    let mut second = super::bench::Tap(second);
    let line: Value = serde_json::from_str(&second.lines().next().unwrap().unwrap()).unwrap();
    assert_eq!(line["length"], 15);
    second.signal("-HUP");
    assert!(second.output().status.success());
    bench.wait_for(&before);
}

#[test]
fn nodes_with_one_hook_are_held() {
    let bench = Bench::empty();
    bench.script(&[
        &["mkpeer", "hub", "t", "t"],
        &["name", "t", "a"],
        &["msg", "a:", "setpersistent"],
        &["mkpeer", "a:", "bridge", "x", "link0"],
        &["name", "a:x", "sw0"],
        &["rmhook", "t"],
    ]);
    let before = bench.graph();
    let tap = bench.tap(&["sw0:link0", "-c", "1", "--json"]);
    assert!(
        bench
            .graph()
            .iter()
            .any(|node| node["name"] == "sw0" && node["hooks"] == 1)
    );
    bench.send("a:", &frame(2, 1, b"x"));
    let line: Value = serde_json::from_slice(&tap.output().stdout).unwrap();
    assert_eq!((&line["from"], &line["to"]), (&"a.x".into(), &"sw0.link0".into()));
    assert_eq!(bench.graph(), before);
}

#[test]
fn what_cannot_be_tapped_is_refused() {
    let bench = Bench::hubs();
    bench.script(&[
        &["mkpeer", "a:", "one2many", "only", "one"],
        &["name", "a:only", "lone0"],
        &["mkpeer", "a:", "one2many", "o", "many0"],
    ]);
    let before = bench.graph();
    let rows: &[(&[&str], i32, &str)] = &[
        (&["a.z"], 71, "node `a:` (hub) has no hook `z`"),
        (&["a:"], 71, "`a:` (hub) is a node, and edges are tapped; it has"),
        (&["a.x -- b.z"], 71, "`a.x` leads to `b.y`, and not to `b.z`"),
        (
            &["a.x", "--", "a.only"],
            71,
            "`a.x` leads to `b.y`, and not to `a.only`",
        ),
        (&["lone0.one"], 71, "it is the only hook, and the node may go with it"),
        (&["a.o"], 71, "it is taken out of use with it"),
        (&["nosuch.x"], 71, "there is no node `nosuch:`"),
        (&["x"], 64, "`x` is no edge"),
        (&["a.x", "--filter", "tcp prot"], 64, "column 5"),
        (&["a.x", "-w", "/nonexistent/x"], 66, "/nonexistent/x"),
        (&[], 64, "<EDGE>"),
    ];
    for (arguments, status, part) in rows {
        let said = bench.refusal(&[&["tap"], *arguments].concat(), *status);
        assert!(said.contains(part), "{arguments:?}: {said}");
        assert_eq!(bench.graph(), before, "{arguments:?}");
    }
}

/// The tap is stopped until its socket has no room for more.
#[test]
fn what_does_not_reach_a_tap_is_counted_and_passes() {
    const FRAMES: u64 = 2000;
    let bench = Bench::hubs();
    let tap = bench.tap(&["a.x"]);
    tap.signal("-STOP");
    let mut receiver = bench.attach("receiver", "b:");
    let mut sender = bench.attach("sender", "a:");
    let mut buffer = vec![0; 2000];
    for _ in 0..FRAMES {
        sender.send_data(None, &frame(2, 1, &[7; 1400])).unwrap();
        let received = receiver
            .receive_data(&mut buffer, Some(Instant::now() + PATIENCE))
            .unwrap();
        assert!(received.is_some_and(|(length, _)| length == 1414));
    }
    tap.signal("-CONT");
    tap.signal("-INT");
    let output = tap.output();
    let said = String::from_utf8(output.stderr).unwrap();
    let number = |before: &str| {
        said.split(before)
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse::<u64>()
    };
    let (seen, lost) = (number("of ").unwrap(), number("seen; ").unwrap());
    assert!(seen > 0 && lost > 0, "{said}");
    assert_eq!(seen + lost, FRAMES, "{said}");
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let mut tap = bench.tap(&["a.x"]);
    let mut lines = tap.lines();
    bench.send("a:", &frame(2, 1, b"x"));
    assert!(lines.next().unwrap().unwrap().contains("a.x > b.y"));
    drop(lines);
    bench.send("a:", &frame(2, 1, b"y"));
    assert!(tap.output().status.success());
    bench.wait_for(&before);
}
