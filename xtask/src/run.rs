//! `cargo xtask run`: boot an image in QEMU, or in bhyve.

use anyhow::{Result, bail};
use clap::Args;

/// Boot an image with a console
#[derive(Args)]
pub struct Run {}

impl Run {
    pub fn run(self) -> Result<()> {
        bail!("not written yet")
    }
}
