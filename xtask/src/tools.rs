//! `cargo xtask tools`: the programs that run in the appliance.

use anyhow::{Result, bail};
use clap::Args;

/// Cross-compile the programs that run in the appliance
#[derive(Args)]
pub struct Tools {}

impl Tools {
    pub fn run(self) -> Result<()> {
        bail!("not written yet")
    }
}
