//! `cargo xtask tools`: the programs that run in the appliance.
//!
//! They are cross-compiled with a toolchain that has std for FreeBSD or can build it, linked by [`crate::linker`], read
//! back and checked ([`check`]), and only then given their place below `target/tools/`.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use xshell::{Cmd, Shell, cmd};

use crate::linker::Linker;
use crate::toolchain::CrossToolchain;
use crate::util;

mod check;
mod hosted;

pub use hosted::{PROGRAMS as HOSTED_PROGRAMS, TARGET as LINUX, build as build_hosted};

/// The cargo profile of what runs in an appliance.
const PROFILE: &str = "appliance";

/// What the programs are compiled for.
pub const FREEBSD: &str = "x86_64-unknown-freebsd";

/// The programs: each is the only binary of its package.
pub const PROGRAMS: [&str; 3] = ["ng", "ng-seed", "ng-update"];

/// Cross-compile the programs that run in the appliance
///
/// The result lies in target/tools/x86_64-unknown-freebsd/. std for FreeBSD comes from `rustup target add
/// x86_64-unknown-freebsd` when that is there, else it is built from the library sources. The linker is zig (PyPI package
/// ziglang, installed below target/ when missing), or clang and lld with --sysroot. On FreeBSD itself it is plain cargo.
#[derive(Args)]
pub struct Tools {
    /// Link against this FreeBSD base system (an unpacked base.txz) with clang and lld
    #[arg(long, value_name = "DIR")]
    sysroot: Option<PathBuf>,
    /// Build this package instead: a program that a test runs in a guest, such as conformance
    #[arg(long, value_name = "NAME")]
    package: Vec<String>,
}

impl Tools {
    pub fn run(self) -> Result<()> {
        let shell = util::shell()?;
        let asked: Vec<&str> = self.package.iter().map(String::as_str).collect();
        let names = if asked.is_empty() { &PROGRAMS[..] } else { &asked };
        for program in build_with(&shell, self.sysroot.as_deref(), names)? {
            let size = fs::metadata(&program)?.len();
            println!("{}: {size} bytes", program.display());
        }
        Ok(())
    }
}

/// Builds every program for FreeBSD and returns where they lie.
///
/// # Errors
/// No toolchain or linker is there, the build fails, or a result is no program that FreeBSD's base system can run.
pub fn build(shell: &Shell) -> Result<Vec<PathBuf>> {
    build_with(shell, None, &PROGRAMS)
}

/// Builds other programs of this workspace in the same way: those that tests run in a guest.
///
/// # Errors
/// As for [`build`].
pub fn build_programs(shell: &Shell, names: &[&str]) -> Result<Vec<PathBuf>> {
    build_with(shell, None, names)
}

fn build_with(shell: &Shell, sysroot: Option<&Path>, programs: &[&str]) -> Result<Vec<PathBuf>> {
    let recipe = Recipe::find(shell, sysroot)?;
    eprintln!("tools: {recipe}");
    recipe.compile(shell, programs)?;
    let made = cargo_folder().join(FREEBSD).join(PROFILE);
    programs
        .iter()
        .map(|name| {
            place(&made.join(name), FREEBSD, check::freebsd_program)
                .with_context(|| format!("the program {name} was built but is not usable"))
        })
        .collect()
}

/// Where cargo builds: apart from the host's own builds, since another version of cargo may be at work here.
fn cargo_folder() -> PathBuf {
    util::target_dir().join("cross")
}

/// Checks a program and gives it its final name in one step.
fn place(built: &Path, target: &str, check: fn(&[u8]) -> Result<()>) -> Result<PathBuf> {
    let bytes = fs::read(built).with_context(|| format!("could not read {}", built.display()))?;
    check(&bytes)?;
    let folder = util::target_dir().join("tools").join(target);
    fs::create_dir_all(&folder)?;
    let mut fresh = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempfile_in(&folder)?;
    fresh.write_all(&bytes)?;
    let place = folder.join(built.file_name().context("a program has a file name")?);
    fresh
        .persist(&place)
        .with_context(|| format!("could not write {}", place.display()))?;
    Ok(place)
}

/// The way from source to program on this machine.
struct Recipe {
    library: Library,
    /// None where the system's own linker is the right one.
    linker: Option<Linker>,
}

