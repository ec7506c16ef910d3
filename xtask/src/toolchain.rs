//! Which Rust can build for FreeBSD here.
//!
//! Rust ships no compiled `core` for a FreeBSD kernel, and not every host has `std` for FreeBSD, so both are built from
//! the library sources (`-Zbuild-std`). Two kinds of installation carry them: a rustup toolchain with the `rust-src`
//! component, and Debian's packages `rustc-web cargo-web rust-web-src`. The first one found is taken, in that order.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use xshell::{Cmd, Shell, cmd};

/// What a toolchain must have to be of use: where `rustc` looks for the library sources below its sysroot.
const LIBRARY_SOURCES: &str = "lib/rustlib/src/rust/library/core/src/lib.rs";

/// A Rust installation that can build its own standard library.
#[derive(Debug, Clone)]
pub struct CrossToolchain {
    /// `cargo` of the same version as `rustc`.
    pub cargo: PathBuf,
    /// The compiler.
    pub rustc: PathBuf,
    /// What `rustc --version` says.
    pub version: String,
    /// Who installed it.
    pub origin: Origin,
}

/// Who installed a toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// rustup, with the `rust-src` component.
    Rustup,
    /// The distribution's packages.
    System,
}

impl fmt::Display for CrossToolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match self.origin {
            Origin::Rustup => "rustup with rust-src",
            Origin::System => "the system's packages",
        };
        write!(f, "{} ({}, {origin})", self.version, self.rustc.display())
    }
}

impl CrossToolchain {
    /// The first toolchain that carries library sources.
    ///
    /// # Errors
    /// There is none; the message lists the ways to get one.
    pub fn find(shell: &Shell) -> Result<Self> {
        let candidates = rustup_candidates(shell).into_iter().chain([system_candidate()]);
        match candidates.into_iter().find_map(|candidate| candidate.check(shell)) {
            Some(found) => Ok(found),
            None => bail!(
                "no Rust toolchain here can build for FreeBSD: none has the sources of its standard library\n\
                 hint: `rustup component add rust-src`, or on Debian `apt-get install rustc-web cargo-web rust-web-src` \
                 (scripts/setup does it)"
            ),
        }
    }

    /// `cargo` of this toolchain, with nightly features allowed and the environment of the calling cargo removed.
    pub fn cargo<'a>(&self, shell: &'a Shell) -> Cmd<'a> {
        let mut command = shell.cmd(&self.cargo);
        for variable in [
            "RUSTUP_TOOLCHAIN",
            "RUSTFLAGS",
            "CARGO",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTC_WRAPPER",
        ] {
            command = command.env_remove(variable);
        }
        command.env("RUSTC", &self.rustc).env("RUSTC_BOOTSTRAP", "1")
    }
}

/// A toolchain that may or may not have the library sources.
struct Candidate {
    cargo: PathBuf,
    rustc: PathBuf,
    origin: Origin,
}

impl Candidate {
    fn check(self, shell: &Shell) -> Option<CrossToolchain> {
        let rustc = &self.rustc;
        let sysroot = cmd!(shell, "{rustc} --print sysroot")
            .quiet()
            .ignore_stderr()
            .read()
            .ok()?;
        let has_sources = Path::new(&sysroot).join(LIBRARY_SOURCES).is_file();
        let version = cmd!(shell, "{rustc} --version").quiet().ignore_stderr().read().ok()?;
        (has_sources && self.cargo.is_file()).then_some(CrossToolchain {
            cargo: self.cargo,
            rustc: self.rustc,
            version,
            origin: self.origin,
        })
    }
}

/// rustup's toolchains, the active one first.
fn rustup_candidates(shell: &Shell) -> Vec<Candidate> {
    let Ok(list) = cmd!(shell, "rustup toolchain list --verbose")
        .quiet()
        .ignore_stderr()
        .read()
    else {
        return Vec::new();
    };
    let mut lines: Vec<&str> = list.lines().collect();
    lines.sort_by_key(|line| !line.contains("active"));
    let folders = lines.iter().filter_map(|line| line.split_whitespace().last());
    folders
        .map(|folder| Path::new(folder).join("bin"))
        .map(|bin| Candidate {
            cargo: bin.join("cargo"),
            rustc: bin.join("rustc"),
            origin: Origin::Rustup,
        })
        .collect()
}

/// The distribution's toolchain.
fn system_candidate() -> Candidate {
    Candidate {
        cargo: "/usr/bin/cargo".into(),
        rustc: "/usr/bin/rustc".into(),
        origin: Origin::System,
    }
}
