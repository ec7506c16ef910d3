//! The module as a part of the kernel: what it registers, and how it comes and goes.

use netgraph::Errno;

use crate::Test;
use crate::node::{Control, Data, Pair};
use crate::outcome::{Outcome, holds, refused, refused_with, same, works};
use crate::system::here;

pub const TESTS: &[Test] = &[
    Test::new("b39_the_sysctls_say_the_default_sizes", sizes),
    Test::new("b60_the_sysctls_say_family_and_protocols", numbers),
    Test::new("b61_the_list_of_sockets_shows_ours", socket_list),
    Test::new("b63_a_failed_load_leaves_nothing_behind", failed_load),
    Test::new("d22_a_failed_load_leaves_no_domain", failed_load_and_socket),
    Test::new("b65_an_unknown_struct_socket_is_refused", strange),
    Test::new("x03_unload_with_an_open_socket_is_ebusy", busy),
    Test::new("x03_unload_without_sockets_works", unload),
    Test::new("d21_the_module_can_be_replaced_without_a_boot", replaced),
];

/// An integer of the kernel's: its size is its type.
fn number(name: &str, size: usize) -> Outcome<u64> {
    let bytes = here().sysctl(name)?;
    same(&format!("the size of {name}"), bytes.len(), size)?;
    let mut number = [0; 8];
    number[..size].copy_from_slice(&bytes);
    Ok(u64::from_le_bytes(number))
}

fn sizes() -> Outcome {
    for name in ["net.graph.maxdgram", "net.graph.recvspace"] {
        same(name, number(name, 8)?, 20 * 1024)?;
    }
    Ok(())
}

fn numbers() -> Outcome {
    same("net.graph.family", number("net.graph.family", 4)?, 32)?;
    same("net.graph.data.proto", number("net.graph.data.proto", 4)?, 1)?;
    same("net.graph.control.proto", number("net.graph.control.proto", 4)?, 2)
}

fn socket_list() -> Outcome {
    let before = here().sockets()?;
    let pair = Pair::new()?;
    same(
        "two control and two data sockets more",
        here().sockets()?,
        (before.0 + 2, before.1 + 2),
    )?;
    pair.left.shut_down(".")?;
    same(
        "the sockets of a node that is gone",
        here().sockets()?,
        (before.0 + 2, before.1 + 2),
    )?;
    drop(pair);
    same("the sockets once they are closed", here().sockets()?, before)
}

fn failed_load() -> Outcome {
    let laboratory = here().laboratory()?;
    for _ in 0..3 {
        let (answer, stayed) = laboratory.load_failing()?;
        holds("an error from kldload", answer.is_err())?;
        same("the allocations that stay", stayed, 0)?;
    }
    Ok(())
}

fn failed_load_and_socket() -> Outcome {
    let (answer, _) = here().laboratory()?.load_failing()?;
    holds("an error from kldload", answer.is_err())?;
    refused("a socket after that", Control::new().map(drop), Errno::EAFNOSUPPORT)?;
    works("another load", here().load()?)?;
    works("a socket after that", Control::new()).map(drop)
}

fn strange() -> Outcome {
    here().laboratory()?.boot_strange()?;
    refused("a control socket", Control::new().map(drop), Errno::ENXIO)?;
    refused("a data socket", Data::new().map(drop), Errno::ENXIO)?;
    let lines = here().message_buffer()?;
    holds(
        "a line that says why",
        lines.iter().any(|line| line.contains("struct socket")),
    )
}

fn busy() -> Outcome {
    let control = Control::new()?;
    refused("unload with a control socket", here().unload()?, Errno::EBUSY)?;
    let data = Data::new()?;
    drop(control);
    refused("unload with a data socket", here().unload()?, Errno::EBUSY)?;
    works("connect after that", data.connect(&Control::new()?.address()?))
}

fn unload() -> Outcome {
    drop(Pair::new()?);
    // The last nodes go in their own time.
    std::thread::sleep(std::time::Duration::from_millis(500));
    works("unload", here().unload()?)?;
    let gone = [Errno::EAFNOSUPPORT, Errno::EPROTONOSUPPORT];
    refused_with("a socket after that", Control::new().map(drop), &gone)?;
    works("load", here().load()?)?;
    works("a socket", Control::new()).map(drop)
}

fn replaced() -> Outcome {
    for _ in 0..3 {
        works("unload", here().unload()?)?;
        works("load", here().load()?)?;
        let pair = Pair::new()?;
        works("a packet", pair.left_data.send("x", b"packet"))?;
        drop(pair);
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    Ok(())
}
