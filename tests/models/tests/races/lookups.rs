//! Looking a node up by ID against the close of its last socket: netgraph finds a node whose last reference is being given
//! up, and would have it freed under whoever has found it.

use hostkern::netgraph::{self, Lookups};
use hostkern::{Errno, Socket};
use models::check::{Arena, fails_without, holds};
use models::wire::{address, mkpeer, nodeinfo, shutdown};
use models::world::{control, data, drain, named, nodes_of, tell};

use crate::LOOKUP;

/// A node whose only socket is returned, in a kernel that looks nodes up as FreeBSD does; and its ID.
fn about_to_end() -> (Socket, u32) {
    netgraph::set_lookups(Lookups::AsFreeBsd);
    let owner = named("a");
    (owner, nodes_of("socket")[0])
}

/// The answers for a node that is gone, or going.
fn is_gone(answer: Result<(), Errno>) -> bool {
    matches!(answer, Err(Errno::ENOENT | Errno::EINVAL))
}

/// A message to the node.
fn send_to_a_node_being_closed(arena: &Arena) {
    let (owner, id) = about_to_end();
    let sender = control();
    let sending = sender.clone();
    let ((), sent) = arena.race(
        move || drop(owner),
        move || tell(&sending, &format!("[{id}]:"), &nodeinfo()),
    );
    assert!(sent == Ok(()) || is_gone(sent), "sent to a node that goes: {sent:?}");
    assert!(drain(&sender) <= 1, "at most the answer");
    assert!(!nodes_of("socket").contains(&id), "the node is gone");
    drop(sender);
}

/// A message to a node of another type, which is freed by whoever is the last to let go of it, in a kernel with exact
/// lookups.
fn send_to_a_peer_being_shut_down(arena: &Arena) {
    let owner = named("a");
    tell(&owner, ".:", &mkpeer("hub", "out", "in")).expect("a peer");
    let id = nodes_of("hub")[0];
    let (sender, killer) = (control(), owner.clone());
    let sending = sender.clone();
    let (shut, sent) = arena.race(
        move || tell(&killer, "a:out", &shutdown()),
        move || tell(&sending, &format!("[{id}]:"), &nodeinfo()),
    );
    assert_eq!(shut, Ok(()), "a node lets itself be shut down");
    assert!(sent == Ok(()) || is_gone(sent), "sent to a node that goes: {sent:?}");
    assert!(nodes_of("hub").is_empty(), "the node is gone");
    drop((sender, owner));
}

#[test]
fn a_message_finds_a_peer_or_none() {
    holds(send_to_a_peer_being_shut_down);
}

/// connect(2) to the node.
fn connect_to_a_node_being_closed(arena: &Arena) {
    let (owner, id) = about_to_end();
    let socket = data();
    let joining = socket.clone();
    let ((), connected) = arena.race(
        move || drop(owner),
        move || joining.connect(&address(&format!("[{id}]:"))),
    );
    let is_there = nodes_of("socket").contains(&id);
    assert!(
        connected == Ok(()) || is_gone(connected) && !is_there,
        "connect(2) found {connected:?}, and the node is there: {is_there}"
    );
    drop(socket);
}

#[test]
fn a_message_finds_a_node_or_none() {
    holds(send_to_a_node_being_closed);
}

#[test]
fn connect_finds_a_node_or_none() {
    holds(connect_to_a_node_being_closed);
}

#[test]
fn the_message_s_race_is_seen() {
    fails_without(
        "lookups::the_message_s_race_is_seen",
        LOOKUP,
        send_to_a_node_being_closed,
    );
}

#[test]
fn connect_s_race_is_seen() {
    fails_without(
        "lookups::connect_s_race_is_seen",
        LOOKUP,
        connect_to_a_node_being_closed,
    );
}
