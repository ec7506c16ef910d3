//! zig, of which only the C compiler driver is wanted: it brings FreeBSD's libraries to link against, and its headers.
//!
//! The PyPI package `ziglang` carries it as one self-contained folder, so it can be installed without root.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::util;

/// The version that links programs: its FreeBSD files are those of 14.3.
pub const LINKING: &str = "0.15.1";

/// The environment variable that names a `zig` executable to use instead.
pub const OVERRIDE: &str = "NGFORGE_ZIG";

/// A `zig` executable.
#[derive(Debug, Clone)]
pub struct Zig {
    /// The executable.
    pub exe: PathBuf,
}

impl Zig {
    /// `zig` of that version: the one `NGFORGE_ZIG` names, one installed before, or the Python installation's.
    pub fn find(shell: &Shell, version: &str) -> Option<Self> {
        let named = shell.var_os(OVERRIDE).map(|exe| Self { exe: exe.into() });
        if let Some(zig) = named {
            if zig.is_version(shell, version) {
                return Some(zig);
            }
            let exe = zig.exe.display();
            eprintln!("zig: {OVERRIDE} names {exe}, which is not version {version} and so is not used");
        }
        [private_exe(version)]
            .into_iter()
            .chain(python_exe(shell))
            .chain([PathBuf::from("zig")])
            .map(|exe| Self { exe })
            .find(|zig| zig.is_version(shell, version))
    }

    /// The same, and when there is none, the PyPI package, installed below `target/` and nowhere else.
    ///
    /// # Errors
    /// There is no Python with pip, or the package cannot be had.
    pub fn find_or_install(shell: &Shell, version: &str) -> Result<Self> {
        if let Some(found) = Self::find(shell, version) {
            return Ok(found);
        }
        install(shell, version)?;
        match Self::find(shell, version) {
            Some(found) => Ok(found),
            None => bail!("the package ziglang {version} was installed, but its zig does not run here"),
        }
    }

    fn is_version(&self, shell: &Shell, version: &str) -> bool {
        let exe = &self.exe;
        let said = cmd!(shell, "{exe} version").quiet().ignore_stderr().read();
        said.is_ok_and(|said| said.trim() == version)
    }
}

/// Where our own installations of the package lie.
fn private_folder(version: &str) -> PathBuf {
    util::target_dir().join("zig").join(version)
}

fn private_exe(version: &str) -> PathBuf {
    private_folder(version).join("ziglang/zig")
}

/// The executable inside Python's `ziglang` package, when that is installed.
fn python_exe(shell: &Shell) -> Option<PathBuf> {
    let script = "import os, ziglang; print(os.path.dirname(ziglang.__file__))";
    let folder = cmd!(shell, "python3 -c {script}").quiet().ignore_stderr().read().ok()?;
    Some(Path::new(folder.trim()).join("zig"))
}

/// Installs into a folder of its own, which takes its final name only when complete.
fn install(shell: &Shell, version: &str) -> Result<()> {
    let folder = private_folder(version);
    let parent = folder.parent().context("target/ has no parent folder")?;
    shell.create_dir(parent)?;
    let fresh = tempfile::Builder::new()
        .prefix(".installing-")
        .tempdir_in(parent)
        .with_context(|| format!("could not make a folder in {}", parent.display()))?;
    let into = fresh.path().join(version);
    let package = format!("ziglang=={version}");
    cmd!(
        shell,
        "python3 -m pip install --quiet --no-deps --only-binary :all: --target {into} {package}"
    )
    .run()
    .context(
        "could not install zig, which links programs for FreeBSD\n\
         hint: install Python with pip (Debian: apt-get install python3-pip), or put a zig executable's path \
         into NGFORGE_ZIG, or give a FreeBSD base system with --sysroot DIR",
    )?;
    if folder.exists() {
        shell.remove_path(&folder)?;
    }
    std::fs::rename(&into, &folder).with_context(|| format!("could not create {}", folder.display()))
}
