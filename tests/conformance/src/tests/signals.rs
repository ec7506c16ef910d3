//! Signals reach threads and processes that wait.

use std::time::Duration;

use netgraph::Errno;

use crate::Test;
use crate::call::{self, AsSocket};
use crate::message::{FOREIGN, Message};
use crate::node::Pair;
use crate::outcome::{Outcome, refused, same, works};
use crate::system::{Restart, here, meanwhile};

pub const TESTS: &[Test] = &[
    Test::new("b33_a_signal_interrupts_a_blocked_read", interrupts),
    Test::new("b33_a_signal_restarts_a_blocked_read_if_so_asked", restarts),
    Test::new("b33_a_signal_ends_a_process_that_reads", ends),
];

/// How long it takes until another thread surely sleeps.
const A_WHILE: Duration = Duration::from_millis(300);

fn interrupts() -> Outcome {
    let pair = Pair::new()?;
    here().catch_signals(Restart::Never)?;
    for socket in [pair.left.socket(), pair.left_data.socket()] {
        let reader = here().this_thread();
        let signal = || {
            reader.interrupt();
            Ok(())
        };
        meanwhile(A_WHILE, signal, || {
            refused("the read", call::read(&socket, 100), Errno::EINTR)
        })?;
    }
    works("a packet after that", pair.right_data.send("y", b"after"))?;
    same("that packet", call::read(&pair.left_data, 100)?, b"after".to_vec())
}

fn restarts() -> Outcome {
    let pair = Pair::new()?;
    here().catch_signals(Restart::Yes)?;
    let reader = here().this_thread();
    let message = Message::new(FOREIGN, 1, vec![]);
    let signal_and_send = || {
        reader.interrupt();
        std::thread::sleep(A_WHILE);
        pair.right_data.send("y", b"after")?;
        Ok(pair.right.send("y", &message)?)
    };
    meanwhile(A_WHILE, signal_and_send, || {
        same(
            "the packet after the signal",
            call::read(&pair.left_data, 100)?,
            b"after".to_vec(),
        )
    })?;
    same("the message after it", call::read(&pair.left, 100)?, message.bytes())
}

fn ends() -> Outcome {
    let mut reader = here().start(super::READER)?;
    std::thread::sleep(A_WHILE);
    let id = libc::pid_t::try_from(reader.id()).unwrap_or(0);
    crate::freebsd::terminate(id)?;
    let ending = std::os::unix::process::ExitStatusExt::signal(&reader.wait()?);
    same("the signal that ended the reader", ending, Some(libc::SIGTERM))
}

/// Reads from a socket that nobody writes to.
pub fn reader(_: &str) -> Outcome {
    let pair = Pair::new()?;
    Ok(call::read(&pair.left_data, 100).map(drop)?)
}
