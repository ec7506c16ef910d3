//! Frames with and without the tag of a VLAN.

use super::data::{counts, dispose_all, frame, surround};
use super::*;
use crate::netgraph::capture::{Header, inject, received};
use crate::netgraph::errors::{EEXIST, ENETDOWN, ENOENT, EOPNOTSUPP};

const VLAN: &str = "keep.port";
const HOOKS: [&str; 4] = ["downstream", "nomatch", "blue", "red"];

fn told(from: &NodeRef, name: &str, text: &str) -> core::result::Result<String, c_int> {
    ask(from, VLAN, name, text)
}

fn sent(hook: &str, bytes: &[u8]) -> core::result::Result<(), c_int> {
    inject(hook, "port", bytes, Header::Packet).map_err(|error| error.get())
}

/// A frame with a tag behind its addresses.
fn tagged(protocol: [u8; 2], tag: [u8; 2]) -> Vec<u8> {
    let mut tagged = frame(1, 2);
    tagged.splice(12..12, protocol.into_iter().chain(tag));
    tagged
}

fn last(name: &str) -> Vec<u8> {
    let frames = received(name).expect("the node is there");
    frames.last().expect("there is a frame").1.clone()
}

/// A node with a filter for VLAN 5 on `blue`, with priority 3.
fn with_blue() -> (Kernel, NodeRef) {
    let kernel = Kernel::boot();
    let from = surround("vlan", &HOOKS);
    let filter = r#"{ hook="blue" vid=5 pcp=3 cfi=1 }"#;
    assert_eq!(told(&from, "addfilter", filter), Ok(String::new()));
    (kernel, from)
}

#[test]
fn frames_go_to_the_hook_of_their_vlan_without_the_tag() {
    let (kernel, from) = with_blue();
    assert_eq!(sent("downstream", &tagged([0x81, 0], [0x20, 5])), Ok(()));
    assert_eq!(counts(&HOOKS), [0, 0, 1, 0]);
    assert_eq!(last("blue"), frame(1, 2));
    assert_eq!(sent("downstream", &tagged([0x81, 0], [0, 6])), Ok(()));
    assert_eq!(last("nomatch"), tagged([0x81, 0], [0, 6]));
    assert_eq!(sent("downstream", &frame(3, 4)), Ok(()));
    assert_eq!(last("nomatch"), frame(3, 4));
    assert_eq!(counts(&HOOKS), [0, 2, 1, 0]);
    assert_eq!(sent("downstream", &tagged([0x81, 0], [0, 5])[..16]), Err(EINVAL));
    assert_eq!(sent("downstream", b"13 bytes long"), Err(EINVAL));
    dispose_all(from, kernel);
}

#[test]
fn frames_of_a_vlan_get_its_tag() {
    let (kernel, from) = with_blue();
    assert_eq!(sent("blue", &frame(1, 2)), Ok(()));
    assert_eq!(counts(&HOOKS), [1, 0, 0, 0]);
    assert_eq!(last("downstream"), tagged([0x81, 0], [0x70, 5]));
    assert_eq!(sent("nomatch", &frame(3, 4)), Ok(()));
    assert_eq!(last("downstream"), frame(3, 4));
    assert_eq!(sent("red", &frame(1, 2)), Err(EOPNOTSUPP));
    assert_eq!(told(&from, "getencapproto", ""), Ok("0x8100".to_owned()));
    assert_eq!(told(&from, "setencapproto", "0x88a8"), Ok(String::new()));
    assert_eq!(sent("blue", &frame(1, 2)), Ok(()));
    assert_eq!(last("downstream"), tagged([0x88, 0xa8], [0x70, 5]));
    dispose_all(from, kernel);
}

#[test]
fn filters_are_added_listed_and_deleted() {
    let (kernel, from) = with_blue();
    assert_eq!(told(&from, "addfilter", r#"{ hook="red" vlan=2 }"#), Ok(String::new()));
    let table = r#"{ n=2 filter=[ { hook="red" vlan=2 vid=2 } { hook="blue" vlan=5 vid=5 pcp=3 cfi=1 } ] }"#;
    assert_eq!(told(&from, "gettable", ""), Ok(table.to_owned()));
    assert_eq!(told(&from, "delvidflt", "5"), Ok(String::new()));
    assert_eq!(told(&from, "delfilter", r#""red""#), Ok(String::new()));
    assert_eq!(told(&from, "gettable", ""), Ok("{ }".to_owned()));
    assert_eq!(told(&from, "delfilter", r#""red""#), Err(ENOENT));
    assert_eq!(told(&from, "delvidflt", "5"), Err(ENOENT));
    assert_eq!(told(&from, "delvidflt", "4096"), Err(EINVAL));
    dispose_all(from, kernel);
}

#[test]
fn bad_filters_are_refused() {
    let (kernel, from) = with_blue();
    let rows = [
        (r#"{ hook="blue" vid=6 }"#, EEXIST),
        (r#"{ hook="red" vid=5 }"#, EEXIST),
        (r#"{ hook="green" vid=6 }"#, ENOENT),
        (r#"{ hook="nomatch" vid=6 }"#, EINVAL),
        (r#"{ hook="downstream" vid=6 }"#, EINVAL),
        (r#"{ hook="red" vid=4096 }"#, EINVAL),
        (r#"{ hook="red" vid=6 pcp=8 }"#, EINVAL),
        (r#"{ hook="red" vid=6 cfi=2 }"#, EINVAL),
        (r#"{ hook="red" vid=6 vlan=7 }"#, EINVAL),
    ];
    for (filter, error) in rows {
        assert_eq!(told(&from, "addfilter", filter), Err(error), "{filter}");
    }
    dispose_all(from, kernel);
}

#[test]
fn tags_beside_the_frame_are_refused() {
    let (kernel, from) = with_blue();
    assert_eq!(told(&from, "setdecap", "1"), Err(EOPNOTSUPP));
    assert_eq!(told(&from, "setdecap", "0"), Ok(String::new()));
    assert_eq!(told(&from, "getdecap", ""), Ok("0x0".to_owned()));
    assert_eq!(told(&from, "setencap", "2"), Err(EOPNOTSUPP));
    assert_eq!(told(&from, "setencap", "3"), Ok(String::new()));
    assert_eq!(told(&from, "getencap", ""), Ok("0x3".to_owned()));
    dispose_all(from, kernel);
}

#[test]
fn hooks_that_go_take_their_filter_along() {
    let (kernel, from) = with_blue();
    assert_eq!(generic(&from, VLAN, commands::RMHOOK, &field("blue", 32)), 0);
    assert_eq!(told(&from, "gettable", ""), Ok("{ }".to_owned()));
    assert_eq!(generic(&from, VLAN, commands::RMHOOK, &field("nomatch", 32)), 0);
    assert_eq!(sent("downstream", &frame(1, 2)), Err(ENETDOWN));
    assert_eq!(sent("downstream", &tagged([0x81, 0], [0, 5])), Err(ENETDOWN));
    dispose_all(from, kernel);
}
