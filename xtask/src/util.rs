//! The repository's places, and the shell that commands run programs through.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::Shell;

/// The repository's root folder, whatever the working directory is.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .parent()
        .expect("xtask/ lies in the repository's root")
        .to_path_buf()
}

/// Where builds go: `target/` in the repository, or `CARGO_TARGET_DIR`.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A shell that stands in the repository's root and prints each command before it runs it.
///
/// # Errors
/// The working directory cannot be read.
pub fn shell() -> Result<Shell> {
    let shell = Shell::new().context("could not read the working directory")?;
    shell.change_dir(root());
    Ok(shell)
}
