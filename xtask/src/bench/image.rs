//! `cargo xtask bench image`: a full build against unpacking the same sets, and a rebuild against a full build.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use ngforge_image::build::{Base, Request};
use ngforge_image::progress::Silent;
use ngforge_image::sets::Fetcher;
use xshell::{Shell, cmd};

use super::median;
use crate::image::{Image, Measured};
use crate::util;

/// A full build may take at most this times what bsdtar takes for the same sets.
const FULL_LIMIT: f64 = 1.0;
/// A rebuild may take at most this times what a full build takes.
const REBUILD_LIMIT: f64 = 0.1;
/// Most memory a build may hold, in MiB.
const MEMORY_LIMIT: u64 = 300;

/// Image builds: a full one against `bsdtar -xJf` of the same sets, a rebuild against a full one, and peak memory
///
/// The sets are fetched beforehand if need be. Each round unpacks the sets with bsdtar into an empty folder, builds with
/// an empty cache, changes one overlay file and builds again; the medians of the rounds are compared.
#[derive(Args)]
pub struct ImageBench {
    #[command(flatten)]
    image: Image,

    /// How many rounds
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
}

/// What one round took.
struct Round {
    unpack: f64,
    full: Measured,
    rebuild: Measured,
}

impl ImageBench {
    pub fn run(self) -> Result<()> {
        ensure!(self.rounds > 0, "no rounds, no result\nhint: --rounds 3");
        let shell = util::shell()?;
        let bench = Prepared::new(&shell, &self.image)?;
        let mut rounds = Vec::new();
        for number in 1..=self.rounds {
            let round = bench.round(&shell, number)?;
            println!(
                "round {number}: bsdtar {:.2} s, full build {:.2} s ({} MiB), rebuild {:.2} s ({} MiB)",
                round.unpack,
                round.full.seconds,
                round.full.peak_kib >> 10,
                round.rebuild.seconds,
                round.rebuild.peak_kib >> 10
            );
            rounds.push(round);
        }
        verdict(&rounds)
    }
}

/// Everything that is ready before the clock starts.
struct Prepared {
    folder: PathBuf,
    sets: Vec<PathBuf>,
    arguments: Vec<OsString>,
}

impl Prepared {
    fn new(shell: &Shell, image: &Image) -> Result<Self> {
        cmd!(shell, "bsdtar --version").quiet().ignore_stdout().run().context(
            "could not run bsdtar, which is what builds are measured against\nhint: apt-get install libarchive-tools",
        )?;
        let folder = util::target_dir().join("bench/image");
        fs::create_dir_all(&folder)?;
        let request = image.request(shell)?;
        let sets = gather_sets(&request, &folder.join("sets"))?;
        let rootfs = folder.join("rootfs");
        empty(&rootfs)?;
        if let Some(overlay) = &request.rootfs {
            copy_tree(overlay, &rootfs)?;
        }
        Ok(Self {
            arguments: arguments(&folder, request),
            folder,
            sets,
        })
    }

    fn round(&self, shell: &Shell, number: usize) -> Result<Round> {
        let overlay_file = self.folder.join("rootfs/etc/bench");
        fs::write(&overlay_file, format!("before round {number}\n"))?;
        let unpack = self.unpack(shell)?;
        for name in ["cache", "out"] {
            empty(&self.folder.join(name))?;
        }
        let full = self.build(shell)?;
        fs::write(&overlay_file, format!("in round {number}\n"))?;
        let rebuild = self.build(shell)?;
        Ok(Round { unpack, full, rebuild })
    }

    fn unpack(&self, shell: &Shell) -> Result<f64> {
        let into = self.folder.join("unpacked");
        empty(&into)?;
        settle(shell)?;
        let since = Instant::now();
        for set in &self.sets {
            // Flags such as schg would keep the folder from being removed again.
            cmd!(shell, "bsdtar --no-fflags -xJf {set} -C {into}").quiet().run()?;
        }
        let seconds = since.elapsed().as_secs_f64();
        fs::remove_dir_all(&into)?;
        Ok(seconds)
    }

