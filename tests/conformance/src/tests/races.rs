//! Calls at the same time, on the same nodes, in threads.
//!
//! What a call answers is left to chance unless a test says otherwise; that the kernel answers, and that nothing stays
//! behind, is not. What order must be right in every schedule is for the model checker; here real threads run.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use netgraph::{Direction, Errno, Wait};

use crate::Test;
use crate::call::{self, AsSocket};
use crate::message::{FOREIGN, Message};
use crate::node::{Control, Data, Pair};
use crate::outcome::{Outcome, holds, same, works};
use crate::system::here;

use super::storm::ignore;

pub const TESTS: &[Test] = &[
    Test::new("d04_connecting_to_nodes_that_come_and_go", come_and_go),
    Test::new("d05_of_two_connects_at_once_one_wins", two_connects),
    Test::new("d06_connecting_while_the_node_is_shut_down", connect_and_shutdown),
    Test::new("d07_closing_a_data_socket_under_traffic", close_under_traffic),
    Test::new("d08_closing_a_control_socket_under_messages", close_under_messages),
    Test::new("d13_sending_while_the_node_is_shut_down", send_and_shutdown),
    Test::new("d14_sending_while_hooks_come_and_go", send_and_hooks),
    Test::new("d23_o_nonblock_survives_hooks_that_come_and_go", nonblocking_and_hooks),
];

/// For how many milliseconds each race is run.
const TIME: u32 = 1500;
/// How often a race is run that is over at once.
const TIMES: u32 = 300;

/// Does one thing in another thread again and again while this one does the other, for a while.
fn race(other: impl Fn() -> Outcome + Sync, mut work: impl FnMut() -> Outcome) -> Outcome {
    let end = Instant::now() + Duration::from_millis(here().share_of(TIME).into());
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            while Instant::now() < end {
                other()?;
            }
            Ok(())
        });
        while Instant::now() < end {
            work()?;
        }
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Does two things at the same time, once, and gives both answers.
fn at_once<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            start.wait();
            one()
        });
        start.wait();
        let second = other();
        (
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            second,
        )
    })
}

fn come_and_go() -> Outcome {
    let last = std::sync::atomic::AtomicU32::new(0);
    let make = || {
        let control = Control::new()?;
        last.store(control.info(".")?.id, std::sync::atomic::Ordering::Relaxed);
        ignore(control.shut_down("."));
        Ok(())
    };
    race(make, || {
        // The next IDs are the ones that are being made.
        let known = last.load(std::sync::atomic::Ordering::Relaxed);
        for id in known..known + 3 {
            ignore(Data::new()?.connect(&format!("[{id:x}]:")));
        }
        Ok(())
    })
}

fn two_connects() -> Outcome {
    for _ in 0..here().share_of(TIMES) {
        let control = Control::new()?;
        let address = control.address()?;
        let (first, second) = (Data::new()?, Data::new()?);
        let (one, other) = at_once(|| first.connect(&address), || second.connect(&address));
        let answers = [one, other];
        holds(
            "one connect that works",
            answers.iter().filter(|answer| answer.is_ok()).count() == 1,
        )?;
        holds("EADDRINUSE for the other", answers.contains(&Err(Errno::EADDRINUSE)))?;
    }
    Ok(())
}

fn connect_and_shutdown() -> Outcome {
    for _ in 0..here().share_of(TIMES) {
        let control = Control::new()?;
        let address = control.address()?;
        let data = Data::new()?;
        let (shutdown, connect) = at_once(|| control.shut_down("."), || data.connect(&address));
        works("the shutdown", shutdown)?;
        let answers = [Ok(()), Err(Errno::ENOENT), Err(Errno::EINVAL), Err(Errno::ENOTCONN)];
        holds("an answer that says how it went", answers.contains(&connect))?;
        holds("no packet out of it", data.send_plain(b"packet").is_err())?;
    }
    Ok(())
}

fn close_under_traffic() -> Outcome {
    let pair = Pair::new()?;
    let address = pair.right.address()?;
    let mut reader = None;
    let send = || is_sent(pair.left_data.send("x", &[7; 1000]));
    race(send, || {
        drop(reader.take());
        let data = Data::new()?;
        ignore(data.connect(&address));
        ignore(call::receive(&data, 2000, Wait::Never));
        reader = Some(data);
        Ok(())
    })
}

/// A packet is sent, or there is no room for it at the other end.
fn is_sent(answer: Result<(), Errno>) -> Outcome {
    holds(
        "success or ENOBUFS for a packet",
        matches!(answer, Ok(()) | Err(Errno::ENOBUFS)),
    )
}

fn close_under_messages() -> Outcome {
    let sender = Control::new()?;
    let receiver = std::sync::Mutex::new(Control::new()?);
    let message = Message::new(FOREIGN, 1, vec![1; 300]);
    let address = std::sync::Mutex::new(lock(&receiver).address()?);
    let send = || {
        let address = lock(&address).clone();
        ignore(sender.send(&address, &message));
        Ok(())
    };
    race(send, || {
        let fresh = Control::new()?;
        *lock(&address) = fresh.address()?;
        drop(std::mem::replace(&mut *lock(&receiver), fresh));
        Ok(())
    })
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn send_and_shutdown() -> Outcome {
    for _ in 0..here().share_of(TIMES) {
        let pair = Pair::new()?;
        let packets = || {
            (0..20)
                .map(|_| pair.left_data.send_plain(&[1; 1000]))
                .collect::<Vec<_>>()
        };
        let (sent, shutdown) = at_once(packets, || pair.left.shut_down("."));
        works("the shutdown", shutdown)?;
        // Netgraph itself answers ENETDOWN or EIO for a hook whose node goes away.
        let late = [
            Errno::ENOTCONN,
            Errno::EDESTADDRREQ,
            Errno::ENETDOWN,
            Errno::EIO,
            Errno::ENOBUFS,
        ];
        let strange = { sent.into_iter().filter_map(Result::err) }.find(|errno| !late.contains(errno));
        same("an answer to a packet at the end", strange, None)?;
        same(
            "a packet after it",
            pair.left_data.send_plain(b"packet"),
            Err(Errno::ENOTCONN),
        )?;
    }
    Ok(())
}

fn send_and_hooks() -> Outcome {
    let pair = Pair::new()?;
    let send = || {
        ignore(pair.left_data.send_plain(b"packet"));
        ignore(pair.left_data.send("h7", b"packet"));
        // The hook that is always there is always found.
        is_sent(pair.left_data.send("x", b"packet"))
    };
    race(send, || {
        // More and more hooks, so that the table of hooks grows as well.
        for number in 0..40 {
            ignore(pair.left.mkpeer("hole", &format!("h{number}"), "h"));
        }
        for number in 0..40 {
            ignore(pair.left.remove_hook(&format!("h{number}")));
        }
        Ok(())
    })
}

fn nonblocking_and_hooks() -> Outcome {
    let pair = Pair::new()?;
    let hooks = || {
        ignore(pair.left.mkpeer("hole", "h", "h"));
        ignore(pair.left.remove_hook("h"));
        Ok(())
    };
    // A lost update would have the read wait for ever.
    pair.left_data
        .socket()
        .set_timeout(Direction::Receive, Duration::from_secs(5))?;
    race(hooks, || {
        pair.left_data.socket().set_wait(Wait::Blocking)?;
        call::set_nonblocking(&pair.left_data)?;
        let start = Instant::now();
        same(
            "a read of nothing",
            call::read(&pair.left_data, 100),
            Err(Errno::EAGAIN),
        )?;
        holds("an answer at once", start.elapsed() < Duration::from_secs(2))
    })
}
