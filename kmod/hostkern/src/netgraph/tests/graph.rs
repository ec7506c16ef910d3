//! Nodes, hooks and generic messages.

use super::*;
use crate::netgraph::errors::{EADDRINUSE, EBUSY, EEXIST, ENOENT, ENXIO};
use crate::netgraph::reference::Counted;
use crate::netgraph::{snapshot, state};

#[test]
fn nothing_is_left_of_nothing() {
    assert_eq!(Kernel::boot().halt(), Vec::<String>::new());
}

#[test]
fn a_peer_goes_with_its_last_hook() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(make_peer(&node, "hole", "out", "in"), 0);
    let nodes = snapshot();
    assert_eq!(nodes.len(), 2);
    assert_eq!(
        (nodes[0].hooks[0].name.as_str(), nodes[0].hooks[0].peer),
        ("out", nodes[1].id)
    );
    assert_eq!((nodes[1].kind.as_str(), nodes[1].references), ("hole", 2));
    assert_eq!(generic(&node, ".:", commands::RMHOOK, &field("out", 32)), 0);
    crate::netgraph::settle();
    assert_eq!(snapshot().len(), 1);
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn peers_that_cannot_be_made_leave_nothing() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(make_peer(&node, "nosuch", "a", "b"), ENXIO);
    assert_eq!(make_peer(&node, "tee", "a", "nosuch"), EINVAL);
    assert_eq!(make_peer(&node, "hole", "bad", "b"), EINVAL);
    assert_eq!(generic(&node, ".:", NGM_MKPEER, &[0; 95]), EINVAL);
    assert_eq!(make_peer(&node, "hole", "a", "b"), 0);
    assert_eq!(make_peer(&node, "hole", "a", "b"), EEXIST);
    assert_eq!(snapshot().len(), 2);
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn two_nodes_connect() {
    let kernel = Kernel::boot();
    let (first, second) = (make("mailbox"), make("mailbox"));
    assert_eq!(generic(&second, ".:", commands::NAME, &field("second", 32)), 0);
    assert_eq!(join(&first, "second:", "a", "b"), 0);
    assert!(
        snapshot()
            .iter()
            .all(|node| node.hooks.len() == 1 && node.hooks[0].valid)
    );
    assert_eq!(join(&first, "second:", "c", "b"), EEXIST);
    assert_eq!(join(&first, "second:", "a", "c"), EEXIST);
    assert_eq!(join(&first, "second:", "c", "bad"), EINVAL);
    assert_eq!(join(&first, "nosuch:", "c", "d"), ENOENT);
    crate::netgraph::settle();
    assert!(
        snapshot().iter().all(|node| node.hooks.len() == 1),
        "what failed is undone on both sides"
    );
    dispose(first);
    dispose(second);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn connecting_to_a_busy_node_reports_its_refusal_in_the_end() {
    let kernel = Kernel::boot();
    let (first, second) = (make("mailbox"), make("mailbox"));
    let path = format!("[{:x}]:", second.id());
    for (ours, theirs, expected) in [("a", "b", 0), ("c", "bad", EINVAL)] {
        let held = crate::netgraph::hold(second.id()).expect("the node is there");
        let arguments = [field(&path, 512), field(ours, 32), field(theirs, 32)].concat();
        let header = header(NGM_GENERIC_COOKIE, commands::CONNECT);
        let told = send_while(&first, ".:", header, &arguments, |code| {
            assert_eq!(
                (code, held.waiting()),
                (0, 1),
                "the first step is applied, the second waits"
            );
            drop(held);
        });
        assert_eq!(told, expected);
    }
    dispose(first);
    dispose(second);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn names_belong_to_a_vnet() {
    let kernel = Kernel::boot();
    let here = make("mailbox");
    assert_eq!(generic(&here, ".:", commands::NAME, &field("wan", 32)), 0);
    let other = make("mailbox");
    assert_eq!(generic(&other, ".:", commands::NAME, &field("wan", 32)), EADDRINUSE);
    assert_eq!(generic(&other, ".:", commands::NAME, &field("[1]", 32)), EINVAL);
    let there = in_vnet(1, || {
        let there = make("mailbox");
        assert_eq!(there.id(), 1, "IDs are a vnet's own");
        assert_eq!(generic(&there, "wan:", commands::NODEINFO, &[]), ENOENT);
        assert_eq!(generic(&there, ".:", commands::NAME, &field("wan", 32)), 0);
        there
    });
    assert_eq!(path::find_node(Vnet(1), b"wan").map(|node| node.vnet()), Some(Vnet(1)));
    dispose(here);
    assert_eq!(
        generic(&other, ".:", commands::NAME, &field("wan", 32)),
        0,
        "the name is free again"
    );
    dispose(other);
    in_vnet(1, || dispose(there));
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn questions_are_answered() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(make_peer(&node, "hole", "out", "in"), 0);
    assert_eq!(generic(&node, "out", commands::NAME, &field("sink", 32)), 0);
    let mut answers = Vec::new();
    for command in [
        commands::NODEINFO,
        commands::LISTHOOKS,
        commands::LISTNAMES,
        commands::LISTNODES,
    ] {
        assert_eq!(generic(&node, "sink:", command, &[]), 0);
        answers.extend(mail(&node));
    }
    let sizes: Vec<usize> = answers.iter().map(|(_, arguments)| arguments.len()).collect();
    assert_eq!(sizes, [72, 72 + 136, 4 + 72, 4 + 2 * 72]);
    assert!(answers.iter().all(|(header, _)| (header.flags, header.token) == (1, 7)));
    assert!(answers[0].1.starts_with(b"sink\0"));
    assert_eq!(&answers[1].1[72..75], b"in\0");
    assert_eq!(generic(&node, ".:", commands::LISTTYPES, &[]), 0);
    let types = TYPES.len() + 1; // And the mailbox.
    assert_eq!(mail(&node)[0].1.len(), 4 + types * 36);
    assert_eq!(generic(&node, "sink:", 99, &[]), EINVAL);
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn a_type_with_nodes_stays() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(make_peer(&node, "hole", "out", "in"), 0);
    let busy = crate::netgraph::unload_type("hole").expect_err("there is a node");
    assert_eq!(busy.get(), EBUSY);
    assert_eq!(generic(&node, ".:", commands::RMHOOK, &field("out", 32)), 0);
    crate::netgraph::settle();
    assert_eq!(crate::netgraph::unload_type("hole"), Ok(()));
    assert_eq!(make_peer(&node, "hole", "out", "in"), ENXIO);
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn a_hook_of_a_removed_node_refers_to_the_dead_node() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(make_peer(&node, "hole", "out", "in"), 0);
    let hook = connect::find_hook(&node, c"out").expect("connected just now");
    shut_down(&node, "out");
    crate::netgraph::settle();
    assert!(!hook.is_valid());
    assert_eq!(hook.node.load(Ordering::Relaxed), state().dead_node());
    assert_eq!(hook.peer.load(Ordering::Relaxed), state().dead_hook());
    assert_eq!(node.hook_count.load(Ordering::Relaxed), 0);
    drop(hook);
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn what_is_left_is_listed() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(make_peer(&node, "hub", "out", "in"), 0);
    let left = crate::netgraph::inspect::leftovers();
    assert_eq!(left.len(), 3, "two nodes and the mailbox's type: {left:?}");
    assert!(left[1].contains("hub") && left[1].contains("in"));
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn types_are_registered_once_and_for_this_abi() {
    let kernel = Kernel::boot();
    let again = crate::netgraph::load_type("hub").expect_err("it is there");
    assert_eq!(again.get(), EEXIST);
    let mut other = Box::new(crate::netgraph::kind::Kind::named(c"other"));
    other.version = 0x2000c;
    let (load, unload) = (kpi::raw::kernel::MOD_LOAD, kpi::raw::kernel::MOD_UNLOAD);
    let pointer: *mut c_void = (&raw mut *other).cast();
    // SAFETY: the type stays until it is unregistered.
    let event = |event| unsafe { exports::ng_mod_event(core::ptr::null_mut(), event, pointer) };
    assert_eq!(event(load), EINVAL);
    crate::netgraph::require_abi(0x2000c);
    assert_eq!(
        [event(load), event(load), event(unload), event(unload)],
        [0, EEXIST, 0, 0]
    );
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

/// The moment between a node's last reference and its end, in which it is still listed.
#[test]
fn a_node_that_is_being_freed_is_not_found() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    let going = connect::make_node(c"eiface").expect("the type makes nodes");
    let (id, name) = (going.id(), going.name());
    let references = going.references().swap(0, Ordering::Relaxed);
    assert!(path::find_node(Vnet(0), &name).is_none(), "by name");
    assert!(state().topology().by_id(Vnet(0), id).is_none(), "by ID");
    assert_eq!(generic(&node, "ngeth0:", commands::NODEINFO, &[]), ENOENT);
    assert_eq!(going.reference_count(), 0, "looking for it counts nothing");
    going.references().store(references, Ordering::Relaxed);
    connect::remove_node(&going);
    // The node's reference to itself was the one that make_node gave.
    going.into_raw();
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}
