//! `cargo xtask bench`: benchmarks, as ratios taken side by side in one run.

use anyhow::Result;
use clap::{Args, Subcommand};

mod boot;
mod graph;
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
    Boot(boot::BootBench),
    Graph(graph::GraphBench),
    Image(image::ImageBench),
    Socket(socket::SocketBench),
}

impl Bench {
    pub fn run(self) -> Result<()> {
        match self.what {
            What::Boot(bench) => bench.run(),
            What::Graph(bench) => bench.run(),
            What::Image(bench) => bench.run(),
            What::Socket(bench) => bench.run(),
        }
    }
}

/// The value in the middle.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
