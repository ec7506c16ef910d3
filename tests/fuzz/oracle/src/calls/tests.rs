use super::*;
use crate::message::{SOCKET, VERSION, field, socket};

fn sockaddr(text: &str) -> Vec<u8> {
    let mut sockaddr = vec![0, 32];
    sockaddr.extend(text.bytes());
    sockaddr.push(0);
    sockaddr
}

fn send(world: &mut World, number: usize, to: &str, bytes: &[u8]) -> Result<usize> {
    let to = sockaddr(to);
    world.send(
        number,
        Outgoing {
            bytes,
            to: Some(&to),
            ancillary: None,
        },
    )
}

fn ask(world: &mut World, number: usize, to: &str, command: u32, names: &[&str]) -> Result<usize> {
    let arguments: Vec<u8> = names.iter().flat_map(|name| field(name.as_bytes(), 32)).collect();
    send(
        world,
        number,
        to,
        &Message::new(GENERIC, command, 1, &arguments).write(),
    )
}

fn tell(world: &mut World, number: usize, command: u32, arguments: &[u8]) -> Result<usize> {
    send(
        world,
        number,
        ".:",
        &Message::new(SOCKET, command, 1, arguments).write(),
    )
}

/// Has the node `at` connect its hook `ours` to the hook `theirs` of the node `path`.
fn connect(world: &mut World, number: usize, at: &str, path: &str, ours: &str, theirs: &str) -> Result<usize> {
    let mut arguments = field(path.as_bytes(), 512);
    arguments.extend(field(ours.as_bytes(), 32));
    arguments.extend(field(theirs.as_bytes(), 32));
    let message = Message::new(GENERIC, generic::CONNECT, 1, &arguments);
    send(world, number, at, &message.write())
}

fn next(world: &mut World, number: usize) -> Datagram {
    match world.receive(number, false) {
        Ok(Received::Datagram(datagram)) => datagram,
        other => panic!("{other:?}"),
    }
}

/// Two control sockets named `a` and `b` (0, 1), data sockets at both (10, 11), hook `x` of `a` to hook `y` of `b`.
fn pair() -> World {
    let mut world = World::new();
    for (number, name) in [(0, "a"), (1, "b")] {
        world.open_control(number);
        world.bind(number, &sockaddr(name)).expect("a free name");
        world.open_data(10 + number);
        world
            .connect(10 + number, &sockaddr(&format!("{name}:")))
            .expect("a socket node");
    }
    connect(&mut world, 0, ".:", "b:", "x", "y").expect("both accept");
    world
}

#[test]
fn packets_cross_a_connection() {
    let mut world = pair();
    assert_eq!(send(&mut world, 10, "x", b"hello"), Ok(5));
    let datagram = next(&mut world, 11);
    assert_eq!(
        (&datagram.from[..], &datagram.bytes[..]),
        (&[4, 32, b'y', 0][..], &b"hello"[..])
    );
    assert_eq!(send(&mut world, 10, "y", b"hello"), Err(Errno::EHOSTUNREACH));
    assert_eq!(send(&mut world, 10, "", b"only one hook"), Ok(13));
}

#[test]
fn messages_arrive_as_they_were_sent() {
    let mut world = pair();
    let bytes = Message::new(77, 5, 9, b"anything").write();
    assert_eq!(send(&mut world, 0, "x", &bytes), Ok(64));
    let datagram = next(&mut world, 1);
    assert_eq!(datagram.bytes, bytes);
    assert_eq!(&datagram.from[..7], &[16, 32, b'[', b'1', b']', b':', 0]);
}

#[test]
fn a_node_goes_with_its_last_socket() {
    let mut world = pair();
    world.close(0);
    assert_eq!(world.named(b"a"), Some(1));
    world.close(10);
    assert_eq!(world.named(b"a"), None);
    assert!(world.nodes[&2].hooks.is_empty());
    assert!(world.hooks.is_empty());
}

#[test]
fn shutting_down_ends_the_sockets() {
    let mut world = pair();
    assert_eq!(send(&mut world, 10, "x", b"queued"), Ok(6));
    assert!(ask(&mut world, 0, "b:", generic::SHUTDOWN, &[]).is_ok());
    assert_eq!(next(&mut world, 11).bytes, b"queued");
    assert_eq!(world.receive(11, false), Err(Errno::ENOTCONN));
    assert_eq!(send(&mut world, 11, "y", b"x"), Err(Errno::ENOTCONN));
    assert_eq!(world.bind(1, &sockaddr("c")), Err(Errno::ENOTCONN));
    assert_eq!(world.name_of(1), Err(Errno::EINVAL));
}

#[test]
fn only_netgraph_finds_a_node_that_was_shut_down() {
    let mut world = pair();
    assert!(ask(&mut world, 0, "b:", generic::SHUTDOWN, &[]).is_ok());
    assert_eq!(ask(&mut world, 0, "[2]:", generic::NODEINFO, &[]), Err(Errno::ENOENT));
    assert_eq!(connect(&mut world, 0, ".:", "b:", "x", "y"), Err(Errno::ENOENT));
    // The first node has taken its hook when the second one is asked.
    assert_eq!(connect(&mut world, 0, ".:", "[2]:", "x", "y"), Err(Errno::EINVAL));
    assert!(world.hooks.is_empty());
    world.close(1);
    world.close(11);
    assert_eq!(connect(&mut world, 0, ".:", "[2]:", "x", "y"), Err(Errno::ENOENT));
}

