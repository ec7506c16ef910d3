//! `cargo xtask kmod`: the ng_socket.ko kernel module.
//!
//! One compilation unit comes from the cross toolchain, one relocatable object from the linker; it is read back and
//! checked against what FreeBSD's loader takes and what the project promises ([`check`]), and only then given its place
//! below `target/kmod/`.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use xshell::{Shell, cmd};

use crate::preflight;
use crate::toolchain::CrossToolchain;
use crate::util;

mod check;

/// The target's description, for `-Zjson-target-spec`.
const TARGET: &str = "kmod/x86_64-freebsd-kernel.json";

/// Build and check ng_socket.ko
///
/// The result lies in target/kmod/freebsd14/ and target/kmod/freebsd15/. One file serves every release of a series.
/// It is refused unless FreeBSD's amd64 loader takes its relocations, it imports nothing but the known kernel interface,
/// uses neither SSE nor x87, cannot panic, and is at most 96 KiB.
#[derive(Args)]
pub struct Kmod {
    /// The release series to build for; both when it is left out
    #[arg(long, value_name = "SERIES")]
    release: Option<Series>,
}

/// A FreeBSD release series: what shares a kernel ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Series {
    /// 14.0 and later
    #[value(name = "14")]
    FreeBsd14,
    /// 15.0 and later
    #[value(name = "15")]
    FreeBsd15,
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FreeBsd14 => "freebsd14",
            Self::FreeBsd15 => "freebsd15",
        })
    }
}

impl Series {
    /// Every series there is.
    pub const ALL: [Self; 2] = [Self::FreeBsd14, Self::FreeBsd15];

    /// Its number, as in `14.3`.
    pub fn number(self) -> u16 {
        match self {
            Self::FreeBsd14 => 14,
            Self::FreeBsd15 => 15,
        }
    }

    /// The series of a release such as `14.3`.
    ///
    /// # Errors
    /// It is neither 14.x nor 15.x.
    pub fn of(release: &str) -> Result<Self> {
        match release.split('.').next() {
            Some("14") => Ok(Self::FreeBsd14),
            Some("15") => Ok(Self::FreeBsd15),
            _ => bail!(
                "there is no ng_socket.ko for FreeBSD {release}: the kernel interface is known for 14.x and 15.x\n\
                 hint: set `release` in overlay/appliance.yaml to one of those"
            ),
        }
    }
}

impl Kmod {
    pub fn run(self) -> Result<()> {
        let shell = util::shell()?;
        let wanted = self.release.map_or_else(|| Series::ALL.to_vec(), |series| vec![series]);
        for series in wanted {
            let module = build_series(&shell, series)?;
            let report = check::module(&fs::read(&module)?)?;
            println!("{}: {report}", module.display());
        }
        Ok(())
    }
}

/// Builds ng_socket.ko for a FreeBSD release such as `14.3` and returns where it lies.
///
/// # Errors
/// There is no module for that release, no toolchain or linker, the build fails, or the result is refused.
pub fn build(shell: &Shell, release: &str) -> Result<PathBuf> {
    build_series(shell, Series::of(release)?)
}

fn build_series(shell: &Shell, series: Series) -> Result<PathBuf> {
    preflight::need("ld.lld")?;
    let toolchain = CrossToolchain::find(shell)?;
    let archive = compile(shell, &toolchain, series)?;
    let folder = util::target_dir().join("kmod").join(series.to_string());
    fs::create_dir_all(&folder).with_context(|| format!("could not make the folder {}", folder.display()))?;
    let scratch = tempfile::tempdir_in(&folder).with_context(|| format!("could not write to {}", folder.display()))?;
    let object = scratch.path().join("ng_socket.ko");
    link(shell, &archive, &object)?;
    place(&object, &folder.join("ng_socket.ko")).with_context(|| format!("the module for {series} is refused"))
}

/// Compiles the module and everything below it to one archive.
fn compile(shell: &Shell, toolchain: &CrossToolchain, series: Series) -> Result<PathBuf> {
    // Apart from the host's own builds, since another version of cargo may be at work here.
    let folder = util::target_dir().join("cross");
    let feature = series.to_string();
    // No paths of this machine in the object: they would differ from one builder to the next. Encoded, since the path to
    // the repository may have spaces in it.
    let mut remap = OsString::from("--remap-path-prefix=");
    remap.push(util::root());
    remap.push("=.");
    toolchain
        .cargo(shell)
        .args([
            "rustc",
            "--package",
            "ng_socket",
            "--lib",
            "--crate-type",
            "staticlib",
            "--profile",
            "kmod",
        ])
        .args(["-Zbuild-std=core", "-Zjson-target-spec", "--target", TARGET])
        .args(["--no-default-features", "--features", &feature, "--quiet"])
        .arg("--target-dir")
        .arg(&folder)
        .env("CARGO_ENCODED_RUSTFLAGS", remap)
        .run()
        .with_context(|| format!("ng_socket does not compile for {series}"))?;
    Ok(folder.join("x86_64-freebsd-kernel/kmod/libng_socket.a"))
}

/// Takes out of the archive what the module's one global symbol leads to, and makes it one relocatable object.
fn link(shell: &Shell, archive: &Path, object: &Path) -> Result<()> {
    let script = util::root().join("kmod/module.ld");
    cmd!(
        shell,
        "ld.lld -m elf_x86_64 -r --script {script} --undefined ngsocklist -o {object} {archive}"
    )
    .run()
    .context("the module could not be linked")
}

/// Checks the object and gives it its final name in one step.
fn place(object: &Path, place: &Path) -> Result<PathBuf> {
    let bytes = fs::read(object).with_context(|| format!("could not read {}", object.display()))?;
    check::module(&bytes)?;
    if fs::read(place).is_ok_and(|old| old == bytes) {
        return Ok(place.to_owned());
    }
    let folder = place.parent().context("a module lies in a folder")?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&bytes)
        .with_context(|| format!("could not write {}", file.path().display()))?;
    file.persist(place)
        .with_context(|| format!("could not write {}", place.display()))?;
    Ok(place.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_belong_to_a_series() {
        assert_eq!(Series::of("14.3").ok(), Some(Series::FreeBsd14));
        assert_eq!(Series::of("15.0").ok(), Some(Series::FreeBsd15));
        let error = Series::of("13.2").expect_err("13 is unknown").to_string();
        assert!(error.contains("13.2") && error.contains("14.x"), "{error}");
    }
}
