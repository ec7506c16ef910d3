//! Writing the image, reading it back, and moving the end of the partition table to the end of the disk.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use ngforge_image::output::regrow;
use ngforge_image::progress::Progress;
use sha2::{Digest, Sha256};

use super::source::Source;
use crate::stop;

/// Bytes written, and compared, at a time.
const CHUNK: usize = 4 << 20;
/// What direct reading wants its memory and lengths to be multiples of, on every disk.
const ALIGN: usize = 4096;
/// Bytes at the end of a larger disk where other systems keep traces of themselves.
const TRACES: u64 = 1 << 20;

type Sum = [u8; 32];

/// Opens a disk that nobody else uses: the kernel refuses what is mounted or otherwise claimed.
///
/// # Errors
/// It is in use, or the user may not write to it.
pub fn claim(path: &Path, exclusive: bool) -> Result<File> {
    let flags = if exclusive && cfg!(target_os = "linux") {
        libc::O_EXCL
    } else {
        0
    };
    let opened = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
    opened.with_context(|| {
        format!(
            "{}: could not be opened for writing\nhint: is it in use, or do you need to be root?",
            path.display()
        )
    })
}

/// Copies the image and returns the checksum of each chunk.
///
/// # Errors
/// The image or the disk fails, or somebody asked to stop; the disk is then half-written, and the message says so.
pub fn write(source: &Source, disk: &File, path: &Path, progress: &dyn Progress) -> Result<Vec<Sum>> {
    let task = progress.begin("write", Some(source.size));
    let mut image = source.open()?;
    let mut buffer = vec![0; CHUNK];
    let mut sums = Vec::new();
    let mut at = 0;
    while at < source.size {
        ensure!(
            !stop::asked(),
            "{}: stopped; what is on it now does not boot",
            path.display()
        );
        let part = &mut buffer[..CHUNK.min((source.size - at) as usize)];
        image.read_exact(part).with_context(|| {
            format!(
                "{}: breaks off or is damaged; {} is half-written\nhint: build the image again",
                source.path.display(),
                path.display()
            )
        })?;
        disk.write_all_at(part, at).with_context(|| {
            format!(
                "{}: could not be written at byte {at}\nhint: the disk is failing",
                path.display()
            )
        })?;
        sums.push(Sha256::digest(&*part).into());
        at += part.len() as u64;
        task.advance(part.len() as u64);
    }
    flush(disk, path)?;
    Ok(sums)
}

fn flush(disk: &File, path: &Path) -> Result<()> {
    disk.sync_all()
        .with_context(|| format!("{}: could not be flushed\nhint: the disk is failing", path.display()))
}

/// Reads back what was written, from the disk itself where the system can do that. Says how it read.
///
/// # Errors
/// The disk holds something else.
pub fn verify(path: &Path, size: u64, sums: &[Sum], progress: &dyn Progress) -> Result<&'static str> {
    let (mut disk, how) = open_to_verify(path)?;
    let task = progress.begin("read back", Some(size));
    let mut memory = vec![0; CHUNK + ALIGN];
    let skip = memory.as_ptr().align_offset(ALIGN);
    let buffer = memory.get_mut(skip..skip + CHUNK).context("no aligned memory")?;
    for (index, sum) in sums.iter().enumerate() {
        let at = index as u64 * CHUNK as u64;
        let part = &mut buffer[..CHUNK.min((size - at) as usize)];
        disk.read_exact(part)
            .with_context(|| format!("{}: could not be read back at byte {at}", path.display()))?;
        if Sum::from(Sha256::digest(&*part)) != *sum {
            bail!(
                "{}: holds something else than was written, between byte {at} and {}\nhint: the disk is failing, or smaller \
                 than it pretends; take another one",
                path.display(),
                at + part.len() as u64
            );
        }
        task.advance(part.len() as u64);
    }
    Ok(how)
}

/// Without the cache where that works; else after asking the system to forget what it has in memory.
fn open_to_verify(path: &Path) -> Result<(File, &'static str)> {
    #[cfg(target_os = "linux")]
    {
        let direct = OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(path);
        if let Ok(file) = direct.and_then(probe) {
            return Ok((file, "read from the disk itself"));
        }
    }
    let file = File::open(path).with_context(|| format!("{}: could not be read", path.display()))?;
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    Ok((file, "read with the system's cache between"))
}

/// Some file systems take the flag, and refuse the reading.
#[cfg(target_os = "linux")]
fn probe(file: File) -> std::io::Result<File> {
    let mut memory = vec![0; 2 * ALIGN];
    let skip = memory.as_ptr().align_offset(ALIGN);
    let part = memory
        .get_mut(skip..skip + ALIGN)
        .ok_or(std::io::ErrorKind::OutOfMemory)?;
    file.read_exact_at(part, 0)?;
    Ok(file)
}

/// Gives the partition table the whole of a larger disk.
///
/// # Errors
/// There is no table, or the disk fails.
pub fn grow_table(disk: &File, path: &Path, image: u64, size: u64) -> Result<()> {
    let mut head = vec![0; regrow::HEAD.min(size as usize)];
    disk.read_exact_at(&mut head, 0)?;
    let patches = regrow::grown(&head, size)
        .map_err(|cause| anyhow::anyhow!("{}: {cause}\nhint: is it an image that was built here?", path.display()))?;
    let traces = image.max(size.saturating_sub(TRACES));
    disk.write_all_at(&vec![0; (size - traces) as usize], traces)?;
    for (at, bytes) in &patches {
        disk.write_all_at(bytes, *at)
            .with_context(|| format!("{}: could not be written at byte {at}", path.display()))?;
        flush(disk, path)?;
    }
    for (at, bytes) in &patches {
        let mut there = vec![0; bytes.len()];
        disk.read_exact_at(&mut there, *at)?;
        ensure!(there == *bytes, "{}: the partition table was not kept", path.display());
    }
    Ok(())
}

/// Asks for the name of the disk on the terminal.
///
/// # Errors
/// Something else was typed, or there is no terminal.
pub fn ask(name: &str, input: &mut dyn std::io::BufRead) -> Result<()> {
    eprint!("All of it will be lost. Type `{name}` to go on: ");
    std::io::stderr().flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    ensure!(
        line.trim() == name,
        "`{}` is not `{name}`: nothing was written\nhint: scripts give --yes",
        line.trim()
    );
    Ok(())
}
