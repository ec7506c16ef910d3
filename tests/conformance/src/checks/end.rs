//! The node's end, and the sockets' ends.

use std::os::fd::AsFd;

use libc::{EINVAL, ENOENT, ENOTCONN, POLLHUP, POLLIN};

use crate::Check;
use crate::errno::{Errno, Failure, Outcome, holds, refused, refused_with, same, works};
use crate::message::{FOREIGN, Message};
use crate::node::{Control, Pair, fresh_name, receive};
use crate::process;
use crate::sys::{self, Readiness};

pub const CHECKS: &[Check] = &[
    Check::new("b38_data_goes_on_without_the_control_socket", data_alone),
    Check::new("b38_control_goes_on_without_the_data_socket", control_alone),
    Check::new("b51_writes_after_shutdown_are_enotconn", writes),
    Check::new("b51_writes_after_shutdown_by_others_are_enotconn", writes_after_others),
    Check::new("b51_queued_messages_are_read_first_then_enotconn", queued_messages),
    Check::new("b51_queued_packets_are_read_first_then_enotconn", queued_packets),
    Check::new("b51_poll_reports_the_hangup", poll),
    Check::new("b51_kqueue_reports_the_end", kqueue),
    Check::new("b51_shutdown_ends_a_blocked_read", blocked),
    Check::new("b52_the_node_goes_with_its_last_socket", last_socket),
    Check::new("b53_bind_after_shutdown_is_an_error", bind_after),
    Check::new("b53_sendto_after_shutdown_is_an_error", send_after),
    Check::new("b53_connect_after_shutdown_is_an_error", connect_after),
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
        EINVAL,
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

/// The child's SIGPIPE has its default effect, so that one would end the check.
fn refused_everywhere(pair: &Pair) -> Outcome {
    for _ in 0..2 {
        refused(
            "a message",
            pair.left.send(".", &Message::new(FOREIGN, 1, vec![])),
            ENOTCONN,
        )?;
        refused(
            "a message to another node",
            pair.left.shut_down(&pair.right.address()?),
            ENOTCONN,
        )?;
        refused("a packet", pair.left_data.send("x", b"packet"), ENOTCONN)?;
        refused(
            "a packet without address",
            pair.left_data.send_plain(b"packet"),
            ENOTCONN,
        )?;
        refused("write", sys::write(&pair.left_data, b"packet"), ENOTCONN)?;
        refused("writev", sys::write_parts(&pair.left_data, [b"a", b"b"]), ENOTCONN)?;
    }
    same("the hooks of the other node", pair.right.info(".")?.hooks, 0)
}

/// Reads two datagrams, and then the end in every way.
fn read_to_end(socket: &impl AsFd) -> Result<Vec<Vec<u8>>, Failure> {
    let found = vec![receive(socket)?.0, receive(socket)?.0];
    for _ in 0..2 {
        refused("recvfrom at the end", sys::receive(socket, 100, 0), ENOTCONN)?;
        refused("read at the end", sys::read(socket, 100), ENOTCONN)?;
        refused("readv at the end", sys::read_parts(socket), ENOTCONN)?;
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

fn both(pair: &Pair) -> [(&'static str, std::os::fd::BorrowedFd<'_>); 2] {
    [
        ("the control socket", pair.left.as_fd()),
        ("the data socket", pair.left_data.as_fd()),
    ]
}

fn poll() -> Outcome {
    let pair = Pair::new()?;
    for (what, socket) in both(&pair) {
        same(&format!("poll of {what} before the end"), sys::poll(&socket, 100)?, 0)?;
    }
    pair.left.shut_down(".")?;
    for (what, socket) in both(&pair) {
        let events = i32::from(POLLHUP | POLLIN);
        same(&format!("poll of {what}"), sys::poll(&socket, 1000)? & events, events)?;
    }
    Ok(())
}

fn kqueue() -> Outcome {
    let pair = Pair::new()?;
    for (what, socket) in both(&pair) {
        same(
            &format!("the event of {what} before the end"),
            sys::kqueue_read(socket)?,
            None,
        )?;
    }
    pair.right_data.send("y", b"queued")?;
    pair.left.shut_down(".")?;
    for (what, socket) in both(&pair) {
        let at_end = sys::kqueue_read(socket)?.map(|event| event.at_end);
        same(&format!("the end of {what}"), at_end, Some(true))?;
    }
    let bytes = sys::kqueue_read(pair.left_data.as_fd())?.map(|Readiness { bytes, .. }| bytes > 0);
    same("whether something is queued", bytes, Some(true))
}

fn blocked() -> Outcome {
    let pair = Pair::new()?;
    let (left, address) = (pair.left.as_fd(), pair.left.address()?);
    for socket in [left, pair.left_data.as_fd()] {
        let (helper, path) = (Control::new()?, address.clone());
        let child = process::later(300, move || match helper.shut_down(&path) {
            // The second time it is gone already.
            Err(errno) if errno.code != ENOENT => Err(errno.into()),
            _ => Ok(()),
        })?;
        refused("the blocked read", sys::read(&socket, 100), ENOTCONN)?;
        child.wait()?;
    }
    let pair = Pair::new()?;
    let (helper, path) = (Control::new()?, pair.left.address()?);
    let child = process::later(300, move || Ok(helper.shut_down(&path)?))?;
    refused("the blocked read of packets", sys::read(&pair.left_data, 100), ENOTCONN)?;
    child.wait()
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

/// The errors that say that the node is gone.
const GONE: [i32; 3] = [ENOTCONN, EINVAL, ENOENT];

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
        libc::EISCONN,
    )?;
    refused(
        "connect of the old data socket to another",
        pair.left_data.connect(&right),
        libc::EISCONN,
    )?;
    refused("a packet after that", pair.left_data.send_plain(b"packet"), ENOTCONN)?;
    gone(
        "connect of the control socket",
        sys::connect(&pair.left, &sys::Address::text(&right)),
    )
}
