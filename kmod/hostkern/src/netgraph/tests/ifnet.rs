//! Interfaces that nodes bring with them.

use super::data::{frame, peer_of};
use super::*;
use crate::netgraph::capture::{Header, inject};
use crate::netgraph::errors::EPFNOSUPPORT;
use crate::netgraph::ifnet::taken_in;
use crate::netgraph::snapshot;

/// `NGM_EIFACE_COOKIE`
const EIFACE: u32 = 948_105_892;
/// `NGM_FLOW_COOKIE`
const FLOW: u32 = 851_672_668;

/// Makes a node of a type and takes its hook off again.
fn bring(from: &NodeRef, kind: &str, hook: &str) {
    assert_eq!(make_peer(from, kind, "x", hook), 0);
    assert_eq!(generic(from, ".:", commands::RMHOOK, &field("x", 32)), 0);
}

fn names() -> Vec<String> {
    super::super::settle();
    let nodes = snapshot().into_iter().skip(1);
    nodes.map(|node| node.name).collect()
}

#[test]
fn nodes_are_called_by_the_lowest_free_number() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    for _ in 0..3 {
        bring(&node, "eiface", "ether");
    }
    bring(&node, "iface", "inet6");
    assert_eq!(names(), ["ngeth0", "ngeth1", "ngeth2", "ng0"]);
    shut_down(&node, "ngeth1:");
    shut_down(&node, "ngeth0:");
    bring(&node, "eiface", "ether");
    bring(&node, "eiface", "ether");
    bring(&node, "eiface", "ether");
    assert_eq!(names(), ["ngeth2", "ng0", "ngeth0", "ngeth1", "ngeth3"]);
    for name in names() {
        shut_down(&node, &format!("{name}:"));
    }
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn an_interface_keeps_its_name_when_the_node_has_another() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    bring(&node, "eiface", "ether");
    assert_eq!(generic(&node, "ngeth0:", commands::NAME, &field("lan", 32)), 0);
    assert_eq!(ask(&node, "lan:", "getifname", ""), Ok(r#""ngeth0""#.to_owned()));
    assert_eq!(generic(&node, ".:", commands::NAME, &field("ngeth1", 32)), 0);
    bring(&node, "eiface", "ether");
    assert_eq!(names(), ["lan", ""], "its name was taken");
    let id = format!("[{:x}]:", snapshot()[2].id);
    assert_eq!(ask(&node, &id, "getifname", ""), Ok(r#""ngeth1""#.to_owned()));
    shut_down(&node, &id);
    shut_down(&node, "lan:");
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn vnets_have_numbers_of_their_own() {
    let kernel = Kernel::boot();
    let (node, elsewhere) = (make("mailbox"), in_vnet(1, || make("mailbox")));
    bring(&node, "eiface", "ether");
    in_vnet(1, || bring(&elsewhere, "eiface", "ether"));
    let named = snapshot().into_iter().filter(|node| node.name == "ngeth0");
    assert_eq!(named.map(|node| node.vnet).collect::<Vec<_>>(), [Vnet(0), Vnet(1)]);
    shut_down(&node, "ngeth0:");
    in_vnet(1, || {
        shut_down(&elsewhere, "ngeth0:");
        dispose(elsewhere);
    });
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn an_eiface_has_an_address_that_is_set() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    bring(&node, "eiface", "ether");
    let address = || {
        assert_eq!(send(&node, "ngeth0:", header(EIFACE, 2), &[]), 0);
        let answer = mail(&node).remove(0).1;
        assert_eq!((answer.len(), answer[0], &answer[8..14]), (56, 56, &b"ngeth0"[..]));
        answer[14..20].to_vec()
    };
    assert_eq!(address()[0], 2, "locally administered, and of one station");
    assert_eq!(ask(&node, "ngeth0:", "set", "02:00:00:00:00:0a"), Ok(String::new()));
    assert_eq!(address(), [2, 0, 0, 0, 0, 10]);
    assert_eq!(send(&node, "ngeth0:", header(EIFACE, 3), &[0; 5]), EINVAL);
    assert_eq!(send(&node, "ngeth0:", header(EIFACE, 9), &[]), EINVAL);
    assert_eq!(send(&node, "ngeth0:", header(FLOW, 32), &[]), 0);
    shut_down(&node, "ngeth0:");
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn an_iface_answers_in_words() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    bring(&node, "iface", "inet");
    bring(&node, "iface", "inet");
    assert_eq!(ask(&node, "ng1:", "getifname", ""), Ok(r#""ng1""#.to_owned()));
    let index = |name: &str| ask(&node, name, "getifindex", "").expect("it has one");
    assert_ne!(index("ng0:"), index("ng1:"));
    assert_eq!(ask(&node, "ng0:", "broadcast", ""), Ok(String::new()));
    assert_eq!(ask(&node, "ng0:", "point2point", ""), Ok(String::new()));
    assert_eq!(send(&node, "ng0:", header(FLOW, 33), &[]), 0);
    shut_down(&node, "ng0:");
    shut_down(&node, "ng1:");
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn hooks_are_the_known_ones() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(make_peer(&node, "eiface", "x", "lower"), EPFNOSUPPORT);
    assert_eq!(make_peer(&node, "iface", "x", "ether"), EPFNOSUPPORT);
    assert_eq!(names(), Vec::<String>::new());
    assert_eq!(make_peer(&node, "iface", "x", "inet"), 0);
    assert_eq!(join(&node, "ng0:", "y", "inet6"), 0);
    shut_down(&node, "ng0:");
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn frames_are_counted_and_dropped() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    for (kind, hook, name) in [("eiface", "ether", "ngeth0:"), ("iface", "inet", "ng0:")] {
        assert_eq!(make_peer(&node, "capture", "x", "test"), 0);
        assert_eq!(generic(&node, "x", commands::NAME, &field("source", 32)), 0);
        assert_eq!(peer_of(&node, "x", kind, "out", hook), 0);
        let sent = |bytes: &[u8]| inject("source", "out", bytes, Header::Packet).map_err(|error| error.get());
        assert_eq!((sent(&frame(1, 2)), sent(&frame(1, 3))), (Ok(()), Ok(())));
        super::super::settle();
        assert_eq!(taken_in(name.trim_end_matches(':')), Ok([2, 34]));
        if kind == "eiface" {
            assert_eq!(sent(b"13 bytes long"), Err(EINVAL));
        }
        shut_down(&node, "x");
        shut_down(&node, name);
    }
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}
