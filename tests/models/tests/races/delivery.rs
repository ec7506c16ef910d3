//! What netgraph delivers against the close of the socket it is for: D7, D8; and the answer against a signal: D15, D17.

use std::sync::{Arc, Mutex};

use hostkern::netgraph::{self, capture};
use hostkern::{Errno, thread};
use models::check::{Arena, fails_without, holds};
use models::wire::{message, mkpeer, nodeinfo};
use models::world::{control, drain, joined, named, nodes_of, tell};

use crate::STATE;

/// D7: a packet comes while the data socket is closed.
fn packet_against_close(arena: &Arena) {
    let owner = named("a");
    tell(&owner, ".:", &mkpeer("capture", "out", "in")).expect("a peer");
    let peer = nodes_of("capture")[0];
    let socket = joined("a:");
    let (injected, ()) = arena.race(
        move || capture::inject(peer, "in", b"packet", capture::Header::Packet),
        move || drop(socket),
    );
    assert_eq!(injected, Ok(()), "a packet that nobody wants is dropped");
    drop(owner);
}

#[test]
fn d7_a_packet_meets_a_socket_or_none() {
    holds(packet_against_close);
}

#[test]
fn d7_is_seen() {
    fails_without("delivery::d7_is_seen", STATE, packet_against_close);
}

/// D8: a message comes while the control socket is closed; the data socket keeps the node.
fn message_against_close(arena: &Arena) {
    let owner = named("a");
    let keeper = joined("a:");
    let sender = control();
    let sending = sender.clone();
    let unknown = message(4711, 1, b"hello");
    let (sent, ()) = arena.race(move || tell(&sending, "a:", &unknown), move || drop(owner));
    assert!(
        [Ok(()), Err(Errno::EINVAL)].contains(&sent),
        "sent to a socket that goes: {sent:?}"
    );
    drop((keeper, sender));
}

#[test]
fn d8_a_message_meets_a_socket_or_none() {
    holds(message_against_close);
}

#[test]
fn d8_is_seen() {
    fails_without("delivery::d8_is_seen", STATE, message_against_close);
}

/// D15, D17: a sender waits for its destination, and the answer comes together with a signal.
fn answer_against_signal(arena: &Arena) {
    let sender = control();
    let destination = named("b");
    let held = netgraph::hold("b").expect("the node");
    let place = Arc::new(Mutex::new(None));
    let (sending, filled) = (sender.clone(), Arc::clone(&place));
    let send = move || {
        *filled.lock().expect("nobody panics") = Some(thread::handle());
        tell(&sending, "b:", &nodeinfo())
    };
    let interrupt = move || {
        let sender = place.lock().expect("nobody panics").take();
        if let Some(sender) = &sender {
            sender.interrupt();
        }
        drop(held);
    };
    let (sent, ()) = arena.race(send, interrupt);
    assert!(
        [Ok(()), Err(Errno::EINTR)].contains(&sent),
        "the answer, or the signal: {sent:?}"
    );
    assert_eq!(
        drain(&sender),
        1,
        "the message was applied, whether or not its sender waited"
    );
    drop((sender, destination));
}

#[test]
fn d15_a_sender_wakes() {
    holds(answer_against_signal);
}

/// D15: as above, without a signal, so that nothing else wakes the sender.
fn answer_against_sleep(arena: &Arena) {
    let sender = control();
    let destination = named("b");
    let held = netgraph::hold("b").expect("the node");
    let sending = sender.clone();
    let (sent, ()) = arena.race(move || tell(&sending, "b:", &nodeinfo()), move || drop(held));
    assert_eq!(sent, Ok(()), "the answer");
    assert_eq!(drain(&sender), 1);
    drop((sender, destination));
}

#[test]
fn d15_no_wakeup_is_lost() {
    holds(answer_against_sleep);
}

#[test]
fn d15_is_seen() {
    let report = fails_without("delivery::d15_is_seen", STATE, answer_against_sleep);
    assert!(report.contains("deadlock"), "{report}");
}
