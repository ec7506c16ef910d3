//! The node's end, and the sockets' ends.

use std::time::Duration;

use netgraph::{Errno, Events, Wait};

use crate::Test;
use crate::call::{self, AsSocket};
use crate::message::{FOREIGN, Message};
use crate::node::{Control, GONE, Pair, fresh_name, receive};
use crate::outcome::{Outcome, holds, refused, refused_with, same, works};
use crate::system::{TestSocket, here, meanwhile};

pub const TESTS: &[Test] = &[
    Test::new("b38_data_goes_on_without_the_control_socket", data_alone),
    Test::new("b38_control_goes_on_without_the_data_socket", control_alone),
    Test::new("b51_writes_after_shutdown_are_enotconn", writes),
    Test::new("b51_writes_after_shutdown_by_others_are_enotconn", writes_after_others),
    Test::new("b51_queued_messages_are_read_first_then_enotconn", queued_messages),
    Test::new("b51_queued_packets_are_read_first_then_enotconn", queued_packets),
    Test::new("b51_poll_reports_the_hangup", poll),
    Test::new("b51_kqueue_reports_the_end", kqueue),
    Test::new("b51_shutdown_ends_a_blocked_read", blocked),
    Test::new("b52_the_node_goes_with_its_last_socket", last_socket),
    Test::new("b53_bind_after_shutdown_is_an_error", bind_after),
    Test::new("b53_sendto_after_shutdown_is_an_error", send_after),
    Test::new("b53_connect_after_shutdown_is_an_error", connect_after),
];

fn data_alone() -> Outcome {
    let Pair {
        left,
        left_data,
        right,
        right_data,
    } = Pair::new()?;
    let address = left.address()?;
    drop(left);
    std::thread::sleep(std::time::Duration::from_millis(200));
    same("the node's hooks", right.info(&address)?.hooks, 1)?;
    works("a packet", left_data.send("x", b"out"))?;
    same("that packet", receive(&right_data)?.0, b"out".to_vec())?;
    works("a packet the other way", right_data.send("y", b"in"))?;
    same("that packet", receive(&left_data)?.0, b"in".to_vec())?;
    // Nobody reads messages any more.
    let message = Message::new(FOREIGN, 1, vec![]);
    refused(
        "a message for the closed socket",
        right.send(&address, &message),
        Errno::EINVAL,
    )
}

fn control_alone() -> Outcome {
    let pair = Pair::new()?;
    drop(pair.left_data);
    std::thread::sleep(std::time::Duration::from_millis(200));
    same("the node's hooks", pair.left.info(".")?.hooks, 1)?;
    let again = pair.left.data()?;
    works("a packet from a new data socket", again.send("x", b"again"))?;
    same("that packet", receive(&pair.right_data)?.0, b"again".to_vec())
}

fn writes() -> Outcome {
    let pair = Pair::new()?;
    works("the shutdown", pair.left.shut_down("."))?;
    refused_everywhere(&pair)
}

fn writes_after_others() -> Outcome {
    let pair = Pair::new()?;
    works("the shutdown", pair.right.shut_down(&pair.left.address()?))?;
    refused_everywhere(&pair)
}

fn refused_everywhere(pair: &Pair) -> Outcome {
    for _ in 0..2 {
        refused(
            "a message",
            pair.left.send(".", &Message::new(FOREIGN, 1, vec![])),
            Errno::ENOTCONN,
        )?;
        refused(
            "a message to another node",
            pair.left.shut_down(&pair.right.address()?),
            Errno::ENOTCONN,
        )?;
        refused("a packet", pair.left_data.send("x", b"packet"), Errno::ENOTCONN)?;
        refused(
            "a packet without address",
            pair.left_data.send_plain(b"packet"),
            Errno::ENOTCONN,
        )?;
        refused("write", call::write(&pair.left_data, b"packet"), Errno::ENOTCONN)?;
        refused(
            "writev",
            call::write_parts(&pair.left_data, [b"a", b"b"]),
            Errno::ENOTCONN,
        )?;
    }
    same("the signals SIGPIPE", here().broken_pipes(), 0)?;
    same("the hooks of the other node", pair.right.info(".")?.hooks, 0)
}

/// Reads two datagrams, and then the end in every way.
fn read_to_end(socket: &impl AsSocket) -> Outcome<Vec<Vec<u8>>> {
    let found = vec![receive(socket)?.0, receive(socket)?.0];
    for _ in 0..2 {
        refused(
            "recvfrom at the end",
            call::receive(socket, 100, Wait::Blocking),
            Errno::ENOTCONN,
        )?;
        refused("read at the end", call::read(socket, 100), Errno::ENOTCONN)?;
        refused("readv at the end", call::read_parts(socket), Errno::ENOTCONN)?;
    }
    Ok(found)
}

