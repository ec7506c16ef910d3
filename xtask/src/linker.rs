//! Linking programs for FreeBSD: which linker, and the script through which cargo calls it.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::util;
use crate::zig::{self, Zig};

/// Libraries that std's link line for FreeBSD names, that no program of ours uses, and that zig does not carry.
///
/// An empty library of that name satisfies the linker; `--as-needed` then leaves it out of the program.
const UNUSED_LIBRARIES: [&str; 4] = ["kvm", "memstat", "procstat", "devstat"];

/// The oldest FreeBSD that the programs run on.
const RELEASE: &str = "14.0";

/// A linker for x86_64-unknown-freebsd.
#[derive(Debug, Clone)]
pub enum Linker {
    /// clang and lld with a FreeBSD base system, such as an unpacked base.txz.
    Sysroot(PathBuf),
    /// zig's C compiler driver with the FreeBSD files it carries.
    Zig(Zig),
}

impl fmt::Display for Linker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sysroot(folder) => write!(f, "clang and lld with the FreeBSD base in {}", folder.display()),
            Self::Zig(zig) => write!(f, "zig {} ({})", zig::LINKING, zig.exe.display()),
        }
    }
}

impl Linker {
    /// The linker to use: with the given base system, or zig, installed when need be.
    ///
    /// # Errors
    /// The folder holds no FreeBSD base, or zig cannot be had.
    pub fn find(shell: &Shell, sysroot: Option<&Path>) -> Result<Self> {
        let Some(folder) = sysroot else {
            return Ok(Self::Zig(Zig::find_or_install(shell, zig::LINKING)?));
        };
        let folder = folder
            .canonicalize()
            .with_context(|| format!("could not open the FreeBSD base system {}", folder.display()))?;
        for needed in ["lib/libc.so.7", "usr/lib/crt1.o", "usr/lib/libc.so"] {
            ensure!(
                folder.join(needed).exists(),
                "{} is not a FreeBSD base system: it has no {needed}\nhint: unpack base.txz there: \
                 bsdtar -xJf base.txz -C DIR",
                folder.display()
            );
        }
        Ok(Self::Sysroot(folder))
    }

    /// Writes the script that stands for this linker on cargo's side, and returns its path.
    ///
    /// # Errors
    /// The script, or the stand-in libraries that zig needs, cannot be made.
    pub fn script(&self, shell: &Shell) -> Result<PathBuf> {
        let folder = util::target_dir().join("linker");
        shell.create_dir(&folder)?;
        let (name, line) = match self {
            Self::Sysroot(sysroot) => ("clang", clang_line(sysroot)),
            Self::Zig(zig) => {
                let stubs = stub_libraries(shell, zig, &folder)?;
                ("zig", zig_line(zig, &stubs))
            }
        };
        let script = folder.join(name);
        let text = format!("#!/bin/sh\n# Written by `cargo xtask tools`.\nexec {line} \"$@\"\n");
        fs::write(&script, text).with_context(|| format!("could not write {}", script.display()))?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        Ok(script)
    }
}

fn clang_line(sysroot: &Path) -> String {
    let sysroot = quoted(sysroot);
    format!("clang --target=x86_64-unknown-freebsd{RELEASE} --sysroot={sysroot} -fuse-ld=lld -Wl,--as-needed")
}

fn zig_line(zig: &Zig, stubs: &Path) -> String {
    let (exe, stubs) = (quoted(&zig.exe), quoted(stubs));
    format!("{exe} cc -target x86_64-freebsd.{RELEASE}-none -L{stubs} -Wl,--as-needed")
}

/// The empty libraries, made once.
fn stub_libraries(shell: &Shell, zig: &Zig, folder: &Path) -> Result<PathBuf> {
    let stubs = folder.join("stubs");
    shell.create_dir(&stubs)?;
    let source = folder.join("empty.c");
    shell.write_file(&source, "")?;
    let target = format!("x86_64-freebsd.{RELEASE}-none");
    let exe = &zig.exe;
    for name in UNUSED_LIBRARIES {
        let library = stubs.join(format!("lib{name}.so"));
        if !library.exists() {
            cmd!(
                shell,
                "{exe} cc -target {target} -shared -nostdlib -o {library} {source}"
            )
            .run()?;
        }
    }
    Ok(stubs)
}

/// A path as one word of a shell script.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_word() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }

    #[test]
    fn a_folder_without_a_base_system_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Linker::find(&Shell::new().unwrap(), Some(folder.path())).unwrap_err();
        assert!(error.to_string().contains("it has no lib/libc.so.7"), "{error}");
    }
}
