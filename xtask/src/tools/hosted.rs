//! The programs of a hosted base: for Linux, and linked statically, so that they run with whichever C library it has.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use xshell::Shell;

use super::{PROFILE, cargo_folder, check, folders_to_hide, own_cargo, package_of, place, remap_flags};

/// What the programs are compiled for.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The programs: each is the only binary of its package.
pub const PROGRAMS: [&str; 3] = ["hostkernd", "ng", "ng-seed"];

/// Builds every program and returns where they lie.
///
/// # Errors
/// This is no Linux machine, or the build fails.
pub fn build(shell: &Shell) -> Result<Vec<PathBuf>> {
    ensure!(
        cfg!(target_os = "linux"),
        "the programs of a hosted base are built on Linux only\nhint: build a FreeBSD image, without --base hosted"
    );
    let mut flags = remap_flags(&folders_to_hide());
    flags.push("\u{1f}-Ctarget-feature=+crt-static");
    let mut command = shell
        .cmd(own_cargo())
        .args([
            "build",
            "--locked",
            "--profile",
            PROFILE,
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(cargo_folder())
        .env("CARGO_ENCODED_RUSTFLAGS", flags);
    for program in PROGRAMS {
        command = command.args(["--package", package_of(program)]);
    }
    command
        .run()
        .context("could not build the programs of the hosted base")?;
    let made = cargo_folder().join(TARGET).join(PROFILE);
    { PROGRAMS.iter() }
        .map(|name| {
            place(&made.join(name), TARGET, check::static_program)
                .with_context(|| format!("the program {name} was built but is not usable"))
        })
        .collect()
}
