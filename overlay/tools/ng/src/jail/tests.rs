use std::cell::RefCell;
use std::os::unix::net::UnixDatagram;
use std::thread;

use netgraph::{Request, TypeName};

use super::*;

/// An agent in a thread; for each socket that it makes, the other end of a pair is what would be the kernel.
fn agent(kernels: Vec<UnixDatagram>, ends: Vec<UnixDatagram>) -> (InJail, Vec<UnixDatagram>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    thread::spawn(move || {
        let ends = RefCell::new(ends);
        agent::serve(&theirs, |_| {
            let end = ends.borrow_mut().pop().ok_or(Errno::EPERM)?;
            Ok(OwnedFd::from(end).into())
        })
    });
    (InJail(Arc::new(Line::new(ours, None))), kernels)
}

fn pair() -> (InJail, UnixDatagram) {
    let (kernel, end) = UnixDatagram::pair().unwrap();
    let (jail, mut kernels) = agent(vec![kernel], vec![end]);
    (jail, kernels.remove(0))
}

#[test]
fn a_socket_sends_by_the_agent_and_receives_itself() {
    let (jail, kernel) = pair();
    let socket = jail.open(Protocol::Control).unwrap();
    let long = vec![7; 70_000];
    socket
        .send(&long, None)
        .unwrap_or_else(|error| assert_eq!(error, Errno::EMSGSIZE));
    socket.send(b"order", None).unwrap();
    let mut buffer = vec![0; 100_000];
    let mut received = kernel.recv(&mut buffer).unwrap();
    if received == long.len() {
        received = kernel.recv(&mut buffer).unwrap();
    }
    assert_eq!(&buffer[..received], b"order");
    kernel.send(b"answer").unwrap();
    assert!(socket.wait(None).unwrap());
    assert_eq!(rustix::io::read(&socket, &mut buffer).unwrap(), 6);
}

#[test]
fn a_socket_that_is_dropped_is_closed_on_both_sides() {
    let (jail, kernel) = pair();
    drop(jail.open(Protocol::Control).unwrap());
    assert!(kernel.send(b"x").is_err());
    let order = Order::Send {
        socket: 0,
        to: None,
        bytes: Vec::new(),
    };
    assert_eq!(jail.0.ask(&order).unwrap_err(), Errno::EBADF);
}

#[test]
fn what_the_agent_is_refused_is_told() {
    let (jail, _) = agent(Vec::new(), Vec::new());
    assert_eq!(jail.open(Protocol::Data).err(), Some(Errno::EPERM));
}

#[test]
fn an_agent_that_is_gone_is_a_lost_connection() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    let jail = InJail(Arc::new(Line::new(ours, None)));
    assert_eq!(jail.open(Protocol::Control).err(), Some(Errno::EPIPE));
}

#[test]
fn orders_are_read_as_they_were_written() {
    let (here, there) = UnixStream::pair().unwrap();
    let send = |to: Option<&str>, bytes: &[u8]| Order::Send {
        socket: 3,
        to: to.map(str::to_owned),
        bytes: bytes.to_owned(),
    };
    let orders = [
        Order::Open(Protocol::Control),
        Order::Open(Protocol::Data),
        send(None, b""),
        send(Some(""), b"abc"),
        send(Some("a:b.c"), &[0; 5000]),
        Order::Close(7),
    ];
    for order in orders {
        order.write(&here).unwrap();
        assert_eq!(Order::read(&there).unwrap(), Some(order));
    }
    drop(here);
    assert_eq!(Order::read(&there).unwrap(), None);
}

#[test]
fn the_type_that_a_message_asks_for_is_known() {
    let request = MakePeer {
        type_name: "bridge".parse().unwrap(),
        hook: "a".parse().unwrap(),
        peer_hook: "link0".parse().unwrap(),
    };
    let mut message = Message {
        cookie: GENERIC_COOKIE,
        command: MakePeer::COMMAND,
        token: 1,
        flags: 0,
        name: "mkpeer".to_owned(),
        data: request.arguments(),
    };
    let kind = |message: &Message| asked_type(&message.to_bytes()).map(|kind: TypeName| kind.to_string());
    assert_eq!(kind(&message).as_deref(), Some("bridge"));
    message.command += 1;
    assert_eq!(kind(&message), None);
    assert_eq!(asked_type(b"short"), None);
}
