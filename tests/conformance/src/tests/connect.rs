//! A data socket joins a node.

use netgraph::Errno;

use crate::Test;
use crate::call::{self, Address};
use crate::node::{Control, Data, Pair, fresh_name, receive};
use crate::outcome::{Outcome, refused, refused_with, same, works};

pub const TESTS: &[Test] = &[
    Test::new("b30_connect_by_name_and_by_id", by_name_and_id),
    Test::new("b30_connect_to_a_relative_address_is_einval", relative),
    Test::new("b30_connect_to_an_empty_address_is_einval", empty),
    Test::new("b30_connect_reads_no_more_than_the_address", unterminated),
    Test::new("b30_connect_to_another_type_is_einval", other_type),
    Test::new("b30_connect_twice_is_eisconn", twice),
    Test::new("b30_connect_to_a_node_with_data_socket_is_eaddrinuse", taken),
    Test::new("b30_connect_to_nothing_is_enoent", nothing),
    Test::new("b34_sending_before_connect_is_enotconn", before),
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
        refused(&format!("`{text}`"), data.connect(text), Errno::EINVAL)?;
    }
    drop(pair);
    still_works(&data)
}

fn empty() -> Outcome {
    let data = Data::new()?;
    refused("an empty text", data.connect(""), Errno::EINVAL)?;
    refused(
        "no text at all",
        call::connect(&data, &Address::raw(&[])),
        Errno::EINVAL,
    )?;
    refused(
        "many zeros",
        call::connect(&data, &Address::raw(&[0; 250])),
        Errno::EINVAL,
    )?;
    // A colon without a node before it is a relative path as well.
    refused_with("a colon", data.connect(":"), &[Errno::EINVAL, Errno::ENOENT])?;
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
            call::connect(&data, &Address::raw(name.as_bytes())),
            Errno::EINVAL,
        )?;
        // With it, the address is whole but for its zero: either answer is right, if it is always the same.
        let whole = Address::raw(format!("{name}:").as_bytes());
        match call::connect(&data, &whole) {
            Ok(()) => same("the socket's name", call::own_name(&data)?.as_text(), name.clone())?,
            other => refused("a name without its zero", other, Errno::EINVAL)?,
        }
    }
    refused_with(
        "253 bytes",
        call::connect(&Data::new()?, &Address::raw(&[b'a'; 253])),
        &[Errno::EINVAL, Errno::ENOENT],
    )
}

fn other_type() -> Outcome {
    let control = Control::new()?;
    control.mkpeer("hub", "h", "h")?;
    let hub = control.info("h")?.id;
    refused("a hub", Data::new()?.connect(&format!("[{hub:x}]:")), Errno::EINVAL)
}

fn twice() -> Outcome {
    let pair = Pair::new()?;
    let other = Control::new()?;
    for address in [pair.left.address()?, other.address()?] {
        refused(&address, pair.left_data.connect(&address), Errno::EISCONN)?;
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
        Errno::EADDRINUSE,
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
    refused("a name", data.connect("nosuchnode:"), Errno::ENOENT)?;
    refused("an ID", data.connect("[fffffff0]:"), Errno::ENOENT)?;
    still_works(&data)
}

fn before() -> Outcome {
    let data = Data::new()?;
    refused("sendto", data.send("hook", b"packet"), Errno::ENOTCONN)?;
    refused("send", data.send_plain(b"packet"), Errno::ENOTCONN)?;
    refused("write", call::write(&data, b"packet"), Errno::ENOTCONN)
}
