//! The messages of the node types, in words.

use core::time::Duration;

use super::data::{counts, dispose_all, frame, peer_of, surround};
use super::*;
use crate::clock;
use crate::netgraph::capture::{Header, inject};
use crate::netgraph::errors::{ELOOP, ENOENT, ENOTCONN};
use crate::netgraph::snapshot;

const BRIDGE: &str = "keep.port";

/// What a bridge answers.
fn told(from: &NodeRef, name: &str, text: &str) -> String {
    ask(from, BRIDGE, name, text).expect("the message is known")
}

fn sent(hook: &str, bytes: &[u8]) -> core::result::Result<(), c_int> {
    inject(hook, "port", bytes, Header::Packet).map_err(|error| error.get())
}

#[test]
fn a_bridge_tells_its_table() {
    let kernel = Kernel::boot();
    let from = surround("bridge", &["link0", "link1"]);
    assert_eq!(told(&from, "gettable", ""), "{ }");
    assert_eq!(sent("link0", &frame(2, 1)), Ok(()));
    clock::advance(Duration::from_secs(5));
    assert_eq!(sent("link1", &frame(1, 2)), Ok(()));
    let table = r#"{ numHosts=2 hosts=[ { addr=02:00:00:00:00:01 hook="link0" age=5 staleness=5 } { addr=02:00:00:00:00:02 hook="link1" } ] }"#;
    assert_eq!(told(&from, "gettable", ""), table);
    assert_eq!(
        told(&from, "movehost", r#"{ addr=02:00:00:00:00:01 hook="link1" }"#),
        ""
    );
    assert!(told(&from, "gettable", "").contains(r#"{ addr=02:00:00:00:00:01 hook="link1" }"#));
    let nowhere = ask(&from, BRIDGE, "movehost", r#"{ addr=02:00:00:00:00:01 hook="link7" }"#);
    assert_eq!(nowhere, Err(ENOENT));
    clock::advance(Duration::from_secs(901));
    assert_eq!(told(&from, "gettable", ""), "{ }");
    dispose_all(from, kernel);
}

#[test]
fn a_host_may_be_moved_to_the_hook_of_the_message() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(make_peer(&node, "bridge", "out", "link3"), 0);
    assert_eq!(
        ask(&node, "out", "movehost", "{ addr=02:00:00:00:00:01 }"),
        Ok(String::new())
    );
    let table = ask(&node, "out", "gettable", "").expect("a bridge has one");
    assert!(table.contains(r#"hook="link3""#), "{table}");
    let id = format!("[{:x}]:", snapshot()[1].id);
    assert_eq!(ask(&node, &id, "movehost", "{ addr=02:00:00:00:00:01 }"), Err(EINVAL));
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn a_bridge_counts() {
    let kernel = Kernel::boot();
    let from = surround("bridge", &["link0", "link1", "link2"]);
    let (mut multicast, mut broadcast, mut bogus) = (frame(0, 1), frame(0, 1), frame(2, 0));
    multicast[0] = 3;
    broadcast[..6].fill(0xff);
    bogus[6] = 3;
    assert_eq!(sent("link0", &frame(2, 1)), Ok(()));
    assert_eq!(sent("link0", &multicast), Ok(()));
    assert_eq!(sent("link0", &broadcast), Ok(()));
    assert_eq!(sent("link0", b"short"), Err(EINVAL));
    assert_eq!(sent("link0", &bogus), Err(EINVAL));
    let stats =
        "{ recvOctets=51 recvPackets=3 recvMulticast=1 recvBroadcast=1 recvUnknown=1 recvRunts=1 recvInvalid=1 }";
    assert_eq!(told(&from, "getstats", "0"), stats);
    let stats = "{ xmitOctets=51 xmitPackets=3 xmitMulticasts=1 xmitBroadcasts=1 }";
    assert_eq!(told(&from, "getclrstats", "1"), stats);
    assert_eq!(told(&from, "getstats", "1"), "{ }");
    assert_eq!(told(&from, "clrstats", "0"), "");
    assert_eq!(told(&from, "getstats", "0"), "{ }");
    assert_eq!(ask(&from, BRIDGE, "getstats", "9"), Err(ENOTCONN));
    dispose_all(from, kernel);
}

#[test]
fn a_bridge_is_configured() {
    let kernel = Kernel::boot();
    let from = surround("bridge", &["link0", "link1"]);
    let default = "{ debugLevel=1 loopTimeout=60 maxStaleness=900 minStableAge=1 }";
    assert_eq!(told(&from, "getconfig", ""), default);
    let config = "{ debugLevel=2 loopTimeout=10 maxStaleness=20 minStableAge=3 }";
    assert_eq!(told(&from, "setconfig", config), "");
    assert_eq!(told(&from, "getconfig", ""), config);
    dispose_all(from, kernel);
}

#[test]
fn a_loop_is_muted_for_a_while() {
    let kernel = Kernel::boot();
    let from = surround("bridge", &["link0", "link1"]);
    assert_eq!(sent("link0", &frame(9, 1)), Ok(()));
    assert_eq!(sent("link1", &frame(9, 1)), Err(ELOOP));
    assert_eq!(sent("link1", &frame(9, 2)), Err(ELOOP));
    assert!(told(&from, "getstats", "1").ends_with("loopDrops=2 loopDetects=1 }"));
    assert_eq!(told(&from, "reset", ""), "");
    assert_eq!(sent("link1", &frame(9, 2)), Ok(()));
    assert_eq!(sent("link0", &frame(9, 2)), Err(ELOOP));
    clock::advance(Duration::from_secs(60));
    assert_eq!(
        sent("link0", &frame(9, 2)),
        Ok(()),
        "it has been where it was for long enough"
    );
    dispose_all(from, kernel);
}

#[test]
fn uplinks_get_what_is_for_nobody_known() {
    let kernel = Kernel::boot();
    let names = ["uplink1", "link0", "link1"];
    let from = surround("bridge", &names);
    assert_eq!(peer_of(&from, BRIDGE, "hole", "uplink0", "in"), EINVAL);
    assert_eq!(sent("uplink1", &frame(2, 1)), Ok(()), "nobody else gets it");
    assert_eq!(counts(&names), [0, 0, 0]);
    assert_eq!(told(&from, "gettable", ""), "{ }");
    assert_eq!(sent("link0", &frame(1, 2)), Ok(()));
    assert_eq!(counts(&names), [1, 0, 0]);
    assert_eq!(sent("uplink1", &frame(2, 1)), Ok(()));
    assert_eq!(counts(&names), [1, 1, 0]);
    let stats = "{ recvOctets=34 recvPackets=2 recvUnknown=1 xmitOctets=17 xmitPackets=1 }";
    assert_eq!(told(&from, "getstats", "-1"), stats);
    dispose_all(from, kernel);
}

#[test]
fn persistent_nodes_outlive_their_last_hook() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    for (kind, hook) in [("hub", "x"), ("bridge", "link0")] {
        assert_eq!(make_peer(&node, kind, "out", hook), 0);
        assert_eq!(generic(&node, "out", commands::NAME, &field("lasting", 32)), 0);
        assert_eq!(ask(&node, "lasting:", "setpersistent", ""), Ok(String::new()));
        assert_eq!(generic(&node, ".:", commands::RMHOOK, &field("out", 32)), 0);
        assert_eq!(snapshot().len(), 2);
        shut_down(&node, "lasting:");
        assert_eq!(snapshot().len(), 1);
    }
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn a_hole_counts_by_hook() {
    let kernel = Kernel::boot();
    let from = surround("hole", &["in", "other"]);
    assert_eq!(sent("in", b"abc"), Ok(()));
    let told = |name: &str, text: &str| ask(&from, "keep.port", name, text);
    assert_eq!(told("getstats", r#""in""#), Ok("{ frames=1 octets=3 }".to_owned()));
    assert_eq!(told("getclrstats", r#""in""#), Ok("{ frames=1 octets=3 }".to_owned()));
    assert_eq!(told("getstats", r#""in""#), Ok("{ }".to_owned()));
    assert_eq!(sent("other", b"abcd"), Ok(()));
    assert_eq!(told("clrstats", r#""other""#), Ok(String::new()));
    assert_eq!(told("getstats", r#""other""#), Ok("{ }".to_owned()));
    assert_eq!(told("getstats", r#""nosuch""#), Err(ENOENT));
    dispose_all(from, kernel);
}
