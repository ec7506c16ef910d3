//! What is no whole message is refused before anyone reads it.

use netgraph::{Errno, SocketOption};

use crate::Test;
use crate::call;
use crate::message::{FOREIGN, HEADER, Message};
use crate::node::{Control, Pair, is_quiet, receive};
use crate::outcome::{Outcome, holds, refused, same, works};

pub const TESTS: &[Test] = &[
    Test::new("b13_other_versions_are_einval", versions),
    Test::new("b14_empty_message_is_einval", empty),
    Test::new("b14_short_message_is_einval", short),
    Test::new("b14_arglen_beyond_the_datagram_is_einval", arglen_beyond),
    Test::new("b14_arglen_smaller_than_the_datagram_is_accepted", arglen_smaller),
    Test::new("b18_message_larger_than_the_receive_buffer_is_enobufs", beyond_buffer),
    Test::new("b18_the_reader_is_told_of_a_lost_message", told),
    Test::new("b39_buffers_have_their_default_sizes", sizes),
    Test::new("b39_control_messages_beyond_the_buffer_are_emsgsize", control_size),
    Test::new("b39_packets_beyond_the_buffer_are_emsgsize", data_size),
];

/// `net.graph.maxdgram` and `net.graph.recvspace`, as they come.
const DEFAULT_SIZE: usize = 20 * 1024;

fn versions() -> Outcome {
    let control = Control::new()?;
    for version in [0, 7, 9, 255] {
        let mut message = Message::new(FOREIGN, 1, vec![1, 2, 3]);
        message.version = version;
        refused(
            &format!("version {version}"),
            control.send(".", &message),
            Errno::EINVAL,
        )?;
    }
    holds("nothing to read", is_quiet(&control)?)
}

fn empty() -> Outcome {
    let control = Control::new()?;
    refused("no bytes", control.send_bytes(".", &[]), Errno::EINVAL)
}

fn short() -> Outcome {
    let pair = Pair::new()?;
    let whole = Message::new(FOREIGN, 1, vec![]).bytes();
    for length in [1, 2, 8, 24, 55] {
        let what = format!("{length} bytes");
        refused(&what, pair.left.send_bytes(".", &whole[..length]), Errno::EINVAL)?;
        refused(&what, pair.left.send_bytes("x", &whole[..length]), Errno::EINVAL)?;
    }
    holds("nothing to read", is_quiet(&pair.right)?)?;
    works("56 bytes", pair.left.send_bytes("x", &whole))
}

fn arglen_beyond() -> Outcome {
    let pair = Pair::new()?;
    let message = Message::new(FOREIGN, 1, vec![0; 100]);
    for length in [
        101,
        128,
        4096,
        0x7fff_ffff,
        0x8000_0000,
        u32::MAX - HEADER as u32,
        u32::MAX,
    ] {
        refused(
            &format!("arglen {length}"),
            pair.left.send_bytes("x", &message.claiming(length)),
            Errno::EINVAL,
        )?;
    }
    holds("nothing to read", is_quiet(&pair.right)?)
}

fn arglen_smaller() -> Outcome {
    let pair = Pair::new()?;
    let message = Message::new(FOREIGN, 1, vec![0x5a; 100]);
    for length in [0, 8, 99, 100] {
        let bytes = message.claiming(length);
        works("the message", pair.left.send_bytes("x", &bytes))?;
        let expected = bytes[..HEADER + length as usize].to_vec();
        holds(&format!("56 + {length} bytes"), receive(&pair.right)?.0 == expected)?;
    }
    Ok(())
}

fn beyond_buffer() -> Outcome {
    let pair = Pair::new()?;
    call::set_option(&pair.right, SocketOption::ReceiveBuffer, 4096)?;
    refused(
        "8,000 bytes",
        pair.left.send("x", &Message::new(FOREIGN, 1, vec![1; 8000])),
        Errno::ENOBUFS,
    )?;
    works(
        "1,000 bytes",
        pair.left.send("x", &Message::new(FOREIGN, 1, vec![1; 1000])),
    )?;
    same("the length of what came", receive(&pair.right)?.0.len(), HEADER + 1000)
}

fn told() -> Outcome {
    let pair = Pair::new()?;
    call::set_option(&pair.right, SocketOption::ReceiveBuffer, 4096)?;
    let large = Message::new(FOREIGN, 1, vec![1; 8000]);
    refused("8,000 bytes", pair.left.send("x", &large), Errno::ENOBUFS)?;
    same(
        "SO_ERROR of the reader",
        call::pending_error(&pair.right)?,
        Some(Errno::ENOBUFS),
    )?;
    same("SO_ERROR once it was told", call::pending_error(&pair.right)?, None)
}

fn sizes() -> Outcome {
    let pair = Pair::new()?;
    let expected = i32::try_from(DEFAULT_SIZE).unwrap_or(0);
    for option in [SocketOption::SendBuffer, SocketOption::ReceiveBuffer] {
        same(
            "a buffer of a control socket",
            call::option(&pair.left, option)?,
            expected,
        )?;
        same(
            "a buffer of a data socket",
            call::option(&pair.left_data, option)?,
            expected,
        )?;
    }
    Ok(())
}

fn control_size() -> Outcome {
    let pair = Pair::new()?;
    call::set_option(&pair.right, SocketOption::ReceiveBuffer, 200_000)?;
    let message = |size: usize| Message::new(FOREIGN, 1, vec![3; size - HEADER]);
    works("the largest message", pair.left.send("x", &message(DEFAULT_SIZE)))?;
    same("its length", receive(&pair.right)?.0.len(), DEFAULT_SIZE)?;
    refused(
        "one byte more",
        pair.left.send("x", &message(DEFAULT_SIZE + 1)),
        Errno::EMSGSIZE,
    )?;
    call::set_option(&pair.left, SocketOption::SendBuffer, 60_000)?;
    works(
        "a larger one from a larger buffer",
        pair.left.send("x", &message(60_000)),
    )?;
    same("its length", receive(&pair.right)?.0.len(), 60_000)
}

fn data_size() -> Outcome {
    let pair = Pair::new()?;
    call::set_option(&pair.right_data, SocketOption::ReceiveBuffer, 200_000)?;
    works("the largest packet", pair.left_data.send("x", &[4; DEFAULT_SIZE]))?;
    same("its length", receive(&pair.right_data)?.0.len(), DEFAULT_SIZE)?;
    refused(
        "one byte more",
        pair.left_data.send("x", &[4; DEFAULT_SIZE + 1]),
        Errno::EMSGSIZE,
    )?;
    call::set_option(&pair.left_data, SocketOption::SendBuffer, 60_000)?;
    works(
        "a larger one from a larger buffer",
        pair.left_data.send("x", &[4; 60_000]),
    )?;
    same("its length", receive(&pair.right_data)?.0.len(), 60_000)
}