fn queued_messages() -> Outcome {
    let pair = Pair::new()?;
    let messages = [1, 2].map(|command| Message::new(FOREIGN, command, vec![command as u8; 50]));
    // Asking for the address reads, so that it comes first.
    let address = pair.left.address()?;
    for message in &messages {
        pair.right.send(&address, message)?;
    }
    pair.right.shut_down(&address)?;
    same(
        "what was queued",
        read_to_end(&pair.left)?,
        messages.iter().map(Message::bytes).collect(),
    )
}

fn queued_packets() -> Outcome {
    let pair = Pair::new()?;
    pair.right_data.send("y", b"one")?;
    pair.right_data.send("y", b"two")?;
    pair.left.shut_down(".")?;
    same(
        "what was queued",
        read_to_end(&pair.left_data)?,
        vec![b"one".to_vec(), b"two".to_vec()],
    )
}

fn both(pair: &Pair) -> [(&'static str, &dyn TestSocket); 2] {
    [
        ("the control socket", pair.left.socket()),
        ("the data socket", pair.left_data.socket()),
    ]
}

fn poll() -> Outcome {
    let pair = Pair::new()?;
    for (what, socket) in both(&pair) {
        let before = call::poll(&socket, 100)?;
        same(&format!("poll of {what} before the end"), before, Events::default())?;
    }
    pair.left.shut_down(".")?;
    for (what, socket) in both(&pair) {
        let events = call::poll(&socket, 1000)?;
        same(
            &format!("POLLIN and POLLHUP of {what}"),
            (events.readable, events.hangup),
            (true, true),
        )?;
    }
    Ok(())
}

fn kqueue() -> Outcome {
    let pair = Pair::new()?;
    for (what, socket) in both(&pair) {
        same(
            &format!("the event of {what} before the end"),
            call::read_event(&socket)?,
            None,
        )?;
    }
    pair.right_data.send("y", b"queued")?;
    pair.left.shut_down(".")?;
    for (what, socket) in both(&pair) {
        let at_end = call::read_event(&socket)?.map(|event| event.at_end);
        same(&format!("the end of {what}"), at_end, Some(true))?;
    }
    let queued = call::read_event(&pair.left_data)?.map(|event| event.bytes > 0);
    same("whether something is queued", queued, Some(true))
}

fn blocked() -> Outcome {
    for which in 0..2 {
        let pair = Pair::new()?;
        let address = pair.left.address()?;
        let (what, socket) = both(&pair)[which];
        let shutdown = || works("the shutdown", pair.right.shut_down(&address));
        let read = || refused(&format!("a read of {what}"), call::read(&socket, 100), Errno::ENOTCONN);
        meanwhile(Duration::from_millis(200), shutdown, read)?;
    }
    Ok(())
}

fn last_socket() -> Outcome {
    let watcher = Control::new()?;
    for data_first in [true, false] {
        let Pair {
            left,
            left_data,
            right: _right,
            ..
        } = Pair::new()?;
        let address = left.address()?;
        if data_first {
            drop(left_data);
            same(
                "the type of the node in between",
                watcher.info(&address)?.kind,
                "socket".into(),
            )?;
            drop(left);
        } else {
            drop(left);
            same(
                "the type of the node in between",
                watcher.info(&address)?.kind,
                "socket".into(),
            )?;
            drop(left_data);
        }
        holds("no node after both sockets", watcher.is_gone(&address)?)?;
    }
    Ok(())
}

fn gone<T: std::fmt::Debug>(what: &str, result: Result<T, Errno>) -> Outcome {
    refused_with(what, result, &GONE)
}

fn bind_after() -> Outcome {
    let pair = Pair::new()?;
    pair.left.shut_down(".")?;
    gone("bind", pair.left.bind(&fresh_name("g")))?;
    gone("bind again", pair.left.bind(&fresh_name("g")))?;
    works("the name for another", pair.right.bind(&fresh_name("g")))
}

fn send_after() -> Outcome {
    let pair = Pair::new()?;
    pair.left.shut_down(".")?;
    for path in [".", ".:", "x", "x.y", "nosuchnode:"] {
        gone(path, pair.left.shut_down(path))?;
    }
    gone("mkpeer", pair.left.mkpeer("hole", "h", "h"))?;
    gone("a short message", pair.left.send_bytes(".", b"short"))
}

fn connect_after() -> Outcome {
    let pair = Pair::new()?;
    let (left, right) = (pair.left.address()?, pair.right.address()?);
    let fresh = crate::node::Data::new()?;
    pair.left.shut_down(".")?;
    gone("connect to the node", fresh.connect(&left))?;
    refused(
        "connect of the old data socket to the node",
        pair.left_data.connect(&left),
        Errno::EISCONN,
    )?;
    refused(
        "connect of the old data socket to another",
        pair.left_data.connect(&right),
        Errno::EISCONN,
    )?;
    refused(
        "a packet after that",
        pair.left_data.send_plain(b"packet"),
        Errno::ENOTCONN,
    )?;
    gone(
        "connect of the control socket",
        call::connect(&pair.left, &call::Address::text(&right)),
    )
}
