//! `cargo xtask kmod`: the ng_socket.ko kernel module.

use anyhow::{Result, bail};
use clap::Args;

/// Build and check ng_socket.ko
#[derive(Args)]
pub struct Kmod {}

impl Kmod {
    pub fn run(self) -> Result<()> {
        bail!("not written yet")
    }
}
