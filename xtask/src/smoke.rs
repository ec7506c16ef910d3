//! `cargo xtask smoke`: boot a throw-away copy of an image and prove it over SSH.

use anyhow::{Result, bail};
use clap::Args;

/// Boot a throw-away copy of an image and run the smoke tests over SSH
#[derive(Args)]
pub struct Smoke {}

impl Smoke {
    pub fn run(self) -> Result<()> {
        bail!("not written yet")
    }
}
