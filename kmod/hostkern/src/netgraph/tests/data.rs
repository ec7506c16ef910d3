//! Packets through the node types.

use super::*;
use crate::netgraph::capture::{Header, inject, received};
use crate::netgraph::errors::{ENOTCONN, EOPNOTSUPP};
use crate::netgraph::{settle, snapshot};

/// A node of a type with a capture on each of these hooks; the captures are named after the hooks.
pub(super) fn surround(kind: &str, hooks: &[&str]) -> NodeRef {
    let from = make("mailbox");
    let (first, others) = hooks.split_first().expect("at least one hook");
    assert_eq!(make_peer(&from, "capture", "keep", "test"), 0);
    assert_eq!(generic(&from, "keep", commands::NAME, &field(first, 32)), 0);
    assert_eq!(peer_of(&from, "keep", kind, "port", first), 0);
    for hook in others {
        assert_eq!(peer_of(&from, "keep.port", "capture", hook, "port"), 0);
        assert_eq!(
            generic(&from, &format!("keep.port.{hook}"), commands::NAME, &field(hook, 32)),
            0
        );
    }
    from
}

pub(super) fn peer_of(from: &NodeRef, path: &str, kind: &str, ours: &str, theirs: &str) -> c_int {
    let arguments = [field(kind, 32), field(ours, 32), field(theirs, 32)].concat();
    generic(from, path, NGM_MKPEER, &arguments)
}

/// How many frames each has received.
pub(super) fn counts(names: &[&str]) -> Vec<usize> {
    settle();
    let frames = names
        .iter()
        .map(|name| received(*name).expect("the node is there").len());
    frames.collect()
}

/// Removes everything: the captures go with the node, and the first one with the test's own.
pub(super) fn dispose_all(from: NodeRef, kernel: Kernel) {
    shut_down(&from, "keep.port");
    dispose(from);
    assert_eq!(snapshot(), []);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

/// An Ethernet frame between stations with these numbers.
pub(super) fn frame(to: u8, from: u8) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from][..], &[0x08, 0x00, 1, 2, 3]].concat()
}

#[test]
fn a_hub_sends_to_all_others() {
    let kernel = Kernel::boot();
    let names = ["a", "b", "c"];
    let from = surround("hub", &names);
    assert_eq!(inject("b", "port", b"hello", Header::Packet), Ok(()));
    assert_eq!(counts(&names), [1, 0, 1]);
    assert_eq!(received("c"), Ok(vec![("port".to_owned(), b"hello".to_vec())]));
    dispose_all(from, kernel);
}

#[test]
fn a_bridge_learns() {
    let kernel = Kernel::boot();
    let names = ["link0", "link1", "link2"];
    let from = surround("bridge", &names);
    assert_eq!(peer_of(&from, "keep.port", "hole", "other", "in"), EINVAL);
    assert_eq!(inject("link0", "port", &frame(2, 1), Header::Packet), Ok(()));
    assert_eq!(counts(&names), [0, 1, 1]);
    assert_eq!(inject("link1", "port", &frame(1, 2), Header::Packet), Ok(()));
    assert_eq!(counts(&names), [1, 1, 1]);
    assert_eq!(
        inject("link0", "port", b"short", Header::Packet).map_err(|error| error.get()),
        Err(EINVAL)
    );
    dispose_all(from, kernel);
}

#[test]
fn a_tee_copies() {
    let kernel = Kernel::boot();
    let names = ["left", "right", "left2right", "right2left"];
    let from = surround("tee", &names);
    assert_eq!(inject("right", "port", b"x", Header::Packet), Ok(()));
    assert_eq!(counts(&names), [1, 0, 0, 1]);
    assert_eq!(inject("left2right", "port", b"y", Header::Packet), Ok(()));
    assert_eq!(counts(&names), [2, 0, 0, 1]);
    assert_eq!(inject("right2left", "port", b"z", Header::Packet), Ok(()));
    assert_eq!(counts(&names), [2, 1, 0, 1]);
    let stats = "{ right={ inOctets=1 inFrames=1 outOctets=1 outFrames=1 } left={ outOctets=2 outFrames=2 } \
                 right2left={ inOctets=1 inFrames=1 outOctets=1 outFrames=1 } left2right={ inOctets=1 inFrames=1 } }";
    assert_eq!(ask(&from, "keep.port", "getstats", ""), Ok(stats.to_owned()));
    assert_eq!(ask(&from, "keep.port", "getclrstats", ""), Ok(stats.to_owned()));
    assert_eq!(ask(&from, "keep.port", "getstats", ""), Ok("{ }".to_owned()));
    shut_down(&from, "keep.port");
    dispose_all(from, kernel);
}

