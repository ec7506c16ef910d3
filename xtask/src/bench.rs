//! `cargo xtask bench`: benchmarks, as ratios taken side by side in one run.

use anyhow::{Result, bail};
use clap::Args;

/// Benchmarks: ratios taken side by side in one run
#[derive(Args)]
pub struct Bench {}

impl Bench {
    pub fn run(self) -> Result<()> {
        bail!("not written yet")
    }
}
