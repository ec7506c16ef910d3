//! `cargo xtask lock`: whether the inputs are still the locked ones, and locking them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use ngforge_image::build;
use ngforge_image::lock::{self, Difference, Pins, Policy, Section};
use ngforge_image::spec::Spec;
use xshell::{Shell, cmd};

use crate::base::Base;
use crate::image::{Console, Debian, From, Image, default_cache, from_where};
use crate::zig;
use crate::{tools, util};

/// Show whether the inputs of an image are the locked ones
///
/// appliance.lock, beside the appliance file, pins what images are built from: MANIFEST, the sets, packages, and the
/// versions of compiler and linkers. `cargo xtask image` stops before it writes anything when an input differs. The lock has
/// a section for each release and base; what has none is not locked yet, and is built all the same unless `--locked` is
/// given.
#[derive(Args)]
pub struct Lock {
    /// Write the inputs at hand into the lock, and show what changes
    #[arg(long)]
    update: bool,

    /// Say nothing when the lock holds; exit status 1 when it does not, or when there is none
    #[arg(long, conflicts_with = "update")]
    check: bool,

    /// The appliance file
    #[arg(long, value_name = "FILE", default_value = "overlay/appliance.yaml")]
    spec: PathBuf,

    /// What the appliance runs
    #[arg(long, value_enum, default_value_t = Base::Freebsd)]
    base: Base,

    #[command(flatten)]
    from: From,

    #[command(flatten)]
    debian: Debian,

    /// The lock [default: appliance.lock beside the appliance file]
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,

    /// Where downloads are kept [default: $XDG_CACHE_HOME/ngforge or ~/.cache/ngforge]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

impl Lock {
    /// Compares, and writes if asked to.
    ///
    /// # Errors
    /// An input cannot be had; the lock cannot be read or written; or it does not hold.
    pub fn run(self) -> Result<()> {
        let shell = util::shell()?;
        let spec_file = util::root().join(&self.spec);
        let spec = Spec::load(&spec_file)?;
        let cache = self.cache.clone().map_or_else(default_cache, Ok)?;
        let base = from_where(self.base, &self.from, &self.debian, &spec.release, &cache)?;
        let found = Section {
            inputs: build::found(&base, &spec, &cache, &Console::new())?,
            toolchain: toolchain(&shell, self.base, Made::default())?,
        };
        let file = place(self.lock.as_deref(), &spec_file);
        self.compare(&file, &lock::section(base.name(), &spec.release), found)
    }

    fn compare(&self, file: &Path, name: &str, found: Section) -> Result<()> {
        let mut lock = lock::Lock::load(file)?;
        let locked = lock.locks.get(name).cloned();
        let known = locked.clone().unwrap_or_default();
        let differences = lock::differences(&known, &found.inputs, &found.toolchain);
        if self.update {
            lock.locks.insert(name.into(), found);
            lock.save(file)?;
            print!("{}", updated(file, name, &differences));
            return Ok(());
        }
        match (locked, differences.len()) {
            (None, _) => bail!(
                "{}: {name} is not locked yet\nhint: `cargo xtask lock --update` locks it",
                file.display()
            ),
            (Some(_), 0) if self.check => Ok(()),
            (Some(locked), 0) => {
                let count = locked.inputs.len() + locked.toolchain.len();
                println!("{}: {name} holds: {count} inputs", file.display());
                Ok(())
            }
            (Some(_), _) => Err(ngforge_image::Error::Locked {
                file: file.to_path_buf(),
                section: name.into(),
                differences,
            }
            .into()),
        }
    }
}

fn updated(file: &Path, name: &str, differences: &[Difference]) -> String {
    if differences.is_empty() {
        return format!("{}: {name} has not changed\n", file.display());
    }
    let lines: String = differences.iter().map(|one| format!("  {one}\n")).collect();
    format!("{}: {name}, {} changed\n{lines}", file.display(), differences.len())
}

/// Where the lock is: the one that is named, or the one beside the appliance file.
fn place(named: Option<&Path>, spec_file: &Path) -> PathBuf {
    named.map_or_else(|| spec_file.with_file_name(lock::FILE), Path::to_path_buf)
}

/// What the build makes itself.
#[derive(Debug, Clone, Copy)]
struct Made {
    module: bool,
    tools: bool,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            module: true,
            tools: true,
        }
    }
}

/// What a build does about the lock.
///
/// # Errors
/// A toolchain that the build needs is not there.
pub fn policy(image: &Image, spec_file: &Path, shell: &Shell) -> Result<Policy> {
    let made = Made {
        module: image.module.is_none(),
        tools: !image.no_tools && image.tools.is_empty(),
    };
    Ok(Policy {
        file: Some(place(image.lock.as_deref(), spec_file)),
        required: image.locked,
        toolchain: toolchain(shell, image.base, made)?,
    })
}

/// The programs that make module and tools, as far as they are made.
fn toolchain(shell: &Shell, base: Base, made: Made) -> Result<Pins> {
    let mut pins = Pins::new();
    if made.module {
        let rustc = crate::toolchain::CrossToolchain::find(shell)?.version;
        pins.insert("rustc for the module".into(), lock::Pin::program(rustc));
        let lld = cmd!(shell, "ld.lld --version").quiet().read()?;
        pins.insert("ld.lld".into(), lock::Pin::program(lld.trim()));
    }
    if made.tools {
        let rustc = match base {
            Base::Freebsd => tools::compiler_version(shell)?,
            Base::Hosted => tools::own_compiler_version(shell)?,
        };
        pins.insert("rustc for the tools".into(), lock::Pin::program(rustc));
    }
    if made.tools && base == Base::Freebsd && !cfg!(target_os = "freebsd") {
        pins.insert("zig".into(), lock::Pin::program(zig::LINKING));
    }
    Ok(pins)
}
