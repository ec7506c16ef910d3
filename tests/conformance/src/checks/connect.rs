//! A data socket joins a node.

use libc::{EADDRINUSE, EINVAL, EISCONN, ENOENT, ENOTCONN};

use crate::Check;
use crate::errno::{Outcome, refused, refused_with, same, works};
use crate::node::{Control, Data, Pair, fresh_name, receive};
use crate::sys::{self, Address};

pub const CHECKS: &[Check] = &[
    Check::new("b30_connect_by_name_and_by_id", by_name_and_id),
    Check::new("b30_connect_to_a_relative_address_is_einval", relative),
    Check::new("b30_connect_to_an_empty_address_is_einval", empty),
    Check::new("b30_connect_reads_no_more_than_the_address", unterminated),
    Check::new("b30_connect_to_another_type_is_einval", other_type),
    Check::new("b30_connect_twice_is_eisconn", twice),
    Check::new("b30_connect_to_a_node_with_data_socket_is_eaddrinuse", taken),
    Check::new("b30_connect_to_nothing_is_enoent", nothing),
    Check::new("b34_sending_before_connect_is_enotconn", before),
];

fn by_name_and_id() -> Outcome {
    let control = Control::new()?;
    let name = fresh_name("c");
    control.bind(&name)?;
    let data = Data::new()?;
    works("connect by name", data.connect(&format!("{name}:")))?;
    drop(data);
    works("connect by ID", Data::new()?.connect(&control.address()?))
}

/// The sockets still work after what was refused.
fn still_works(data: &Data) -> Outcome {
    let pair = Pair::new()?;
    drop(pair.left_data);
    works("connect after that", data.connect(&pair.left.address()?))?;
    works("a packet after that", data.send("x", b"after"))?;
    same("that packet", receive(&pair.right_data)?.0, b"after".to_vec())
}

fn relative() -> Outcome {
    let pair = Pair::new()?;
    let data = Data::new()?;
    for text in [".", ".:", ".:x", "x", "x.y", "hook"] {
        refused(&format!("`{text}`"), data.connect(text), EINVAL)?;
    }
    drop(pair);
    still_works(&data)
}

fn empty() -> Outcome {
    let data = Data::new()?;
    refused("an empty text", data.connect(""), EINVAL)?;
    refused("no text at all", sys::connect(&data, &Address::raw(&[])), EINVAL)?;
    refused("many zeros", sys::connect(&data, &Address::raw(&[0; 250])), EINVAL)?;
    // A colon without a node before it is a relative path as well.
    refused_with("a colon", data.connect(":"), &[EINVAL, ENOENT])?;
    still_works(&data)
}

fn unterminated() -> Outcome {
    let control = Control::new()?;
    let name = fresh_name("u");
    control.bind(&name)?;
    for _ in 0..50 {
        // Without the colon nothing but what lies behind the address could make it a node's.
        let data = Data::new()?;
        refused(
            "a name that ends early",
            sys::connect(&data, &Address::raw(name.as_bytes())),
            EINVAL,
        )?;
        // With it, the address is whole but for its zero: either answer is right, if it is always the same.
        let whole = Address::raw(format!("{name}:").as_bytes());
        match sys::connect(&data, &whole) {
            Ok(()) => same("the socket's name", sys::own_name(&data)?.as_text(), name.clone())?,
            other => refused("a name without its zero", other, EINVAL)?,
        }
    }
    refused_with(
        "253 bytes",
        sys::connect(&Data::new()?, &Address::raw(&[b'a'; 253])),
        &[EINVAL, ENOENT],
    )
}

fn other_type() -> Outcome {
    let control = Control::new()?;
    control.mkpeer("hub", "h", "h")?;
    let hub = control.info("h")?.id;
    refused("a hub", Data::new()?.connect(&format!("[{hub:x}]:")), EINVAL)
}

fn twice() -> Outcome {
    let pair = Pair::new()?;
    let other = Control::new()?;
    for address in [pair.left.address()?, other.address()?] {
        refused(&address, pair.left_data.connect(&address), EISCONN)?;
    }
    works("a packet after that", pair.left_data.send("x", b"after"))?;
    works(
        "a packet without address after that",
        pair.left_data.send_plain(b"after"),
    )
}

fn taken() -> Outcome {
    let pair = Pair::new()?;
    let second = Data::new()?;
    refused(
        "the second data socket",
        second.connect(&pair.left.address()?),
        EADDRINUSE,
    )?;
    drop(pair.left_data);
    works(
        "the second once the first is closed",
        second.connect(&pair.left.address()?),
    )?;
    works("a packet from it", second.send("x", b"second"))
}

fn nothing() -> Outcome {
    let data = Data::new()?;
    refused("a name", data.connect("nosuchnode:"), ENOENT)?;
    refused("an ID", data.connect("[fffffff0]:"), ENOENT)?;
    still_works(&data)
}

fn before() -> Outcome {
    let data = Data::new()?;
    refused("sendto", data.send("hook", b"packet"), ENOTCONN)?;
    refused("send", data.send_plain(b"packet"), ENOTCONN)?;
    refused("write", sys::write(&data, b"packet"), ENOTCONN)
}
