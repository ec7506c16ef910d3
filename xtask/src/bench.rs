//! `cargo xtask bench`: benchmarks, as ratios taken side by side in one run.

use anyhow::Result;
use clap::{Args, Subcommand};

mod image;
mod socket;

/// Benchmarks: ratios taken side by side in one run
#[derive(Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Image(image::ImageBench),
    Socket(socket::SocketBench),
}

impl Bench {
    pub fn run(self) -> Result<()> {
        match self.what {
            What::Image(bench) => bench.run(),
            What::Socket(bench) => bench.run(),
        }
    }
}
