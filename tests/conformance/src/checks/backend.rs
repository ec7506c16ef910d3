//! What bhyve(8) does with netgraph, step by step.

use std::os::fd::AsFd;

use crate::Check;
use crate::errno::{Failure, Outcome, holds, refused, same, works};
use crate::node::{Control, Data, fresh_name, receive};
use crate::sys;

pub const CHECKS: &[Check] = &[Check::new("b70_bhyve_s_backend", bhyve)];

/// `ECAPMODE` and `ENOTCAPABLE` come one after the other (sys/errno.h).
const ENOTCAPABLE: i32 = 93;

/// A broadcast frame from a machine, so that a bridge sends it on whatever it has learnt.
fn frame(machine: u8, filling: u8) -> Vec<u8> {
    let mut bytes = vec![0xff; 6];
    bytes.extend([2, 0, 0, 0, 0, machine, 0x88, 0xb5]);
    bytes.resize(1000, filling);
    bytes
}

fn bhyve() -> Outcome {
    // Another machine on the bridge: it makes it, and is its first link.
    let other = Control::new()?;
    other.mkpeer("bridge", "wire", "link0")?;
    let bridge = format!("[{:x}]:", other.info("wire")?.id);
    let other_data = other.data()?;

    let data = backend(&bridge)?;
    holds("a refused getsockopt", sys::option(&data, libc::SO_RCVBUF).is_err())?;
    refused("getsockname without the right", sys::own_name(&data), ENOTCAPABLE)?;

    same("the event before a frame", sys::kqueue_read(data.as_fd())?, None)?;
    refused("readv before a frame", sys::read_parts(&data), libc::EAGAIN)?;
    let (out, back) = (frame(1, 1), frame(2, 2));
    let sent = works("writev", sys::write_parts(&data, [&out[..14], &out[14..]]))?;
    same("what writev sent", sent, out.len())?;
    let (bytes, from) = receive(&other_data)?;
    holds("the frame at the other machine", bytes == out)?;
    same("its hook", from.as_text(), "wire".into())?;

    for round in 0..100 {
        other_data.send("wire", &back)?;
        let event = sys::kqueue_read(data.as_fd())?;
        holds(
            "an event for the frame",
            event.is_some_and(|event| !event.at_end && event.bytes > 0),
        )?;
        let bytes = if round % 2 == 0 {
            sys::read_parts(&data)?
        } else {
            sys::read(&data, 2048)?
        };
        holds("the frame back", bytes == back)?;
    }
    works("write", sys::write(&data, &out))?;
    holds("the second frame", receive(&other_data)?.0 == out)?;
    burst(&data, &other_data)?;
    other.shut_down("wire")?;
    // The hook goes in its own time.
    std::thread::sleep(std::time::Duration::from_millis(200));
    refused("a frame without a bridge", sys::write(&data, &out), libc::EDESTADDRREQ)
}

/// Two named sockets, a hook to the bridge, and nothing but the data socket left.
fn backend(bridge: &str) -> Result<Data, Failure> {
    let control = Control::new()?;
    let name = fresh_name("vm");
    control.bind(&name)?;
    let data = Data::new()?;
    data.connect(&format!("{name}:"))?;
    works("the hook", control.join_hooks(bridge, "vmlink", "link1"))?;
    sys::set_nonblocking(&data)?;
    drop(control);
    for option in [libc::SO_SNDBUF, libc::SO_RCVBUF] {
        let mut size = 4 << 20;
        while sys::set_option(&data, option, size).is_err() {
            size /= 2;
            holds("a buffer of at least 64 KiB", size >= 1 << 16)?;
        }
        same("the size of the buffer", sys::option(&data, option)?, size)?;
    }
    works("the limit of rights", sys::limit_rights(data.as_fd()))?;
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
            sys::read(data, 2048)? == frame(2, number),
        )?;
    }
    Ok(())
}
