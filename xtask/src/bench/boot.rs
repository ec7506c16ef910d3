//! `cargo xtask bench boot`: size and boot of the `net` image against a plain one of the same sets, and the size of `tiny`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::median;
use crate::image::Image;
use crate::vm::options::MachineOptions;
use crate::vm::timeline::in_words;
use crate::{stop, util};

mod machine;
mod made;

use machine::Booted;
use made::Made;

/// The net image may take at most this part of what the plain one takes.
const SIZE_LIMIT: f64 = 0.35;
/// From power-on to SSH it may take at most this part of the plain one's time.
const TIME_LIMIT: f64 = 0.6;
/// The tiny image may be at most this big when it is compressed, in MiB.
const TINY_LIMIT: f64 = 60.0;

/// Size and boot of the net image against a plain one of the same sets, and the size of the tiny image
///
/// The plain image has all of the sets (profile `full`) and no settings in loader.conf and rc.conf but those that make
/// it reachable: consoles, one second to interrupt the loader, host name, network, sshd, the graph. Plain and net are
/// booted in turns, all in one go; the medians of the rounds are compared. Sizes are those of all blocks in use, and
/// of the image compressed with zstd.
#[derive(Args)]
pub struct BootBench {
    #[command(flatten)]
    image: Image,

    #[command(flatten)]
    machine: Machine,

    /// How many rounds
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,

    /// Boot with a clock that counts instructions: slower, but what else the machine does matters less
    #[arg(long)]
    counted: bool,

    /// Measure sizes only
    #[arg(long)]
    sizes: bool,
}

/// The machine to boot
#[derive(Args)]
struct Machine {
    /// Memory of the machine in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    memory: u32,
    /// UEFI firmware [default: OVMF where the distribution keeps it]
    #[arg(long, value_name = "FILE")]
    firmware: Option<PathBuf>,
}

impl BootBench {
    pub fn run(self) -> Result<()> {
        ensure!(self.rounds > 0, "no rounds, no result\nhint: --rounds 3");
        let folder = util::target_dir().join("bench/boot");
        let plain = Made::build(&self.image, &folder, "plain")?;
        let net = Made::build(&self.image, &folder, "net")?;
        let tiny = Made::build(&self.image, &folder, "tiny")?;
        for made in [&plain, &net, &tiny] {
            println!("{}", made.row());
        }
        let mut failures = sizes(&plain, &net, &tiny);
        if !self.sizes {
            failures.extend(self.times(&plain, &net)?);
        }
        ensure!(failures.is_empty(), "{}", failures.join("\n"));
        Ok(())
    }

    fn times(&self, plain: &Made, net: &Made) -> Result<Option<String>> {
        stop::install()?;
        let mut rounds: Vec<[Booted; 2]> = Vec::new();
        for number in 1..=self.rounds {
            let pair = [self.boot(plain, number)?, self.boot(net, number)?];
            rounds.push(pair);
        }
        let time = |which: usize| median(rounds.iter().map(|round| round[which].seconds));
        let ratio = time(1) / time(0);
        println!("power-on to SSH, net / plain: {ratio:5.3} (at most {TIME_LIMIT})");
        Ok((ratio > TIME_LIMIT).then(|| "the net image boots too slowly".to_owned()))
    }

    fn boot(&self, made: &Made, number: usize) -> Result<Booted> {
        let options = self.machine.options(made);
        let booted = machine::boot(&options, self.counted)
            .with_context(|| format!("round {number}: the {} image did not boot", made.name))?;
        println!(
            "round {number}: {:<5} {:6.1} s ({})",
            made.name,
            booted.seconds,
            in_words(&booted.stages)
        );
        Ok(booted)
    }
}

impl Machine {
    fn options(&self, made: &Made) -> MachineOptions {
        MachineOptions {
            seed: None,
            manifest: Some(made.manifest.clone()),
            base: None,
            image: None,
            identity: None,
            firmware: self.firmware.clone(),
            accel: crate::vm::accel::Wanted::Auto,
            qemu: None,
            memory: Some(self.memory),
            cpus: 1,
            nics: None,
        }
    }
}

/// Prints the ratios of sizes; what is beyond its limit.
fn sizes(plain: &Made, net: &Made, tiny: &Made) -> Vec<String> {
    let ratio = net.used as f64 / plain.used as f64;
    let small = tiny.compressed as f64 / f64::from(1 << 20);
    println!("blocks in use, net / plain:   {ratio:5.3} (at most {SIZE_LIMIT})");
    println!(
        "compressed, net / plain:      {:5.3}",
        net.compressed as f64 / plain.compressed as f64
    );
    println!("tiny, compressed:             {small:5.1} MiB (at most {TINY_LIMIT})");
    let mut failures = Vec::new();
    if ratio > SIZE_LIMIT {
        failures.push("the net image takes more than its share of the plain one".to_owned());
    }
    if small > TINY_LIMIT {
        failures.push("the tiny image is too big".to_owned());
    }
    failures
}
