//! send(2) of a packet against what happens to the hooks and the node: D13, D14; and to the socket's flags: D23.

use hostkern::netgraph::capture;
use hostkern::{Errno, socket};
use models::check::{Arena, fails_without, holds};
use models::wire::{mkpeer, rmhook, shutdown};
use models::world::{joined, named, nodes_of, put, tell};

use crate::{SOCKET, STATE};

/// netgraph's own answers for a hook that goes after the module has found it: `ENETDOWN` when the packet is addressed, `EIO`
/// when it arrives.
const ON_THE_WAY: [i32; 2] = [50, 5];

/// Whether a packet was sent, or its failure is one of these, or one on the way.
fn is_allowed(sent: Result<(), Errno>, errors: &[Errno]) -> bool {
    match sent {
        Ok(()) => true,
        Err(errno) => errors.contains(&errno) || ON_THE_WAY.contains(&errno.get()),
    }
}

/// D13: while the node is shut down.
fn send_against_shutdown(arena: &Arena) {
    let owner = named("a");
    tell(&owner, ".:", &mkpeer("capture", "out", "in")).expect("a peer");
    let socket = joined("a:");
    let (sending, killer) = (socket.clone(), owner.clone());
    let (sent, killed) = arena.race(
        move || put(&sending, Some("out")),
        move || tell(&killer, ".:", &shutdown()),
    );
    assert_eq!(killed, Ok(()), "a node lets itself be shut down");
    // By its own shutdown the hook is gone before the node: as if it had not been there.
    let allowed = is_allowed(sent, &[Errno::ENOTCONN, Errno::EHOSTUNREACH]);
    assert!(allowed, "sent to a node that goes: {sent:?}");
    assert_eq!(socket.broken_pipes(), 0, "no SIGPIPE");
    drop((socket, owner));
}

#[test]
fn d13_send_survives_the_shutdown() {
    holds(send_against_shutdown);
}

#[test]
fn d13_is_seen() {
    fails_without("sending::d13_is_seen", STATE, send_against_shutdown);
}

/// D13: the whole shutdown while the sender's page is fetched from a file server.
fn shutdown_during_copyin(arena: &Arena) {
    let owner = named("a");
    tell(&owner, ".:", &mkpeer("capture", "out", "in")).expect("a peer");
    let data = joined("a:");
    let killer = owner.clone();
    socket::during_next_copyin(move || {
        // The copy that is under way is data's, and this one's the next.
        tell(&killer, ".:", &shutdown()).expect("a node lets itself be shut down");
    });
    let sending = data.clone();
    let (sent, ()) = arena.race(move || put(&sending, Some("out")), || ());
    assert_eq!(sent, Err(Errno::ENOTCONN));
    assert_eq!(data.broken_pipes(), 0, "no SIGPIPE");
    drop((data, owner));
}

#[test]
fn d13_a_slow_sender_finds_the_node_gone() {
    holds(shutdown_during_copyin);
}

/// D14: by name, while so many hooks are added that the table grows.
fn send_against_growth(arena: &Arena) {
    let owner = named("a");
    // The table has 16 buckets, and grows with the 17th hook.
    for number in 0..16 {
        tell(&owner, ".:", &mkpeer("capture", &format!("h{number}"), "in")).expect("a peer");
    }
    let socket = joined("a:");
    let (sending, adding) = (socket.clone(), owner.clone());
    let (sent, added) = arena.race(
        move || put(&sending, Some("h3")),
        move || tell(&adding, ".:", &mkpeer("capture", "more", "in")),
    );
    assert_eq!((sent, added), (Ok(()), Ok(())), "a hook is found while others come");
    let received = |node: &u32| capture::received(*node).expect("a node").len();
    assert_eq!(
        nodes_of("capture").iter().map(received).sum::<usize>(),
        1,
        "the packet arrives"
    );
    drop((socket, owner));
}

#[test]
fn d14_hooks_are_found_while_the_table_grows() {
    holds(send_against_growth);
}

