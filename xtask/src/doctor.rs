//! `cargo xtask doctor`: what is on this machine, what is missing, and how to get it.

use anyhow::{Result, bail};
use clap::Args;

/// Show every tool found or missed, what it is for and how to get it
#[derive(Args)]
pub struct Doctor {}

impl Doctor {
    pub fn run(self) -> Result<()> {
        bail!("not written yet")
    }
}
