//! `ng watch`.

use serde_json::Value;

use super::bench::{Bench, Tap, frame};

/// `ng watch`, from its second round on.
fn watch(bench: &Bench, arguments: &[&str]) -> (Tap, impl Iterator<Item = Value> + use<>) {
    let common = ["-n", "watcher", "watch", "-i", "0.1", "-c", "300", "--json"];
    let mut watch = Tap(bench.start(&[&common[..], arguments].concat()));
    bench.wait("it looks", || bench.ng(&["list"]).contains("watcher"));
    let mut lines = watch
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    // What happens before its first look is no event.
    bench.ng(&["mkpeer", "a:", "hub", "begun", "port"]);
    assert!(
        lines
            .by_ref()
            .any(|line| line["event"] == "link_appeared" && line["ends"][0] == "a.begun")
    );
    (watch, lines)
}

#[test]
fn changes_are_told() {
    let bench = Bench::hubs();
    let (mut watch, mut lines) = watch(&bench, &["-e"]);
    let mut event = |wanted: &str| {
        let found = lines.find(|line| line["event"] == wanted && line["type"] != "socket");
        found.unwrap()
    };
    bench.ng(&["mkpeer", "a:", "tee", "new", "left"]);
    assert_eq!(event("node_appeared")["type"], "tee");
    let ends = event("link_appeared")["ends"].clone();
    assert_eq!(ends[0], "a.new");
    bench.ng(&["name", "a:new", "tee0"]);
    assert_eq!(event("node_named")["to"], "tee0");
    bench.ng(&["shutdown", "tee0:"]);
    assert_eq!(event("link_gone")["ends"][1], "tee0.left");
    assert_eq!(event("node_gone")["node"], "tee0");
    watch.0.kill().unwrap();
    watch.0.wait().unwrap();
}

#[test]
fn counters_are_told_by_hook() {
    let bench = Bench::hubs();
    bench.script(&[
        &["mkpeer", "a:", "bridge", "w", "link7"],
        &["name", "a:w", "sw0"],
        &["rmhook", "a:", "x"],
        &["connect", "sw0:", "b:", "link1", "w"],
    ]);
    let (mut watch, mut lines) = watch(&bench, &[]);
    bench.send("a:", &frame(2, 1, b"x"));
    let counter =
        |line: &Value| line["event"] == "counter" && line["hook"] == "link7" && line["counter"] == "recvPackets";
    let found = lines.find(counter).unwrap();
    assert_eq!((&found["node"], &found["value"]), (&"sw0".into(), &1.into()));
    assert!(found["rate"].as_f64().unwrap() > 0.0, "{found}");
    watch.0.kill().unwrap();
    watch.0.wait().unwrap();
}

#[test]
fn rounds_end_and_wrong_paths_are_refused() {
    let bench = Bench::hubs();
    assert_eq!(bench.ng(&["watch", "-i", "0.1", "-c", "2", "a:", "b:"]), "");
    let said = bench.refusal(&["watch", "c:"], 71);
    assert!(said.contains("there is no node `c:`"), "{said}");
    bench.refusal(&["watch", "-i", "0"], 64);
}