#[test]
fn hubs_flood_and_go_with_their_last_hook() {
    let mut world = pair();
    assert!(ask(&mut world, 0, ".:", generic::MKPEER, &["hub", "h", "0"]).is_ok());
    assert!(ask(&mut world, 0, ".:", generic::MKPEER, &["hub", "h", "1"]) == Err(Errno::EEXIST));
    assert_eq!(world.nodes.len(), 3);
    assert!(ask(&mut world, 0, ".:", generic::RMHOOK, &["h"]).is_ok());
    assert_eq!(world.nodes.len(), 2);
    assert_eq!(
        ask(&mut world, 0, ".:", generic::MKPEER, &["nothing", "h", "1"]),
        Err(Errno::ENOENT)
    );
}

#[test]
fn packets_that_go_round_are_seen() {
    let mut world = pair();
    assert!(ask(&mut world, 0, ".:", generic::MKPEER, &["echo", "e", "0"]).is_ok());
    assert!(!world.is_endless(10, Some(&sockaddr("e"))));
    assert!(ask(&mut world, 0, ".:", generic::MKPEER, &["hub", "h", "0"]).is_ok());
    assert!(connect(&mut world, 0, "h", ".:", "1", "2").is_ok());
    assert!(world.is_endless(10, Some(&sockaddr("h"))));
}

#[test]
fn events_are_told_in_their_order() {
    let mut world = pair();
    assert!(tell(&mut world, 1, socket::SET_EVENTS, &0x5f_u32.to_le_bytes()).is_ok());
    assert!(tell(&mut world, 0, socket::NOLINGER, &[]).is_ok());
    assert!(ask(&mut world, 0, ".:", generic::RMHOOK, &["x"]).is_ok());
    assert_eq!(world.nodes.len(), 1, "a had no hook left");
    let removed = Message::read(&next(&mut world, 1).bytes).expect("an event");
    assert_eq!((removed.command, removed.token, removed.cookie), (33, 1, SOCKET));
    assert_eq!(removed.arguments[32], 3);
    world.close(11);
    assert_eq!(Message::read(&next(&mut world, 1).bytes).expect("an event").command, 36);
}

#[test]
fn lost_events_are_told_of() {
    let mut world = pair();
    assert!(tell(&mut world, 1, socket::SET_EVENTS, &0x10_u32.to_le_bytes()).is_ok());
    world.set_receive_space(1, 80).expect("a size");
    world.close(11);
    assert_eq!(next(&mut world, 1).bytes.len(), 60);
    for _ in 0..2 {
        world.open_data(11);
        world.connect(11, &sockaddr("b:")).expect("the place is free");
        world.close(11);
    }
    let first = Message::read(&next(&mut world, 1).bytes).expect("an event");
    assert_eq!((first.command, first.token), (36, 2));
    let overflow = Message::read(&next(&mut world, 1).bytes).expect("an event");
    assert_eq!((overflow.command, overflow.token, overflow.arguments[0]), (39, 5, 3));
}

#[test]
fn an_answer_that_does_not_fit_is_an_error_of_the_question() {
    let mut world = pair();
    world.set_receive_space(0, 100).expect("a size");
    assert_eq!(ask(&mut world, 0, ".:", generic::NODEINFO, &[]), Err(Errno::ENOBUFS));
    assert_eq!(world.take_error(0), None);
    assert_eq!(
        send(&mut world, 1, "a:", &Message::new(5, 5, 5, &[0; 90]).write()),
        Err(Errno::ENOBUFS)
    );
    assert_eq!(world.take_error(0), Some(Errno::ENOBUFS));
}

#[test]
fn refusals_are_in_the_order_of_the_layers() {
    let mut world = pair();
    let (long, ancillary) = (vec![0; 20481], vec![0; 2049]);
    let to = sockaddr(".:");
    let mut send =
        |bytes: &[u8], to: Option<&[u8]>, ancillary: Option<&[u8]>| world.send(0, Outgoing { bytes, to, ancillary });
    assert_eq!(send(&long, None, None), Err(Errno::EDESTADDRREQ));
    assert_eq!(send(&long, Some(&to), None), Err(Errno::EMSGSIZE));
    assert_eq!(send(&[VERSION], Some(&to), Some(&ancillary)), Err(Errno::EMSGSIZE));
    assert_eq!(send(&long[1..], Some(&to), Some(&[0])), Err(Errno::EMSGSIZE));
    assert_eq!(send(&[VERSION], Some(&to), Some(&[])), Err(Errno::EINVAL));
    assert_eq!(send(&[VERSION], Some(&to), None), Err(Errno::EINVAL));
    assert_eq!(send(&[VERSION], Some(&[1]), None), Err(Errno::EINVAL));
}
