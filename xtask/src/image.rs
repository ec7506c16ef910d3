//! `cargo xtask image`: the bootable disk image.

use anyhow::{Result, bail};
use clap::Args;

/// Build the bootable disk image
#[derive(Args)]
pub struct Image {}

impl Image {
    pub fn run(self) -> Result<()> {
        bail!("not written yet")
    }
}
