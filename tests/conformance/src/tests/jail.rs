//! A jail with a network stack of its own has a graph of its own.

use netgraph::Errno;

use crate::Test;
use crate::node::{Control, Pair, fresh_name, receive};
use crate::outcome::{Outcome, refused, same, works};
use crate::system::here;

pub const TESTS: &[Test] = &[Test::new("b62_a_vnet_jail_has_its_own_graph", vnet)];

fn vnet() -> Outcome {
    let control = Control::new()?;
    let name = fresh_name("j");
    control.bind(&name)?;
    here().in_jail(super::IN_JAIL, &name)?;
    same("the node's name after the jail", control.info(".")?.name, name)
}

/// What runs in the jail while the host has a node of that name.
pub fn probe(name: &str) -> Outcome {
    let pair = Pair::new()?;
    refused(
        "the host's node by its name",
        pair.left.shut_down(&format!("{name}:")),
        Errno::ENOENT,
    )?;
    works("the same name in the jail", pair.left.bind(name))?;
    same(
        "the node of that name",
        pair.right.info(&format!("{name}:"))?.id,
        pair.left.info(".")?.id,
    )?;
    works("a packet in the jail", pair.left_data.send("x", b"jailed"))?;
    same("that packet", receive(&pair.right_data)?.0, b"jailed".to_vec())
}
