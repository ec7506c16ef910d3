//! Sockets on the netgraph in memory.

use super::*;
use crate::events::EventMask;
use crate::fake::Fake;
use crate::request::{Connect, ListHooks, ListNames, ListNodes, ListTypes, MakePeer, Name, RemoveHook};
use crate::wire::{IS_REPLY, SOCKET_COOKIE};

mod stock;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn open(fake: &Fake) -> Socket<Fake> {
    Socket::open_on(fake.clone(), Some(&"ng1".parse().unwrap())).unwrap()
}

fn make_peer(kind: &str, hook: &str, peer_hook: &str) -> MakePeer {
    MakePeer {
        type_name: kind.parse().unwrap(),
        hook: hook.parse().unwrap(),
        peer_hook: peer_hook.parse().unwrap(),
    }
}

fn connect(peer: &str, hook: &str, peer_hook: &str) -> Connect {
    Connect {
        peer: address(peer),
        hook: hook.parse().unwrap(),
        peer_hook: peer_hook.parse().unwrap(),
    }
}

#[test]
fn a_graph_is_made_listed_and_broken_down() {
    let fake = Fake::with_interfaces(&["em0"]);
    let mut socket = open(&fake);
    let em0 = address("em0:");
    socket.request(&em0, &make_peer("tee", "lower", "left")).unwrap();
    socket
        .request(&address("em0:lower"), &Name("tap".parse().unwrap()))
        .unwrap();
    let list = socket.request(&address("tap:"), &ListHooks).unwrap();
    assert_eq!(list.node.type_name, "tee");
    assert_eq!(
        (list.links[0].hook.as_str(), list.links[0].peer_hook.as_str()),
        ("left", "lower")
    );
    let named = socket.request(&Address::here(), &ListNames).unwrap();
    assert_eq!(named.len(), 3);
    socket.request(&em0, &RemoveHook("lower".parse().unwrap())).unwrap();
    assert_eq!(socket.request(&Address::here(), &ListNodes).unwrap().len(), 2);
}

#[test]
fn types_are_listed() {
    let mut socket = open(&Fake::default());
    let types = socket.request(&Address::here(), &ListTypes).unwrap();
    assert!(types.iter().any(|kind| kind.name == "socket" && kind.nodes == 1));
}

#[test]
fn refusals_carry_path_operation_and_number() {
    let fake = Fake::with_interfaces(&["em0"]);
    let mut socket = open(&fake);
    let error = socket.request(&address("br7:"), &ListHooks).unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not list the hooks of `br7:`: there is no such node or hook (ENOENT)"
    );
    let error = socket
        .request(&address("em0:"), &make_peer("tee", "lower", "middle"))
        .unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    let taken = Socket::open_on(fake, Some(&"ng1".parse().unwrap())).unwrap_err();
    assert_eq!(taken.errno(), Some(Errno::EADDRINUSE));
}

#[test]
fn a_command_in_words_is_converted_by_its_node() {
    let fake = Fake::with_interfaces(&["em0"]);
    let mut socket = open(&fake);
    let em0 = address("em0:");
    assert_eq!(socket.command(&em0, "setpromisc", "1").unwrap(), None);
    let reply = socket.command(&em0, "getpromisc", "").unwrap().unwrap();
    let words = socket.to_ascii(&reply.from, &reply.message).unwrap();
    assert_eq!(words, ("getpromisc".to_owned(), "1".to_owned()));
    let error = socket.command(&em0, "fly", "").unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENOSYS));
}

#[test]
fn other_messages_do_not_pass_for_answers() {
    let fake = Fake::default();
    let mut socket = open(&fake);
    let stranger = Message {
        command: 9,
        flags: IS_REPLY,
        token: 77,
        cookie: SOCKET_COOKIE,
        name: String::new(),
        data: vec![1],
    };
    fake.inject("ng1", &stranger);
    assert_eq!(socket.request(&Address::here(), &ListNodes).unwrap().len(), 1);
    let kept = socket.receive(Some(Instant::now())).unwrap().unwrap();
    assert_eq!(kept.message, stranger);
    assert_eq!(socket.receive(Some(Instant::now())).unwrap(), None);
}

#[test]
fn packets_go_from_socket_to_socket() {
    let fake = Fake::default();
    let mut one = open(&fake);
    let mut two = Socket::open_on(fake.clone(), Some(&"ng2".parse().unwrap())).unwrap();
    two.open_data().unwrap();
    one.request(&Address::here(), &connect("ng2:", "out", "in")).unwrap();
    one.send_data(None, b"hello").unwrap();
    one.send_data(Some(&"out".parse().unwrap()), b"again").unwrap();
    let mut buffer = [0; 64];
    assert_eq!(two.receive_data(&mut buffer, None).unwrap(), Some((5, "in".to_owned())));
    assert_eq!(two.receive_data(&mut buffer, None).unwrap(), Some((5, "in".to_owned())));
    assert_eq!(&buffer[..5], b"again");
    let error = one.send_data(Some(&"none".parse().unwrap()), b"x").unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EHOSTUNREACH));
}

#[test]
fn a_long_address_reaches_its_node_where_only_short_ones_are_taken() {
    let fake = Fake::default();
    fake.limit_addresses(31);
    let mut socket = open(&fake);
    let name = "a-node-with-a-name-of-31-bytes-";
    socket
        .request(&Address::here(), &make_peer("hub", "first-hook", "second-hook"))
        .unwrap();
    socket
        .request(&address("first-hook"), &Name(name.parse().unwrap()))
        .unwrap();
    let path = address(&format!("{name}:second-hook.first-hook.second-hook"));
    assert_eq!(socket.request(&path, &ListHooks).unwrap().node.type_name, "socket");
    let error = socket
        .request(&address(&format!("{name}:third-hook")), &ListHooks)
        .unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENOENT));
}

#[test]
fn a_kernel_without_events_is_named() {
    let mut socket = open(&Fake::default());
    let error = socket.events(EventMask::ALL).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    assert!(error.to_string().contains("FreeBSD's own has none"), "{error}");
    assert_eq!(socket.try_receive().unwrap(), None);
}

#[test]
fn what_is_there_is_taken_without_a_wait() {
    let fake = Fake::default();
    let mut one = open(&fake);
    let mut two = Socket::open_on(fake.clone(), Some(&"ng2".parse().unwrap())).unwrap();
    let mut buffer = [0; 8];
    assert_eq!(two.try_receive_data(&mut buffer).unwrap(), None);
    one.request(&Address::here(), &connect("ng2:", "out", "in")).unwrap();
    one.send_data(None, b"hello").unwrap();
    assert_eq!(two.try_receive_data(&mut buffer).unwrap(), Some((5, "in".to_owned())));
}

#[test]
fn a_deadline_in_the_past_takes_what_is_there_and_no_more() {
    let fake = Fake::default();
    let mut socket = open(&fake);
    let now = Instant::now();
    assert_eq!(
        socket.request_before(&Address::here(), &ListNodes, now).unwrap().len(),
        1
    );
    socket.set_timeout(Duration::MAX);
    assert_eq!(socket.request(&Address::here(), &ListNodes).unwrap().len(), 1);
}
