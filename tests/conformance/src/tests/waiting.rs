//! A control message is waited for, and no longer than it should be.
//!
//! What keeps a message from being applied is a node that is busy, which only a laboratory can bring about.

use std::time::{Duration, Instant};

use netgraph::Errno;

use crate::Test;
use crate::call::{self, Address};
use crate::message::{FOREIGN, GENERIC, Message};
use crate::node::{Control, Pair, receive};
use crate::outcome::{Outcome, holds, refused, same, works};
use crate::system::{Laboratory, Restart, here, meanwhile};

pub const TESTS: &[Test] = &[
    Test::new("b15_the_call_returns_when_the_message_is_applied", applied),
    Test::new("b15_a_signal_interrupts_the_wait", interrupted),
    Test::new("b15_so_sndtimeo_ends_the_wait", timed_out),
    Test::new(
        "b15_a_queued_message_of_a_nonblocking_socket_is_einprogress",
        in_progress,
    ),
    Test::new("b15_its_error_comes_as_so_error", so_error),
    Test::new("b15_msg_dontwait_does_not_wait", at_once),
    Test::new("d15_other_senders_of_the_socket_do_not_wait", other_senders),
    Test::new("d15_a_waiting_sender_can_be_interrupted", interrupted),
    Test::new("d16_erestart_of_a_node_ends_the_wait", restart),
    Test::new("d17_an_answer_after_the_interrupted_wait_harms_nobody", late_answer),
];

const A_WHILE: Duration = Duration::from_millis(300);

/// Two sockets, and the ID of the right one's node, which can be held.
fn pair() -> Outcome<(Pair, u32)> {
    let pair = Pair::new()?;
    let id = pair.right.info(".")?.id;
    Ok((pair, id))
}

fn message() -> Message {
    Message::new(FOREIGN, 1, vec![5; 100])
}

/// Holds the right node; whatever is sent to it meanwhile is queued.
fn hold(id: u32) -> Outcome<Box<dyn Send>> {
    laboratory()?.hold(id)
}

fn laboratory() -> Outcome<&'static dyn Laboratory> {
    here().laboratory()
}

fn applied() -> Outcome {
    let (pair, id) = pair()?;
    let held = hold(id)?;
    let start = Instant::now();
    meanwhile(A_WHILE, release(held), || {
        works("the message", pair.left.send("x", &message()))
    })?;
    holds(
        "a return after the node was released, not before",
        start.elapsed() >= A_WHILE,
    )?;
    same("the message", receive(&pair.right)?.0, message().bytes())
}

/// Has a message wait for the node `id`, which is busy, until a signal comes after `time`; then the node is released.
fn send_interrupted(pair: &Pair, id: u32, time: Duration) -> Outcome {
    let held = hold(id)?;
    let sender = here().this_thread();
    let signal = || -> Outcome {
        sender.interrupt();
        Ok(())
    };
    let send = || refused("the message", pair.left.send("x", &message()), Errno::EINTR);
    meanwhile(time, signal, send)?;
    drop(held);
    Ok(())
}

fn interrupted() -> Outcome {
    let (pair, id) = pair()?;
    here().catch_signals(Restart::Never)?;
    send_interrupted(&pair, id, A_WHILE)?;
    // It may still be applied, and is, since it was queued.
    same("the message, after all", receive(&pair.right)?.0, message().bytes())
}

fn timed_out() -> Outcome {
    let (pair, id) = pair()?;
    let held = hold(id)?;
    call::limit_sends(&pair.left, A_WHILE)?;
    let start = Instant::now();
    refused("the message", pair.left.send("x", &message()), Errno::EAGAIN)?;
    holds("a wait as long as was allowed", start.elapsed() >= A_WHILE)?;
    drop(held);
    works("a message after that", pair.left.send("x", &message()))
}

