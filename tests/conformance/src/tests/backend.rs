//! What bhyve(8) does with netgraph, step by step.

use netgraph::{Errno, SocketOption};

use crate::Test;
use crate::call::{self, AsSocket};
use crate::node::{Control, Data, fresh_name, receive};
use crate::outcome::{Outcome, holds, refused, same, works};

pub const TESTS: &[Test] = &[
    Test::new("b70_bhyve_s_backend", bhyve),
    Test::new("b70_bhyve_s_backend_with_limited_rights", bhyve_limited),
];

/// `ENOTCAPABLE` (sys/errno.h)
const ENOTCAPABLE: Errno = Errno(93);

/// A broadcast frame from a machine, so that a bridge sends it on whatever it has learnt.
fn frame(machine: u8, filling: u8) -> Vec<u8> {
    let mut bytes = vec![0xff; 6];
    bytes.extend([2, 0, 0, 0, 0, machine, 0x88, 0xb5]);
    bytes.resize(1000, filling);
    bytes
}

fn bhyve() -> Outcome {
    scenario(|_| Ok(()))
}

fn bhyve_limited() -> Outcome {
    scenario(|data| {
        data.socket().limit_rights()?;
        let option = call::option(data, SocketOption::ReceiveBuffer);
        refused("getsockopt without the right", option, ENOTCAPABLE)?;
        refused("getsockname without the right", call::own_name(data), ENOTCAPABLE)
    })
}

fn scenario(limit: impl Fn(&Data) -> Outcome) -> Outcome {
    // Another machine on the bridge: it makes it, and is its first link.
    let other = Control::new()?;
    other.mkpeer("bridge", "wire", "link0")?;
    let bridge = format!("[{:x}]:", other.info("wire")?.id);
    let other_data = other.data()?;

    let data = backend(&bridge)?;
    limit(&data)?;

    same("the event before a frame", call::read_event(&data)?, None)?;
    refused("readv before a frame", call::read_parts(&data), Errno::EAGAIN)?;
    let (out, back) = (frame(1, 1), frame(2, 2));
    let sent = works("writev", call::write_parts(&data, [&out[..14], &out[14..]]))?;
    same("what writev sent", sent, out.len())?;
    let (bytes, from) = receive(&other_data)?;
    holds("the frame at the other machine", bytes == out)?;
    same("its hook", from.as_text(), "wire".into())?;

    for round in 0..100 {
        other_data.send("wire", &back)?;
        let event = call::read_event(&data)?;
        holds(
            "an event for the frame",
            event.is_some_and(|event| !event.at_end && event.bytes > 0),
        )?;
        let bytes = if round % 2 == 0 {
            call::read_parts(&data)?
        } else {
            call::read(&data, 2048)?
        };
        holds("the frame back", bytes == back)?;
    }
    works("write", call::write(&data, &out))?;
    holds("the second frame", receive(&other_data)?.0 == out)?;
    burst(&data, &other_data)?;
    other.shut_down("wire")?;
    // The hook goes in its own time.
    std::thread::sleep(std::time::Duration::from_millis(200));
    refused(
        "a frame without a bridge",
        call::write(&data, &out),
        Errno::EDESTADDRREQ,
    )
}

/// Two named sockets, a hook to the bridge, and nothing but the data socket left.
fn backend(bridge: &str) -> Outcome<Data> {
    let control = Control::new()?;
    let name = fresh_name("vm");
    control.bind(&name)?;
    let data = Data::new()?;
    data.connect(&format!("{name}:"))?;
    works("the hook", control.join_hooks(bridge, "vmlink", "link1"))?;
    call::set_nonblocking(&data)?;
    drop(control);
    for option in [SocketOption::SendBuffer, SocketOption::ReceiveBuffer] {
        let mut size = 4 << 20;
        while call::set_option(&data, option, size).is_err() {
            size /= 2;
            holds("a buffer of at least 64 KiB", size >= 1 << 16)?;
        }
        same("the size of the buffer", call::option(&data, option)?, size)?;
    }
    Ok(data)
}

/// More frames at once than a buffer of the default size holds.
fn burst(data: &Data, other: &Data) -> Outcome {
    for number in 0..60 {
        other.send("wire", &frame(2, number))?;
    }
    for number in 0..60 {
        holds(
            "every frame of a burst, in order",
            call::read(data, 2048)? == frame(2, number),
        )?;
    }
    Ok(())
}
