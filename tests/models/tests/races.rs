//! The races of the C module (D) and of ours (X), each under every schedule with up to two preemptions.

use hostkern::Errno;
use models::check::{Arena, fails_without, holds};
use models::wire::{self, address};
use models::world::{self, control, data, joined, named, put, tell};

const STATE: &str = "ng_socket state";

/// D5: two data sockets connect to one node.
fn two_data_connects(arena: &Arena) {
    let node = named("a");
    let sockets = [data(), data()];
    let connect = |index: usize| {
        let socket = sockets[index].clone();
        move || socket.connect(&address("a:"))
    };
    let results = arena.race(connect(0), connect(1));
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
    let report = fails_without("d5_is_seen", STATE, two_data_connects);
    assert!(report.contains("one of two data sockets gets the node"), "{report}");
}