#[test]
fn a_tee_that_goes_leaves_its_neighbours_connected() {
    let kernel = Kernel::boot();
    let names = ["left", "right", "left2right"];
    let from = surround("tee", &names);
    shut_down(&from, "keep.port");
    crate::netgraph::settle();
    assert_eq!(inject("left", "port", b"x", Header::Packet), Ok(()));
    assert_eq!(inject("right", "port", b"y", Header::Packet), Ok(()));
    assert_eq!(counts(&["left", "right"]), [1, 1]);
    assert!(received("left2right").is_err(), "it had no other hook");
    shut_down(&from, "keep.port");
    dispose(from);
    assert_eq!(snapshot(), []);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn a_tee_with_one_neighbour_or_itself_just_goes() {
    let kernel = Kernel::boot();
    let from = surround("tee", &["left", "left2right"]);
    shut_down(&from, "keep.port");
    assert_eq!(peer_of(&from, "keep", "tee", "loop", "left2right"), 0);
    let arguments = [field(".:", 512), field("left", 32), field("right", 32)].concat();
    assert_eq!(generic(&from, "keep.loop", commands::CONNECT, &arguments), 0);
    shut_down(&from, "keep.loop");
    shut_down(&from, "keep");
    dispose(from);
    assert_eq!(snapshot(), []);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn one_to_many_sends_as_configured() {
    let kernel = Kernel::boot();
    let names = ["one", "many0", "many1"];
    let from = surround("one2many", &names);
    let send = || inject("one", "port", b"x", Header::Packet).map_err(|error| error.get());
    assert_eq!(send(), Err(ENOTCONN), "links are down at first");
    let configure = |text: &str| ask(&from, "keep.port", "setconfig", text);
    assert_eq!(
        configure("{ xmitAlg=1 failAlg=1 enabledLinks=[ 1 1 ] }"),
        Ok(String::new())
    );
    for _ in 0..4 {
        assert_eq!(send(), Ok(()));
    }
    assert_eq!(inject("many1", "port", b"y", Header::Missing), Ok(()));
    assert_eq!(counts(&names), [1, 2, 2]);
    assert_eq!(
        configure("{ xmitAlg=2 failAlg=1 enabledLinks=[ 1 1 ] }"),
        Ok(String::new())
    );
    assert_eq!(send(), Ok(()));
    assert_eq!(counts(&names), [1, 3, 3]);
    assert_eq!(
        configure("{ xmitAlg=3 failAlg=1 enabledLinks=[ 1=1 ] }"),
        Ok(String::new())
    );
    assert_eq!(send(), Ok(()));
    assert_eq!(counts(&names), [1, 3, 4]);
    for (bad, error) in [("xmitAlg=4 failAlg=1", EINVAL), ("xmitAlg=1 failAlg=2", EOPNOTSUPP)] {
        assert_eq!(configure(&format!("{{ {bad} }}")), Err(error));
    }
    let config = "{ xmitAlg=3 failAlg=1 enabledLinks=[ 1=1 ] }".to_owned();
    assert_eq!(ask(&from, "keep.port", "getconfig", ""), Ok(config));
    let one = "{ recvOctets=7 recvPackets=7 xmitOctets=1 xmitPackets=1 }".to_owned();
    assert_eq!(ask(&from, "keep.port", "getstats", "-1"), Ok(one));
    let second = "{ recvOctets=1 recvPackets=1 xmitOctets=4 xmitPackets=4 }".to_owned();
    assert_eq!(ask(&from, "keep.port", "getclrstats", "1"), Ok(second));
    assert_eq!(ask(&from, "keep.port", "getstats", "1"), Ok("{ }".to_owned()));
    assert_eq!(ask(&from, "keep.port", "getstats", "64"), Err(EINVAL));
    dispose_all(from, kernel);
}

#[test]
fn a_loop_of_echoes_ends_with_its_hook() {
    let kernel = Kernel::boot();
    let from = make("mailbox");
    assert_eq!(make_peer(&from, "echo", "keep", "in"), 0);
    assert_eq!(peer_of(&from, "keep", "echo", "loop", "loop"), 0);
    let echo = path::resolve(Some(&from), b"keep").expect("it is there").0;
    let hook = connect::find_hook(&echo, c"loop").expect("connected just now");
    assert_eq!(crate::netgraph::native::send_bytes(b"round", &hook), Ok(()));
    drop((hook, echo));
    shut_down(&from, "keep");
    dispose(from);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn a_split_parts_the_two_directions() {
    let kernel = Kernel::boot();
    let names = ["mixed", "in", "out"];
    let from = surround("split", &names);
    assert_eq!(peer_of(&from, "keep.port", "hole", "other", "in"), EINVAL);
    assert_eq!(inject("in", "port", b"x", Header::Packet), Ok(()));
    assert_eq!(counts(&names), [1, 0, 0]);
    assert_eq!(inject("mixed", "port", b"y", Header::Packet), Ok(()));
    assert_eq!(counts(&names), [1, 0, 1]);
    let backward = inject("out", "port", b"z", Header::Packet).map_err(|error| error.get());
    assert_eq!((backward, counts(&names)), (Err(EINVAL), vec![1, 0, 1]));
    assert_eq!(generic(&from, "keep.port", commands::RMHOOK, &field("out", 32)), 0);
    assert_eq!(inject("mixed", "port", b"y", Header::Packet), Ok(()), "nobody wants it");
    dispose_all(from, kernel);
}
