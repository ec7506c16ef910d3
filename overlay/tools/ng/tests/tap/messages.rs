//! `ng trace`.

use netgraph::hosted::Hosted;
use netgraph::{Message, Socket};
use serde_json::Value;

use super::bench::Bench;

#[test]
fn answers_are_shown_in_words() {
    let bench = Bench::hubs();
    bench.ng(&["mkpeer", "a:", "tee", "t", "left"]);
    let before = bench.graph();
    let text = bench.ng(&["trace", "a:t", "-m", "getclrstats", "-c", "1", "--json"]);
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["message"], "getclrstats");
    assert_eq!((&line["reply"], &line["arguments"]), (&true.into(), &"{ }".into()));
    let said = bench.refusal(&["trace", "a:t", "-m", "fly", "-t", "1"], 71);
    assert!(said.contains("it is of type tee"), "{said}");
    assert_eq!(bench.graph(), before);
}

#[test]
fn messages_that_nobody_asked_for_are_shown() {
    let bench = Bench::hubs();
    let tracer = bench.start(&["-n", "tracer", "trace", "a:", "-c", "2", "-t", "30"]);
    bench.wait("it is connected", || bench.ng(&["show", "a:"]).contains("debug"));
    let mut sender = Socket::open_on(Hosted::new(bench.path("socket")), Some(&"sender".parse().unwrap())).unwrap();
    for (cookie, command, data) in [(851_672_669, 33, vec![]), (7, 9, vec![1, 2])] {
        let message = Message {
            command,
            flags: 0,
            token: 0,
            cookie,
            name: String::new(),
            data,
        };
        sender.send(&"tracer:".parse().unwrap(), message).unwrap();
    }
    let output = tracer.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("sender: message \"link is down\" (cookie 851672669, command 33"),
        "{text}"
    );
    assert!(
        text.contains("sender: message \"unknown\" (cookie 7, command 9") && text.contains("01 02"),
        "{text}"
    );
}

#[test]
fn where_nothing_can_be_seen_is_said() {
    let bench = Bench::hubs();
    bench.ng(&["mkpeer", "a:", "tee", "t", "left"]);
    let said = bench.refusal(&["trace", "a:t", "-c", "1", "-t", "1"], 75);
    assert!(said.contains("gives no hook `debug`; what it sends to `ng"), "{said}");
    assert!(said.contains("0 of 1 messages came from `a:t` in 1 s"), "{said}");
    let said = bench.refusal(&["trace", "a:t", "left", "-t", "1"], 71);
    assert!(said.contains("hook `left` of"), "{said}");
}
