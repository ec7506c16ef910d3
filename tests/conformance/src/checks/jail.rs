//! A jail with a network stack of its own has a graph of its own.

use std::process::Command;

use libc::ENOENT;

use crate::Check;
use crate::errno::{Failure, Outcome, refused, same, works};
use crate::node::{Control, Pair, fresh_name, receive};

pub const CHECKS: &[Check] = &[Check::new("b62_a_vnet_jail_has_its_own_graph", vnet)];

/// The argument by which the program knows that it runs in the jail.
pub const PROBE: &str = "--probe";

fn vnet() -> Outcome {
    let control = Control::new()?;
    let name = fresh_name("j");
    control.bind(&name)?;
    let status = Command::new("jail")
        .args(["-c", "vnet", "path=/", &format!("name={name}"), "exec.clean=0"])
        .arg(format!("command={}", std::env::current_exe()?.display()))
        .args([PROBE, &name])
        .status()?;
    if !status.success() {
        return Err(Failure(format!(
            "expected success in the jail, got {status}; see above"
        )));
    }
    same("the node's name after the jail", control.info(".")?.name, name)
}

/// What runs in the jail while the host has a node of that name.
pub fn probe(name: &str) -> Outcome {
    let pair = Pair::new()?;
    refused(
        "the host's node by its name",
        pair.left.shut_down(&format!("{name}:")),
        ENOENT,
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