#[test]
fn d14_growth_is_seen() {
    fails_without("sending::d14_growth_is_seen", STATE, send_against_growth);
}

/// D14: out of the only hook, while it is removed.
fn send_against_removal(arena: &Arena) {
    let owner = named("a");
    tell(&owner, ".:", &mkpeer("capture", "out", "in")).expect("a peer");
    let socket = joined("a:");
    let (sending, removing) = (socket.clone(), owner.clone());
    let (sent, removed) = arena.race(
        move || put(&sending, None),
        move || tell(&removing, ".:", &rmhook("out")),
    );
    assert_eq!(removed, Ok(()), "a hook lets itself be removed");
    let allowed = is_allowed(sent, &[Errno::EDESTADDRREQ]);
    assert!(allowed, "sent out of a hook that goes: {sent:?}");
    drop((socket, owner));
}

#[test]
fn d14_the_only_hook_is_there_or_not() {
    holds(send_against_removal);
}

#[test]
fn d14_removal_is_seen() {
    fails_without("sending::d14_removal_is_seen", STATE, send_against_removal);
}

/// D23: `O_NONBLOCK` is set by one thread while another one connects the socket, which changes the same word.
fn flags_against_connect(arena: &Arena) {
    let owner = named("a");
    tell(&owner, ".:", &mkpeer("capture", "out", "in")).expect("a peer");
    let socket = models::world::data();
    let (connecting, setting) = (socket.clone(), socket.clone());
    let (connected, ()) = arena.race(
        move || connecting.connect(&models::wire::address("a:")),
        move || setting.set_nonblocking(true),
    );
    assert_eq!(connected, Ok(()));
    assert_eq!(put(&socket, None), Ok(()), "SS_ISCONNECTED is there");
    let read = socket.receive(&mut [0; 16], 0).map(drop);
    assert_eq!(read, Err(Errno::EWOULDBLOCK), "SS_NBIO is there");
    drop((socket, owner));
}

#[test]
fn d23_no_flag_is_lost() {
    holds(flags_against_connect);
}

#[test]
fn d23_is_seen() {
    let report = fails_without("sending::d23_is_seen", SOCKET, flags_against_connect);
    assert!(report.contains("is there") || report.contains("deadlock"), "{report}");
}

/// D23: the same flag while hooks come and go.
fn flags_against_hooks(arena: &Arena) {
    let owner = named("a");
    let socket = joined("a:");
    let (adding, setting) = (owner.clone(), socket.clone());
    let add_and_remove = move || {
        tell(&adding, ".:", &mkpeer("capture", "out", "in"))?;
        tell(&adding, ".:", &rmhook("out"))
    };
    let (added, ()) = arena.race(add_and_remove, move || setting.set_nonblocking(true));
    assert_eq!(added, Ok(()));
    let read = socket.receive(&mut [0; 16], 0).map(drop);
    assert_eq!(read, Err(Errno::EWOULDBLOCK), "SS_NBIO is there");
    drop((socket, owner));
}

#[test]
fn d23_no_flag_is_lost_by_hooks() {
    holds(flags_against_hooks);
}

/// Packets by one socket out of two hooks, of which it remembers the last: each thread's own packets go out of its own hook.
fn two_senders_on_one_socket(arena: &Arena) {
    let owner = named("a");
    for hook in ["x", "y"] {
        tell(&owner, ".:", &mkpeer("capture", hook, "in")).expect("a peer");
    }
    let socket = joined("a:");
    let (first, second) = (socket.clone(), socket.clone());
    let (once, twice) = arena.race(
        move || put(&first, Some("x")),
        move || put(&second, Some("y")).and_then(|()| put(&second, Some("y"))),
    );
    assert_eq!((once, twice), (Ok(()), Ok(())));
    let received = |node: &u32| capture::received(*node).expect("a node").len();
    let mut counts: Vec<usize> = nodes_of("capture").iter().map(received).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2], "a packet went out of the other sender's hook");
    drop((socket, owner));
}

#[test]
fn senders_do_not_share_their_last_hook() {
    holds(two_senders_on_one_socket);
}
