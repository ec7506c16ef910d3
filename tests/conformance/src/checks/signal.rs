//! Signals reach processes that wait.

use std::os::fd::AsFd;

use libc::{EINTR, SIGTERM, SIGUSR1};

use crate::Check;
use crate::errno::{Outcome, refused, same, works};
use crate::message::{FOREIGN, Message};
use crate::node::Pair;
use crate::process::{self, Child};
use crate::sys;

pub const CHECKS: &[Check] = &[
    Check::new("signal_interrupts_a_blocked_read", interrupts),
    Check::new("signal_restarts_a_blocked_read_if_so_asked", restarts),
    Check::new("signal_ends_a_process_that_reads", ends),
];

fn interrupts() -> Outcome {
    let pair = Pair::new()?;
    process::catch_signal(false)?;
    for socket in [pair.left.as_fd(), pair.left_data.as_fd()] {
        let child = process::later(300, || Ok(process::signal_parent(SIGUSR1)?))?;
        refused("the read", sys::read(&socket, 100), EINTR)?;
        child.wait()?;
    }
    works("a packet after that", pair.right_data.send("y", b"after"))?;
    same("that packet", sys::read(&pair.left_data, 100)?, b"after".to_vec())
}

fn restarts() -> Outcome {
    let pair = Pair::new()?;
    process::catch_signal(true)?;
    let message = Message::new(FOREIGN, 1, vec![]);
    let child = process::later(300, || {
        process::signal_parent(SIGUSR1)?;
        std::thread::sleep(std::time::Duration::from_millis(300));
        pair.right_data.send("y", b"after")?;
        Ok(())
    })?;
    same(
        "the packet after the signal",
        sys::read(&pair.left_data, 100)?,
        b"after".to_vec(),
    )?;
    child.wait()?;
    let child = process::later(300, || {
        process::signal_parent(SIGUSR1)?;
        std::thread::sleep(std::time::Duration::from_millis(300));
        pair.right.send("y", &message)?;
        Ok(())
    })?;
    same(
        "the message after the signal",
        sys::read(&pair.left, 100)?,
        message.bytes(),
    )?;
    child.wait()
}

fn ends() -> Outcome {
    let pair = Pair::new()?;
    for socket in [pair.left.as_fd(), pair.left_data.as_fd()] {
        let child = Child::start(20, || Ok(sys::read(&socket, 100).map(drop)?))?;
        std::thread::sleep(std::time::Duration::from_millis(300));
        child.signal(SIGTERM)?;
        child.wait_for_signal(SIGTERM)?;
    }
    Ok(())
}
