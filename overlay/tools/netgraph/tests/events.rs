//! The events of a socket's own node, on a hosted kernel.

#![cfg(not(target_os = "freebsd"))]

mod hosted;

use std::time::{Duration, Instant};

use hosted::Daemon;
use netgraph::hosted::Hosted;
use netgraph::{
    Address, Connect, Errno, Event, EventMask, GetEvents, GetNodeInfo, Message, Name, RemoveHook, Shutdown, Socket,
    SocketCalls, SocketOption,
};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A watched node by the name of `watched`, and another one.
fn pair(daemon: &Daemon) -> (Socket<Hosted>, Socket<Hosted>) {
    let kernel = Hosted::new(daemon.socket());
    let name = "watched".parse().unwrap();
    let watched = Socket::open_on(kernel.clone(), Some(&name)).unwrap();
    (watched, Socket::open_on(kernel, None).unwrap())
}

fn watched() -> Address {
    "watched:".parse().unwrap()
}

fn soon() -> Option<Instant> {
    Some(Instant::now() + PATIENCE)
}

fn connect(other: &mut Socket<Hosted>) {
    let link = Connect {
        peer: watched(),
        hook: "out".parse().unwrap(),
        peer_hook: "in".parse().unwrap(),
    };
    other.request(&Address::here(), &link).unwrap();
}

#[test]
fn other_messages_are_kept_and_requests_go_in_between() {
    let daemon = Daemon::start();
    let (mut socket, mut other) = pair(&daemon);
    let mut events = socket.events(EventMask::HOOK_CONNECTED).unwrap();
    let foreign = Message {
        command: 1,
        flags: 0,
        token: 0,
        cookie: 77,
        name: "foreign".to_owned(),
        data: vec![1, 2, 3],
    };
    other.send(&watched(), foreign).unwrap();
    connect(&mut other);
    let info = events.socket().request(&Address::here(), &GetNodeInfo).unwrap();
    assert_eq!(info.hooks, 1);
    let told = events.next_before(soon()).unwrap().unwrap();
    let Event::HookConnected { hook, peer: Some(peer) } = told.event else {
        panic!("{told:?}");
    };
    assert_eq!((hook.as_str(), peer.hook.as_str()), ("in", "out"));
    assert_eq!(events.try_next().unwrap(), None);
    drop(events);
    assert_eq!(socket.try_receive().unwrap().unwrap().message.name, "foreign");
    assert_eq!(socket.try_receive().unwrap(), None);
}

#[test]
fn what_nobody_reads_any_more_is_not_told() {
    let daemon = Daemon::start();
    let (mut socket, mut other) = pair(&daemon);
    let mut events = socket.events(EventMask::ALL).unwrap();
    assert_eq!(
        events.socket().request(&Address::here(), &GetEvents),
        Ok(EventMask::ALL)
    );
    drop(events);
    connect(&mut other);
    assert_eq!(socket.try_receive().unwrap(), None);
    assert_eq!(socket.request(&Address::here(), &GetEvents), Ok(EventMask::NONE));
}

#[test]
fn lost_events_are_counted_once() {
    let daemon = Daemon::start();
    let (mut socket, mut other) = pair(&daemon);
    let control = socket.control_endpoint();
    control.setsockopt(SocketOption::ReceiveBuffer, 2048).unwrap();
    let mut events = socket.events(EventMask::HOOK_CONNECTED).unwrap();
    let count = 64;
    for _ in 0..count {
        connect(&mut other);
        other
            .request(&Address::here(), &RemoveHook("out".parse().unwrap()))
            .unwrap();
    }
    let (mut seen, mut lost) = (0, 0);
    while seen + lost < count {
        match events.next_before(soon()) {
            Ok(Some(told)) => {
                assert_eq!(told.missing, 0, "{told:?}");
                match told.event {
                    Event::Overflow { missed } => lost += missed,
                    _ => seen += 1,
                }
                assert_eq!(u64::from(told.number), seen + lost, "{told:?}");
            }
            Err(error) if error.errno() == Some(Errno::ENOBUFS) => {}
            other => panic!("{seen} seen, {lost} lost, then {other:?}"),
        }
    }
    assert!(seen > 0 && lost > 0, "{seen} seen, {lost} lost");
}

#[test]
fn what_somebody_else_has_read_is_missing() {
    let daemon = Daemon::start();
    let (mut socket, mut other) = pair(&daemon);
    let mut events = socket.events(EventMask::RENAMED).unwrap();
    for (name, wanted) in [("a", 0), ("b", 1)] {
        let old = if name == "a" { watched() } else { "a:".parse().unwrap() };
        other.request(&old, &Name(name.parse().unwrap())).unwrap();
        if wanted == 1 {
            // The second event is taken past the stream, and another one follows.
            events.socket().receive(soon()).unwrap().unwrap();
            other
                .request(&"b:".parse().unwrap(), &Name("c".parse().unwrap()))
                .unwrap();
        }
        assert_eq!(events.next_before(soon()).unwrap().unwrap().missing, wanted, "{name}");
    }
}

#[test]
fn the_end_of_the_node_ends_the_events() {
    let daemon = Daemon::start();
    let (mut socket, mut other) = pair(&daemon);
    let mut events = socket.events(EventMask::SHUTTING_DOWN).unwrap();
    other.request(&watched(), &Shutdown).unwrap();
    assert_eq!(events.next().unwrap().unwrap().event, Event::ShuttingDown);
    assert_eq!(events.next().unwrap().unwrap_err().errno(), Some(Errno::ENOTCONN));
    assert!(events.next().is_none());
}
