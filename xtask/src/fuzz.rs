//! `cargo xtask fuzz`: netgraph sockets against a model, with arbitrary input.
//!
//! The targets are built with the flags that cargo-fuzz would use, but that only the module and the model are watched for
//! coverage: what is compared with each other decides which inputs are interesting. So no other program is needed, and a
//! stable compiler will do.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use xshell::{Cmd, Shell, cmd};

use crate::util;

/// The targets' package, from the repository's root.
pub const MANIFEST: &str = "tests/fuzz/Cargo.toml";

/// The packages whose code is watched for coverage.
const WATCHED: [&str; 7] = [
    "fuzz",
    "kpi",
    "ng-update",
    "ng_socket",
    "ngforge-image",
    "oracle",
    "seed",
];
/// What has the compiler watch them, for libFuzzer.
const COVERAGE: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
];
/// The hosted kernel itself counts what is not freed, and keeps what was freed for a while; stacks of allocations would
/// take longer than what is tested.
const SANITIZER: &str =
    "detect_leaks=0:quarantine_size_mb=8:malloc_context_size=0:detect_stack_use_after_return=0:symbolize=1";
/// Longest input, in bytes.
const LONGEST: usize = 1500;
/// How many inputs of a target the repository may keep.
const MOST_KEPT: usize = 200;

/// Compare netgraph sockets with a model of them, with arbitrary input
#[derive(Args)]
pub struct Fuzz {
    /// The targets; all of them unless given
    #[arg(value_enum, value_name = "TARGET")]
    targets: Vec<Target>,
    /// So many executions of each
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    runs: Option<u64>,
    /// So many seconds of each
    #[arg(long, value_name = "S", default_value_t = 60)]
    seconds: u64,
    /// Begin with this random number, so that a run can be repeated; any unless given
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Do without the address sanitizer: several times as many executions, checked by the hosted kernel alone
    #[arg(long)]
    no_sanitizer: bool,
    /// Show what this input does, call by call
    #[arg(long, value_name = "FILE", requires = "targets", conflicts_with_all = ["runs", "seconds", "keep"])]
    replay: Option<PathBuf>,
    /// Afterwards, keep the fewest inputs that reach all that is reached
    #[arg(long)]
    keep: bool,
}

/// What is fuzzed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// Addresses for bind, connect and sendto
    Address,
    /// Archives of packages
    Archive,
    /// Sequences of calls on several sockets
    Calls,
    /// Datagrams on control sockets
    Control,
    /// Programs and kernel modules, of which an image build reads what they need
    Elf,
    /// Manifests, scripts and versions of packages
    Package,
    /// Seeds of cloud-init
    Seed,
    /// The record of which root slot boots
    State,
    /// Update files
    UpdateFile,
    /// Partition tables of disks that an image is written to
    Table,
}

/// Where the targets are built.
pub fn build_dir() -> PathBuf {
    util::target_dir().join("fuzz")
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Archive => "archive",
            Self::Calls => "calls",
            Self::Control => "control",
            Self::Elf => "elf",
            Self::Package => "package",
            Self::Seed => "seed",
            Self::State => "state",
            Self::UpdateFile => "update_file",
            Self::Table => "table",
        }
    }

    /// The inputs that the repository keeps.
    fn kept(self) -> PathBuf {
        util::root().join("tests/fuzz/corpus").join(self.name())
    }

    /// The inputs that this machine found.
    fn found(self) -> PathBuf {
        build_dir().join("corpus").join(self.name())
    }
}

/// The programs, and how to run them.
struct Built<'a> {
    shell: &'a Shell,
    folder: PathBuf,
}

impl Fuzz {
    /// Builds the targets and runs them.
    ///
    /// # Errors
    /// They cannot be built, or something was found.
    pub fn run(self) -> Result<()> {
        let shell = util::shell()?;
        let targets = if self.targets.is_empty() {
            Target::value_variants()
        } else {
            &self.targets
        };
        let built = self.build(&shell, targets)?;
        if let Some(input) = &self.replay {
            let input = env::current_dir()
                .context("could not read the working directory")?
                .join(input);
            return targets.iter().try_for_each(|target| built.replay(*target, &input));
        }
        for target in targets {
            built.fuzz(*target, &self.limits())?;
            if self.keep {
                built.keep(*target)?;
            }
        }
        Ok(())
    }

