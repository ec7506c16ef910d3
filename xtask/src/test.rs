//! `cargo xtask test`: every test that needs no FreeBSD.

use anyhow::{Result, bail};
use clap::Args;

/// Run every test that needs no FreeBSD
#[derive(Args)]
pub struct Test {}

impl Test {
    pub fn run(self) -> Result<()> {
        bail!("not written yet")
    }
}
