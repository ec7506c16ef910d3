//! Hooks by name, many and odd.

use std::time::{Duration, Instant};

use netgraph::Errno;

use crate::Test;
use crate::node::{Control, Pair, receive};
use crate::outcome::{Outcome, holds, refused, same, works};

pub const TESTS: &[Test] = &[
    Test::long("b50_a_thousand_hooks_are_found_quickly", 120, thousand),
    Test::new("b50_odd_hook_names_work", odd),
    Test::new("b50_hook_names_are_unique", unique),
];

fn thousand() -> Outcome {
    let (left, right) = (Control::new()?, Control::new()?);
    let address = right.address()?;
    let (left_data, right_data) = (left.data()?, right.data()?);
    for number in 0..1000 {
        works(
            "a hook",
            left.join_hooks(&address, &format!("left{number}"), &format!("right{number}")),
        )?;
    }
    same(
        "the hooks",
        (left.info(".")?.hooks, right.info(".")?.hooks),
        (1000, 1000),
    )?;
    let start = Instant::now();
    for number in 0..1000 {
        left_data.send(&format!("left{number}"), b"packet")?;
        let (_, from) = receive(&right_data)?;
        same("the hook", from.as_text(), format!("right{number}"))?;
    }
    holds("a thousand packets in 10 s", start.elapsed() < Duration::from_secs(10))?;
    for number in (0..1000).step_by(2) {
        works("a hook's end", left.remove_hook(&format!("left{number}")))?;
    }
    same(
        "the hooks left",
        (left.info(".")?.hooks, right.info(".")?.hooks),
        (500, 500),
    )?;
    same("a hook that is left", left.info("left777")?.id, right.info(".")?.id)?;
    refused("a hook that is gone", left.shut_down("left778"), Errno::ENOENT)?;
    works("a packet by a hook that is left", left_data.send("left999", b"packet"))?;
    same("its hook", receive(&right_data)?.1.as_text(), "right999".to_owned())
}

fn odd() -> Outcome {
    let pair = Pair::new()?;
    let names = [
        "a b",
        " ",
        "h\u{fc}b\u{1f980}",
        "a.b:c",
        ":",
        ".",
        "[1]:",
        "\u{1}\u{7f}",
        "%s%n",
        "../../x",
        "a\nb",
    ];
    let long = "n".repeat(31);
    for name in names.into_iter().chain([long.as_str()]) {
        works(
            &format!("the hook {name:?}"),
            pair.left.join_hooks(&pair.right.address()?, name, name),
        )?;
        works(
            &format!("a packet by {name:?}"),
            pair.left_data.send(name, name.as_bytes()),
        )?;
        let (bytes, from) = receive(&pair.right_data)?;
        same(
            "the packet and its hook",
            (bytes, from.as_text()),
            (name.as_bytes().to_vec(), name.to_owned()),
        )?;
        works(&format!("the end of {name:?}"), pair.left.remove_hook(name))?;
    }
    same("the hooks after that", pair.right.info(".")?.hooks, 1)
}

fn unique() -> Outcome {
    let pair = Pair::new()?;
    refused(
        "our name twice",
        pair.left.join_hooks(&pair.right.address()?, "x", "z"),
        Errno::EEXIST,
    )?;
    refused(
        "their name twice",
        pair.left.join_hooks(&pair.right.address()?, "z", "y"),
        Errno::EEXIST,
    )?;
    same(
        "the hooks after that",
        (pair.left.info(".")?.hooks, pair.right.info(".")?.hooks),
        (1, 1),
    )
}