    fn build(&self, shell: &Shell) -> Result<Measured> {
        let report = self.folder.join("measured.json");
        let program = env::current_exe()?;
        let arguments = &self.arguments;
        settle(shell)?;
        cmd!(shell, "{program} {arguments...} --measure {report}")
            .quiet()
            .ignore_stdout()
            .ignore_stderr()
            .run()
            .context("the build that was to be measured failed\nhint: run `cargo xtask image` with the same options")?;
        Measured::load(&report)
    }
}

/// Puts the sets, fetched if need be, and a MANIFEST of them into `folder`.
fn gather_sets(request: &Request, folder: &Path) -> Result<Vec<PathBuf>> {
    let Base::FreeBsd(source) = &request.base else {
        bail!("builds from distribution sets are measured, and a hosted base has none\nhint: leave out --base hosted");
    };
    let fetcher = Fetcher::new(source, &request.cache, &Silent);
    let list = fetcher.list()?;
    empty(folder)?;
    let mut sets = Vec::new();
    let mut manifest = String::new();
    for name in &request.spec.sets {
        let set = list.find(name)?;
        let place = folder.join(&set.file);
        std::os::unix::fs::symlink(fs::canonicalize(fetcher.get(&set)?)?, &place)?;
        manifest.push_str(&format!("{}\t{}\n", set.file, set.sha256));
        sets.push(place);
    }
    fs::write(folder.join("MANIFEST"), manifest)?;
    Ok(sets)
}

/// The command line of a build in `folder` that makes nothing but the image.
fn arguments(folder: &Path, request: Request) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["image", "--spec"].map(Into::into).into();
    arguments.push(request.spec_file.into());
    let places = [
        ("--sets", "sets"),
        ("--rootfs", "rootfs"),
        ("--cache", "cache"),
        ("--out", "out"),
    ];
    arguments.extend(
        places
            .iter()
            .flat_map(|(option, name)| [option.into(), folder.join(name).into()]),
    );
    let module = request.module.unwrap_or_else(|| "stock".into());
    arguments.extend(["--module".into(), module.into()]);
    match request.tools.is_empty() {
        true => arguments.push("--no-tools".into()),
        false => arguments.extend(
            request
                .tools
                .into_iter()
                .flat_map(|tool| ["--tool".into(), tool.into()]),
        ),
    }
    arguments
}

/// Lets the disk finish what went before, so that nobody pays for another's writes.
fn settle(shell: &Shell) -> Result<()> {
    Ok(cmd!(shell, "sync").quiet().run()?)
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("{}: could not be removed", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("{}: could not be made", folder.display()))
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("{}: could not be read", from.display()))? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => {
                fs::create_dir(&place)?;
                copy_tree(&entry.path(), &place)?;
            }
            false => {
                fs::copy(entry.path(), &place)?;
            }
        }
    }
    Ok(())
}

fn verdict(rounds: &[Round]) -> Result<()> {
    let unpack = median(rounds.iter().map(|round| round.unpack));
    let full = median(rounds.iter().map(|round| round.full.seconds));
    let rebuild = median(rounds.iter().map(|round| round.rebuild.seconds));
    let peaks = rounds
        .iter()
        .flat_map(|round| [round.full.peak_kib, round.rebuild.peak_kib]);
    let peak = peaks.max().unwrap_or(0) >> 10;
    println!("full build / bsdtar:     {:5.3} (at most {FULL_LIMIT})", full / unpack);
    println!(
        "rebuild / full build:    {:5.3} (at most {REBUILD_LIMIT})",
        rebuild / full
    );
    println!("peak memory:             {peak:5} MiB (at most {MEMORY_LIMIT})");
    ensure!(full / unpack <= FULL_LIMIT, "a full build takes longer than bsdtar");
    ensure!(
        rebuild / full <= REBUILD_LIMIT,
        "a rebuild takes more than its share of a full build"
    );
    ensure!(peak <= MEMORY_LIMIT, "a build takes more memory than allowed");
    Ok(())
}
