//! connect(2) of a data socket against what makes and unmakes the node: D4, D5, D6; and X3.

use hostkern::{Errno, Socket, module};
use models::check::{Arena, fails_without, holds};
use models::wire::{address, shutdown};
use models::world::{DONTWAIT, control, data, named, nodes_of, put, tell, try_control};

use crate::STATE;

/// A data socket is part of a living node, or knows that it is not.
fn assert_knows(data: &Socket, connected: Result<(), Errno>, errors: &[Errno]) {
    let is_alive = !nodes_of("socket").is_empty();
    let read = data.receive(&mut [0; 16], DONTWAIT).map(drop);
    match connected {
        Ok(()) if is_alive => assert_eq!(
            read,
            Err(Errno::EWOULDBLOCK),
            "a node that is there has nothing to read"
        ),
        Ok(()) => {
            assert_eq!(read, Err(Errno::ENOTCONN), "the reader knows that the node is gone");
            assert_eq!(
                put(data, Some("x")),
                Err(Errno::ENOTCONN),
                "the writer knows that the node is gone"
            );
        }
        Err(errno) => assert!(errors.contains(&errno), "connect(2) failed with {errno:?}"),
    }
}

/// D4: by ID, while the node is being made.
fn connect_to_a_node_being_made(arena: &Arena) {
    let first = control();
    let next = nodes_of("socket").first().expect("a node") + 1;
    let (open, socket) = (try_control, data());
    let joining = socket.clone();
    let (opened, connected) = arena.race(open, move || joining.connect(&address(&format!("[{next}]:"))));
    let opened = opened.expect("root may have a control socket");
    assert_knows(&socket, connected, &[Errno::ENOENT, Errno::EINVAL]);
    drop((first, opened, socket));
}

#[test]
fn d4_a_node_being_made_is_there_or_not() {
    holds(connect_to_a_node_being_made);
}

/// D4: by ID, while its last socket is closed.
fn connect_to_a_node_being_closed(arena: &Arena) {
    let owner = control();
    let id = nodes_of("socket")[0];
    let socket = data();
    let joining = socket.clone();
    let ((), connected) = arena.race(
        move || drop(owner),
        move || joining.connect(&address(&format!("[{id}]:"))),
    );
    assert_knows(&socket, connected, &[Errno::ENOENT, Errno::EINVAL]);
    drop(socket);
}

#[test]
fn d4_a_node_being_closed_is_there_or_not() {
    holds(connect_to_a_node_being_closed);
}

#[test]
fn d4_is_seen_without_state() {
    fails_without("ends::d4_is_seen_without_state", STATE, connect_to_a_node_being_closed);
}

/// D5: two data sockets connect to one node.
fn two_data_connects(arena: &Arena) {
    let node = named("a");
    let sockets = [data(), data()];
    let [first, second] = sockets.clone();
    let results = arena.race(
        move || first.connect(&address("a:")),
        move || second.connect(&address("a:")),
    );
    let expected = [(Ok(()), Err(Errno::EADDRINUSE)), (Err(Errno::EADDRINUSE), Ok(()))];
    assert!(
        expected.contains(&results),
        "one of two data sockets gets the node: {results:?}"
    );
    drop((sockets, node));
}

#[test]
fn d5_one_of_two_data_sockets_gets_the_node() {
    holds(two_data_connects);
}

#[test]
fn d5_is_seen() {
    let report = fails_without("ends::d5_is_seen", STATE, two_data_connects);
    assert!(report.contains("one of two data sockets gets the node"), "{report}");
}

/// D5, the other way round: one data socket, connected by two threads to two nodes.
fn one_data_socket_connects_twice(arena: &Arena) {
    let nodes = [named("a"), named("b")];
    let socket = data();
    let [first, second] = [socket.clone(), socket.clone()];
    let results = arena.race(
        move || first.connect(&address("a:")),
        move || second.connect(&address("b:")),
    );
    let expected = [(Ok(()), Err(Errno::EISCONN)), (Err(Errno::EISCONN), Ok(()))];
    assert!(expected.contains(&results), "a data socket gets one node: {results:?}");
    // The node that it did not get is free.
    let free = if results.0.is_ok() { "b:" } else { "a:" };
    let another = data();
    assert_eq!(another.connect(&address(free)), Ok(()));
    drop((another, socket, nodes));
}

#[test]
fn d5_a_data_socket_gets_one_node() {
    holds(one_data_socket_connects_twice);
}

/// D6: by name, while the node is shut down.
fn connect_against_shutdown(arena: &Arena) {
    let owner = named("a");
    let socket = data();
    let joining = socket.clone();
    let killer = owner.clone();
    let (killed, connected) = arena.race(
        move || tell(&killer, ".:", &shutdown()),
        move || joining.connect(&address("a:")),
    );
    assert_eq!(killed, Ok(()), "a node lets itself be shut down");
    assert_eq!(data().connect(&address("a:")), Err(Errno::ENOENT), "the node is gone");
    assert_knows(&socket, connected, &[Errno::ENOENT, Errno::EINVAL]);
    drop((socket, owner));
}

#[test]
fn d6_connect_knows_of_the_shutdown() {
    holds(connect_against_shutdown);
}

#[test]
fn d6_is_seen() {
    fails_without("ends::d6_is_seen", STATE, connect_against_shutdown);
}

/// X3: the module is unloaded while a socket is opened. (Its guard is the order of two counters, not a mutex.)
fn unload_against_open(arena: &Arena) {
    let file = arena.kernel.subject().expect("the module");
    let (opened, unloaded) = arena.race(try_control, move || module::unload(file));
    match (&opened, unloaded) {
        (Ok(socket), Err(errno)) => {
            assert_eq!(errno, Errno::EBUSY);
            assert!(socket.name().is_ok(), "the socket works");
        }
        (Ok(_), Ok(())) => panic!("the module is gone, and a socket of its own is left"),
        (Err(_), unloaded) => assert!(unloaded == Ok(()) || unloaded == Err(Errno::EBUSY), "{unloaded:?}"),
    }
    drop(opened);
}

#[test]
fn x3_a_module_that_is_used_stays() {
    holds(unload_against_open);
}
