//! The repository's places, and the shell that commands run programs through.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::Shell;

/// The environment variable that names another copy of the repository: the second build of `image --verify` has one.
pub const ROOT: &str = "NGFORGE_ROOT";

/// The repository's root folder, whatever the working directory is.
pub fn root() -> PathBuf {
    if let Some(root) = std::env::var_os(ROOT) {
        return root.into();
    }
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

/// Writes a file that is there as a whole or not at all.
///
/// # Errors
/// Its folder cannot be made or written to.
pub fn write_atomically(place: &Path, bytes: &[u8]) -> Result<()> {
    let folder = place.parent().context("a file lies in a folder")?;
    std::fs::create_dir_all(folder).with_context(|| format!("could not make the folder {}", folder.display()))?;
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .with_context(|| format!("could not write to {}", folder.display()))?;
    file.write_all(bytes)?;
    file.persist(place)
        .with_context(|| format!("could not write {}", place.display()))?;
    Ok(())
}