fn in_progress() -> Outcome {
    let (pair, id) = pair()?;
    call::set_nonblocking(&pair.left)?;
    let held = hold(id)?;
    refused("the message", pair.left.send("x", &message()), Errno::EINPROGRESS)?;
    drop(held);
    same("the message", receive(&pair.right)?.0, message().bytes())?;
    same("the error kept", call::pending_error(&pair.left)?, None)?;
    // Who has applied the message is at the node for a moment more.
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end && pair.left.send("x", &message()) == Err(Errno::EINPROGRESS) {
        receive(&pair.right)?;
    }
    works("a message that need not be queued", pair.left.send("x", &message()))
}

fn so_error() -> Outcome {
    let (pair, id) = pair()?;
    call::set_nonblocking(&pair.left)?;
    let held = hold(id)?;
    let unknown = Message::new(GENERIC, 0x7fff, vec![]);
    refused("the message", pair.left.send("x", &unknown), Errno::EINPROGRESS)?;
    drop(held);
    let end = Instant::now() + Duration::from_secs(3);
    let mut error = None;
    while error.is_none() && Instant::now() < end {
        error = call::pending_error(&pair.left)?;
        std::thread::sleep(Duration::from_millis(10));
    }
    same("SO_ERROR", error, Some(Errno::EINVAL))?;
    same("SO_ERROR once it was told", call::pending_error(&pair.left)?, None)
}

/// Releases a held node.
fn release(held: Box<dyn Send>) -> impl FnOnce() -> Outcome + Send {
    || {
        drop(held);
        Ok(())
    }
}

fn at_once() -> Outcome {
    let (pair, id) = pair()?;
    let (sent, expected) = (message(), Err(Errno::EINPROGRESS));
    let send = || {
        let answer = call::send_at_once(&pair.left, &sent.bytes(), &Address::text("x"));
        same("a message with MSG_DONTWAIT", answer, expected)
    };
    meanwhile(A_WHILE, release(hold(id)?), send)?;
    same("the message", receive(&pair.right)?.0, sent.bytes())
}

fn other_senders() -> Outcome {
    let (pair, id) = pair()?;
    let held = hold(id)?;
    let first = || works("the first message", pair.left.send("x", &message()));
    let second = || {
        std::thread::sleep(A_WHILE);
        let start = Instant::now();
        refused(
            "a message to no node",
            pair.left.shut_down("nosuchnode:"),
            Errno::ENOENT,
        )?;
        holds("an answer while the first sender waits", start.elapsed() < A_WHILE)
    };
    // The node is released long after the second message has been sent.
    std::thread::scope(|scope| {
        let threads = [scope.spawn(first), scope.spawn(second)];
        std::thread::sleep(4 * A_WHILE);
        drop(held);
        let mut ends = threads.into_iter().map(|thread| thread.join());
        ends.try_for_each(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn restart() -> Outcome {
    let control = Control::new()?;
    laboratory()?;
    control.mkpeer("capture", "h", "h")?;
    let id = control.info("h")?.id;
    laboratory()?.answer(id, -1)?;
    let start = Instant::now();
    refused(
        "a message that the node answers with ERESTART",
        control.send("h", &message()),
        Errno::EINTR,
    )?;
    holds("an answer at once", start.elapsed() < Duration::from_secs(5))
}

fn late_answer() -> Outcome {
    let (pair, id) = pair()?;
    here().catch_signals(Restart::Never)?;
    for _ in 0..20 {
        send_interrupted(&pair, id, Duration::from_millis(20))?;
        same("the message", receive(&pair.right)?.0, message().bytes())?;
    }
    // The sender may even be gone when its message is applied.
    let Pair { left, right, .. } = pair;
    let held = hold(id)?;
    call::set_nonblocking(&left)?;
    refused("the last message", left.send("x", &message()), Errno::EINPROGRESS)?;
    drop(left);
    drop(held);
    same("the last message", receive(&right)?.0, message().bytes())
}