/// Where std for FreeBSD comes from.
enum Library {
    /// It is installed with the calling cargo's toolchain.
    Installed(PathBuf),
    /// It is built along with the program.
    Built(CrossToolchain),
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.library {
            Library::Installed(cargo) => write!(f, "{} with its std for {FREEBSD}", cargo.display())?,
            Library::Built(toolchain) => write!(f, "{toolchain}, building std for {FREEBSD}")?,
        }
        match &self.linker {
            Some(linker) => write!(f, "; linking by {linker}"),
            None => f.write_str("; linking as the system does"),
        }
    }
}

impl Recipe {
    fn find(shell: &Shell, sysroot: Option<&Path>) -> Result<Self> {
        let cargo = own_cargo();
        let at_home = cfg!(all(target_os = "freebsd", target_arch = "x86_64"));
        let library = if at_home || target_is_installed(shell) {
            Library::Installed(cargo)
        } else {
            Library::Built(CrossToolchain::find(shell)?)
        };
        let linker = if at_home && sysroot.is_none() {
            None
        } else {
            Some(Linker::find(shell, sysroot)?)
        };
        Ok(Self { library, linker })
    }

    fn compile(&self, shell: &Shell, programs: &[&str]) -> Result<()> {
        let command = match &self.library {
            Library::Installed(cargo) => shell.cmd(cargo),
            Library::Built(toolchain) => toolchain.cargo(shell),
        };
        let folder = cargo_folder();
        let mut command = command
            .args(["build", "--profile", PROFILE, "--target", FREEBSD, "--target-dir"])
            .arg(folder);
        for program in programs {
            command = command.args(["--package", package_of(program)]);
        }
        if let Library::Built(_) = self.library {
            command = command.arg("-Zbuild-std=std,panic_abort");
        }
        command = command.env("CARGO_ENCODED_RUSTFLAGS", self.flags_without_paths(shell));
        self.with_linker(shell, command)?
            .run()
            .with_context(|| format!("could not build {} for FreeBSD", programs.join(", ")))
    }

    /// Flags for rustc that keep this machine's folders out of the programs.
    fn flags_without_paths(&self, shell: &Shell) -> OsString {
        let mut folders = folders_to_hide();
        if let Library::Built(CrossToolchain { rustc, .. }) = &self.library
            && let Ok(sysroot) = cmd!(shell, "{rustc} --print sysroot").quiet().read()
        {
            folders.push((Path::new(&sysroot).join("lib/rustlib/src/rust"), "rust"));
        }
        remap_flags(&folders)
    }

    fn with_linker<'a>(&self, shell: &Shell, command: Cmd<'a>) -> Result<Cmd<'a>> {
        let Some(linker) = &self.linker else {
            return Ok(command);
        };
        let variable = format!("CARGO_TARGET_{}_LINKER", FREEBSD.to_uppercase().replace('-', "_"));
        Ok(command.env(variable, linker.script(shell)?))
    }
}

/// The compiler that programs for FreeBSD are built with.
///
/// # Errors
/// There is none.
pub fn compiler_version(shell: &Shell) -> Result<String> {
    let at_home = cfg!(all(target_os = "freebsd", target_arch = "x86_64"));
    match at_home || target_is_installed(shell) {
        true => own_compiler_version(shell),
        false => Ok(CrossToolchain::find(shell)?.version),
    }
}

/// The compiler that belongs to the calling cargo.
///
/// # Errors
/// It does not run.
pub fn own_compiler_version(shell: &Shell) -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    cmd!(shell, "{rustc} --version")
        .quiet()
        .read()
        .context("could not ask the compiler for its version")
}

/// The package that a program is of.
pub fn package_of(program: &str) -> &str {
    match program {
        "ng-seed" => "seed",
        own => own,
    }
}

/// The cargo that called us.
fn own_cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Folders of this machine that must not show in the programs, and what stands in their place.
fn folders_to_hide() -> Vec<(PathBuf, &'static str)> {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cargo = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    vec![(util::root(), "ngforge"), (cargo, "cargo")]
}

/// Flags for rustc that hide these folders, so that programs come out the same elsewhere.
fn remap_flags(folders: &[(PathBuf, &str)]) -> OsString {
    let mut flags = OsString::new();
    for (folder, name) in folders {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push("=");
        flags.push(name);
    }
    flags
}

/// Whether the calling cargo's toolchain carries std for FreeBSD (`rustup target add`).
fn target_is_installed(shell: &Shell) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let Ok(folder) = cmd!(shell, "{rustc} --print target-libdir --target {FREEBSD}")
        .quiet()
        .ignore_stderr()
        .read()
    else {
        return false;
    };
    let Ok(entries) = fs::read_dir(folder.trim()) else {
        return false;
    };
    let mut names = entries.flatten().map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().starts_with("libstd-"))
}
