//! Packets leave by their hook and arrive with its name.

use netgraph::{Errno, SocketOption, Wait};

use crate::Test;
use crate::call::{self, Address, AsSocket};
use crate::node::{Control, Data, Pair, is_quiet, receive};
use crate::outcome::{Outcome, holds, refused, same, works};

pub const TESTS: &[Test] = &[
    Test::new("b31_sending_to_no_hook_is_ehostunreach", no_hook),
    Test::new("b31_hook_names_of_32_bytes_are_einval", long_hook),
    Test::new("b32_one_hook_needs_no_address_connect_last", connect_last),
    Test::new("b32_one_hook_needs_no_address_connect_first", connect_first),
    Test::new("b32_no_or_many_hooks_need_an_address", many_hooks),
    Test::new("b33_packets_come_one_by_one_with_the_hook_s_name", hook_name),
    Test::new("b35_packets_for_no_data_socket_are_dropped", dropped),
    Test::new("b36_packets_for_a_full_buffer_are_dropped", full),
    Test::new("b36_so_rerror_tells_of_dropped_packets", full_told),
];

fn no_hook() -> Outcome {
    let pair = Pair::new()?;
    for hook in ["nosuchhook", "y", "xx", &"h".repeat(31)] {
        refused(
            &format!("`{hook}`"),
            pair.left_data.send(hook, b"packet"),
            Errno::EHOSTUNREACH,
        )?;
    }
    Ok(())
}

fn long_hook() -> Outcome {
    let pair = Pair::new()?;
    for length in [32, 33, 252] {
        refused(
            &format!("{length} bytes"),
            pair.left_data.send(&"h".repeat(length), b"packet"),
            Errno::EINVAL,
        )?;
    }
    let whole = call::send(&pair.left_data, b"packet", Some(&Address::raw(&[b'h'; 32])));
    refused("32 bytes without a zero", whole, Errno::EINVAL)
}

fn all_ways(data: &Data, peer: &impl AsSocket) -> Outcome {
    works("send", data.send_plain(b"packet"))?;
    works("write", call::write(data, b"packet"))?;
    works("sendto an empty address", data.send("", b"packet"))?;
    for _ in 0..3 {
        same("the packet", receive(peer)?.0, b"packet".to_vec())?;
    }
    Ok(())
}

fn connect_last() -> Outcome {
    let pair = Pair::new()?;
    all_ways(&pair.left_data, &pair.right_data)?;
    all_ways(&pair.right_data, &pair.left_data)
}

fn connect_first() -> Outcome {
    let (left, right) = (Control::new()?, Control::new()?);
    let (left_data, right_data) = (left.data()?, right.data()?);
    left.join_hooks(&right.address()?, "x", "y")?;
    all_ways(&left_data, &right_data)
}

fn many_hooks() -> Outcome {
    let control = Control::new()?;
    let data = control.data()?;
    let refuses = |what: &str| -> Outcome {
        refused(
            &format!("send with {what}"),
            data.send_plain(b"packet"),
            Errno::EDESTADDRREQ,
        )?;
        refused(
            &format!("write with {what}"),
            call::write(&data, b"packet"),
            Errno::EDESTADDRREQ,
        )?;
        refused(
            &format!("an empty address with {what}"),
            data.send("", b"packet"),
            Errno::EDESTADDRREQ,
        )
    };
    refuses("no hook")?;
    control.mkpeer("hole", "a", "a")?;
    works("send with one hook", data.send_plain(b"packet"))?;
    control.mkpeer("hole", "b", "b")?;
    refuses("two hooks")?;
    control.remove_hook("a")?;
    works("send with one hook again", data.send_plain(b"packet"))?;
    control.remove_hook("b")?;
    refuses("no hook again")
}

fn hook_name() -> Outcome {
    let pair = Pair::new()?;
    let long = "l".repeat(31);
    pair.left.join_hooks(&pair.right.address()?, "second", &long)?;
    works("the first packet", pair.left_data.send("x", b"one"))?;
    works("the second", pair.left_data.send("second", b"three"))?;
    works("the third", pair.left_data.send("x", &[9; 2000]))?;
    for (hook, packet) in [("y", &b"one"[..]), (&long, b"three"), ("y", &[9; 2000])] {
        let (bytes, from) = receive(&pair.right_data)?;
        same("its hook", from.as_text(), hook.to_owned())?;
        same("the size of its address", from.size(), 2 + hook.len() + 1)?;
        holds(&format!("{} bytes as they were sent", packet.len()), bytes == packet)?;
    }
    // What does not fit is cut off, and does not turn up in the next read.
    pair.left_data.send("x", b"long packet")?;
    pair.left_data.send("x", b"next")?;
    same(
        "the packet in 4 bytes",
        call::receive(&pair.right_data, 4, Wait::Blocking)?.0,
        b"long".to_vec(),
    )?;
    same("the packet after it", receive(&pair.right_data)?.0, b"next".to_vec())
}

fn dropped() -> Outcome {
    let pair = Pair::new()?;
    drop(pair.right_data);
    for _ in 0..100 {
        works("a packet that nobody reads", pair.left_data.send("x", &[0; 1000]))?;
    }
    let data = pair.right.data()?;
    holds("nothing to read for a new data socket", is_quiet(&data)?)?;
    works("a packet", pair.left_data.send("x", b"now"))?;
    same("that packet", receive(&data)?.0, b"now".to_vec())
}

/// Sends more than a receive buffer of the default size holds.
fn overfill(pair: &Pair) -> Outcome {
    for number in 0..200u8 {
        match pair.left_data.send("x", &[number; 1000]) {
            Err(errno) if errno != Errno::ENOBUFS => return Err(errno.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Reads what there is; how many packets, and the error at the end.
fn drain(pair: &Pair) -> Outcome<(u8, Errno)> {
    let mut count = 0;
    loop {
        match call::receive(&pair.right_data, 2000, Wait::Never) {
            Ok((bytes, _)) => holds("the packets in order, whole", bytes == [count; 1000])?,
            Err(errno) => return Ok((count, errno)),
        }
        count += 1;
    }
}

fn full() -> Outcome {
    let pair = Pair::new()?;
    overfill(&pair)?;
    let (count, error) = drain(&pair)?;
    holds("some packets, but not all", (5..100).contains(&count))?;
    same("the error at the end", error, Errno::EAGAIN)?;
    works("a packet once there is room", pair.left_data.send("x", b"room"))?;
    same("that packet", receive(&pair.right_data)?.0, b"room".to_vec())
}

fn full_told() -> Outcome {
    let pair = Pair::new()?;
    call::set_option(&pair.right_data, SocketOption::ReceiveErrors, 1)?;
    overfill(&pair)?;
    let (_, error) = drain(&pair)?;
    same("the error at the end", error, Errno::ENOBUFS)?;
    let (_, error) = drain(&pair)?;
    same("the error after it was told", error, Errno::EAGAIN)
}
