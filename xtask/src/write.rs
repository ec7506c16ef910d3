//! `cargo xtask write`: the image onto a disk.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::base::Base;
use crate::image::Console;
use crate::stop;
use crate::vm::disk;
use drive::{Allowed, Drive, Kind, Removable};
use source::Source;

mod copy;
mod drive;
#[cfg(any(target_os = "freebsd", test))]
mod freebsd;
mod linux;
mod source;

/// Write the image to a disk, such as a USB stick
///
/// The disk is shown with its model, size and partitions, and is written to when its name was typed. It is refused while
/// anything uses it (mounts, swap, RAID, volumes, pools), when it is a partition or too small, and, if it does not look
/// removable, until it is named a second time. What was written is read back, past the system's cache where that can be
/// done, and compared. On a disk larger than the image, the backup of the partition table is moved to the end.
///
/// A regular file of the disk's size is taken, too.
#[derive(Args)]
pub struct Write {
    /// The disk
    #[arg(value_name = "DISK")]
    disk: PathBuf,
    /// The manifest of the image [default: the newest in target/image/]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The newest image of this base
    #[arg(long, value_enum, conflicts_with = "manifest")]
    base: Option<Base>,
    /// An image without a manifest: raw, or raw.zst
    #[arg(long, value_name = "FILE", conflicts_with_all = ["manifest", "base"])]
    image: Option<PathBuf>,
    /// The disk once more, if it does not look removable
    #[arg(long, value_name = "DISK")]
    fixed_disk: Option<PathBuf>,
    /// Write to a partition
    #[arg(long)]
    partition: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Write {
    /// Checks, asks, writes, reads back.
    ///
    /// # Errors
    /// The disk is refused, the answer is no, or image or disk fail.
    pub fn run(self) -> Result<()> {
        let source = self.source()?;
        let path = resolved(&self.disk)?;
        let drive = inspect(&path)?;
        let allowed = Allowed {
            partition: self.partition,
            fixed: self.fixed_disk == Some(self.disk.clone()),
        };
        if let Some(refusal) = drive.refusal(source.size, allowed) {
            bail!("{refusal}");
        }
        source.check()?;
        eprint!("{drive}");
        eprintln!("{}: {:.1} GB", source.path.display(), source.size as f64 / 1e9);
        if !self.yes {
            copy::ask(&drive.name(), &mut std::io::stdin().lock())?;
        }
        stop::install()?;
        put(&source, &drive)
    }

    fn source(&self) -> Result<Source> {
        match (&self.image, &self.manifest) {
            (Some(image), _) => Source::of_file(image),
            (None, Some(manifest)) => Source::of_manifest(manifest),
            (None, None) => Source::of_manifest(&disk::newest_manifest(self.base)?),
        }
    }
}

/// Writes and proves.
fn put(source: &Source, drive: &Drive) -> Result<()> {
    let path = &drive.path;
    let console = Console::new();
    let disk = copy::claim(path, drive.kind != Kind::File)?;
    let sums = copy::write(source, &disk, path, &console)?;
    let how = copy::verify(path, source.size, &sums, &console)?;
    if drive.size > source.size && drive.kind != Kind::Partition {
        copy::grow_table(&disk, path, source.size, drive.size)?;
    }
    eprintln!("{}: written and compared ({how})", path.display());
    Ok(())
}

fn resolved(path: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(path)
        .with_context(|| format!("{}: is not there\nhint: is the disk plugged in?", path.display()))
}

fn inspect(path: &Path) -> Result<Drive> {
    let kind = std::fs::metadata(path)
        .with_context(|| format!("{}: could not be read", path.display()))?
        .file_type();
    if kind.is_file() {
        return file(path);
    }
    let device = match cfg!(target_os = "freebsd") {
        true => kind.is_char_device(),
        false => kind.is_block_device(),
    };
    ensure!(
        device,
        "{}: is neither a disk nor a file\nhint: name a disk, such as /dev/sdb (Linux) or /dev/da0 (FreeBSD)",
        path.display()
    );
    device_drive(path)
}

#[cfg(not(target_os = "freebsd"))]
fn device_drive(path: &Path) -> Result<Drive> {
    linux::System::default().drive(path)
}

#[cfg(target_os = "freebsd")]
fn device_drive(path: &Path) -> Result<Drive> {
    let output = std::process::Command::new("sysctl")
        .args(["-n", "kern.geom.confxml"])
        .output();
    let output = output.context("could not run sysctl")?;
    freebsd::drive(&String::from_utf8_lossy(&output.stdout), path)
}

fn file(path: &Path) -> Result<Drive> {
    Ok(Drive {
        path: path.to_path_buf(),
        kind: Kind::File,
        size: std::fs::metadata(path)?.len(),
        sector: 512,
        model: "a file".into(),
        removable: Removable::Yes,
        read_only: false,
        parts: Vec::new(),
        uses: linux::System::default().uses_of_file(path),
    })
}

#[cfg(test)]
#[path = "write/tests.rs"]
mod tests;