    fn limits(&self) -> Vec<String> {
        let limit = match self.runs {
            Some(runs) => format!("-runs={runs}"),
            None => format!("-max_total_time={}", self.seconds),
        };
        let seed = self.seed.map(|seed| format!("-seed={seed}"));
        [limit].into_iter().chain(seed).collect()
    }

    /// Where the targets are built so.
    fn folder(&self) -> PathBuf {
        let folder = build_dir();
        if self.no_sanitizer {
            folder.join("plain")
        } else {
            folder
        }
    }

    fn build<'a>(&self, shell: &'a Shell, targets: &[Target]) -> Result<Built<'a>> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let (host, folder) = (host(shell)?, self.folder());
        let flags: Vec<String> = COVERAGE.iter().map(|flag| format!("{flag:?}")).collect();
        let flags = flags.join(",");
        let watched = WATCHED.iter().flat_map(|package| {
            let setting = format!("profile.release.package.{package}.rustflags=[{flags}]");
            ["--config".to_owned(), setting]
        });
        let programs = targets.iter().flat_map(|target| ["--bin", target.name()]);
        // With `fuzzing`, the hosted kernel tells the sanitizer what is free.
        let sanitizer = if self.no_sanitizer {
            ""
        } else {
            "-Zsanitizer=address --cfg fuzzing"
        };
        cmd!(
            shell,
            "{cargo} -Zprofile-rustflags build --manifest-path {MANIFEST} --release --locked"
        )
        .args(["--target", &host, "--target-dir"])
        .arg(&folder)
        .args(watched)
        .args(programs)
        // The sanitizer is the stable compiler's own, but asking for it is not stable yet.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", sanitizer)
        .run()
        .context(
            "could not build the fuzz targets\nhint: libFuzzer needs a C++ compiler; scripts/setup installs one",
        )?;
        Ok(Built {
            shell,
            folder: folder.join(host).join("release"),
        })
    }
}

/// The triple of this machine: with `--target`, build scripts are built without the sanitizer.
fn host(shell: &Shell) -> Result<String> {
    let version = cmd!(shell, "rustc --version --verbose").quiet().read()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("rustc does not say what this machine is")
}

impl Built<'_> {
    fn command(&self, target: Target) -> Cmd<'_> {
        let program = self.folder.join(target.name());
        cmd!(self.shell, "{program}")
            .arg("-detect_leaks=0")
            .arg(format!("-max_len={LONGEST}"))
            .env("ASAN_OPTIONS", SANITIZER)
    }

    fn fuzz(&self, target: Target, limits: &[String]) -> Result<()> {
        let findings = build_dir().join("findings").join(target.name());
        let (found, kept) = (target.found(), target.kept());
        for folder in [&findings, &found, &kept] {
            fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
        }
        let prefix = format!("-artifact_prefix={}/", findings.display());
        let command = self
            .command(target)
            .args([&prefix, "-print_final_stats=1", "-len_control=0"])
            .args(limits);
        let name = target.name();
        command.args([&found, &kept]).run().with_context(|| {
            format!(
                "{name} found something; the input is in {}\nhint: cargo xtask fuzz {name} --replay FILE",
                findings.display()
            )
        })
    }

    fn replay(&self, target: Target, input: &Path) -> Result<()> {
        self.command(target).arg(input).env("FUZZ_TRACE", "1").run()?;
        Ok(())
    }

    /// Leaves only inputs in the repository that reach what no other does.
    fn keep(&self, target: Target) -> Result<()> {
        let (found, kept) = (target.found(), target.kept());
        let fresh = build_dir().join("kept").join(target.name());
        self.shell.remove_path(&fresh)?;
        self.shell.create_dir(&fresh)?;
        // By places in the code, not by how often each was reached.
        self.command(target)
            .args(["-set_cover_merge=1", "-use_counters=0"])
            .args([&fresh, &found, &kept])
            .run()?;
        let inputs = self.shell.read_dir(&fresh)?;
        if inputs.len() > MOST_KEPT {
            bail!("{} inputs of {} are more than {MOST_KEPT}", inputs.len(), target.name());
        }
        self.shell.remove_path(&kept)?;
        self.shell.create_dir(&kept)?;
        inputs
            .iter()
            .try_for_each(|input| self.shell.copy_file(input, &kept).map_err(Into::into))
    }
}
