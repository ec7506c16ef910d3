//! Writing the finished disk: every format at once, in one pass, each under a temporary name until all is well.

mod pending;
mod qcow2;
mod raw;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::manifest::OutputFile;
use crate::piece::{Blobs, Piece, Reader};
use crate::progress::Progress;
pub use pending::{Folder, Pending};

/// Bytes in a cluster: the unit in which the disk is either stored or left out.
pub const CLUSTER: u64 = 64 * 1024;
/// Clusters read at a time.
const CHUNK: u64 = 16;
/// Chunks that may wait for a writer.
const QUEUE: usize = 4;

/// A disk image format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The disk's bytes as they are, in a sparse file.
    Raw,
    /// QEMU's copy-on-write format, version 3.
    Qcow2,
}

impl Format {
    /// File name extension, and the name in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }
}

/// A whole disk.
#[derive(Debug)]
pub struct Disk {
    /// Bytes; a multiple of [`CLUSTER`].
    pub size: u64,
    /// What it holds, sorted by address.
    pub pieces: Vec<Piece>,
    /// The files that pieces refer to.
    pub blobs: Blobs,
}

impl Disk {
    /// For each cluster, whether anything lies in it.
    fn used_clusters(&self) -> Vec<bool> {
        let mut used = vec![false; self.size.div_ceil(CLUSTER) as usize];
        for piece in self.pieces.iter().filter(|piece| piece.len > 0) {
            used[(piece.at / CLUSTER) as usize..piece.end().div_ceil(CLUSTER) as usize].fill(true);
        }
        used
    }
}

/// Some consecutive clusters.
struct Chunk {
    at: u64,
    bytes: Vec<u8>,
    used: Vec<bool>,
}

/// Takes a disk chunk by chunk, front to back.
trait Sink: Send {
    fn write(&mut self, chunk: &Chunk) -> io::Result<()>;
    /// Hash in hexadecimal, and size in bytes, of the file.
    fn finish(self: Box<Self>) -> io::Result<(String, u64)>;
}

/// Writes `disk` as `<name>.<format>` in each format. The files appear when the returned values are committed.
///
/// # Errors
/// A layer cannot be read, or the folder cannot take the files; nothing is left behind then.
pub fn write(
    disk: &Disk,
    folder: &Folder,
    name: &str,
    formats: &[Format],
    progress: &dyn Progress,
) -> Result<Vec<(OutputFile, Pending)>> {
    let task = progress.begin("write the image", Some(disk.size));
    thread::scope(|scope| {
        let mut queues = Vec::new();
        let mut writers = Vec::new();
        for format in formats {
            let pending = folder.create(&format!("{name}.{}", format.name()));
            let (queue, chunks) = sync_channel(QUEUE);
            queues.push(queue);
            writers.push(scope.spawn(move || write_one(disk, *format, pending, &chunks)));
        }
        let read = feed(disk, queues, &*task);
        let written: Vec<_> = writers
            .into_iter()
            .map(|writer| writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect();
        let written = written.into_iter().collect::<Result<Vec<_>>>()?;
        read.map_err(Error::io("read the layers for the image", folder.path()))?;
        Ok(written)
    })
}

/// Reads the disk and hands it to every writer; a writer that has gone away is not waited for.
fn feed(disk: &Disk, queues: Vec<SyncSender<Arc<Chunk>>>, task: &dyn crate::progress::Task) -> io::Result<()> {
    let mut reader = Reader::new(&disk.pieces, &disk.blobs);
    let mut at = 0;
    while at < disk.size {
        let len = (CHUNK * CLUSTER).min(disk.size - at);
        let mut bytes = vec![0; len as usize];
        let clusters = bytes.chunks_mut(CLUSTER as usize).zip(0..);
        let used = clusters
            .map(|(cluster, index)| reader.read(at + index * CLUSTER, cluster))
            .collect::<io::Result<_>>()?;
        let chunk = Arc::new(Chunk { at, bytes, used });
        if queues.iter().any(|queue| queue.send(Arc::clone(&chunk)).is_err()) {
            return Ok(());
        }
        task.advance(len);
        at += len;
    }
    Ok(())
}

fn write_one(
    disk: &Disk,
    format: Format,
    pending: Pending,
    chunks: &Receiver<Arc<Chunk>>,
) -> Result<(OutputFile, Pending)> {
    let write = || -> io::Result<(String, u64)> {
        let file = pending.file()?;
        let mut sink: Box<dyn Sink> = match format {
            Format::Raw => Box::new(raw::Raw::new(file, disk.size)?),
            Format::Qcow2 => Box::new(qcow2::Qcow2::new(file, disk.size, &disk.used_clusters())?),
        };
        let mut end = 0;
        while let Ok(chunk) = chunks.recv() {
            sink.write(&chunk)?;
            end = chunk.at + chunk.bytes.len() as u64;
        }
        match end == disk.size {
            true => sink.finish(),
            false => Err(io::Error::other("the other files of the image could not be written")),
        }
    };
    let (sha256, size) = write().map_err(Error::io("write the image", pending.target()))?;
    let output = OutputFile {
        path: pending.target().file_name().map(Into::into).unwrap_or_default(),
        format: format.name().into(),
        size,
        sha256,
    };
    Ok((output, pending))
}

/// Replaces a small file in one step.
///
/// # Errors
/// The folder cannot take it.
pub fn replace(path: &Path, contents: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let pending = Pending::new(folder, &name);
    std::fs::write(pending.temporary(), contents).map_err(Error::io("write the file", path))?;
    pending.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn disk() -> Disk {
        let mut pieces = vec![
            Piece::bytes(100, vec![1; 300]),
            Piece::bytes(5 * CLUSTER + 7, vec![2; 100_000]),
        ];
        pieces.push(Piece::bytes(40 << 20, vec![3; 512]));
        Disk {
            size: 48 << 20,
            pieces,
            blobs: Blobs::default(),
        }
    }

    #[test]
    fn raw_holds_the_bytes_and_the_hash_is_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let locked = Folder::lock(folder.path()).unwrap();
        for (output, pending) in write(&disk(), &locked, "x", &[Format::Raw, Format::Qcow2], &Silent).unwrap() {
            pending.commit().unwrap();
            let path = folder.path().join(&output.path);
            assert_eq!(crate::hash::of_file(&path).unwrap(), output.sha256);
            assert_eq!(std::fs::metadata(&path).unwrap().len(), output.size);
        }
        let raw = std::fs::read(folder.path().join("x.raw")).unwrap();
        assert_eq!(raw.len(), 48 << 20);
        assert_eq!((raw[99], raw[100], raw[399], raw[400]), (0, 1, 1, 0));
        assert_eq!(raw[40 << 20], 3);
    }

    #[test]
    fn what_is_not_committed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let locked = Folder::lock(folder.path()).unwrap();
        std::fs::write(folder.path().join("x.raw"), "old").unwrap();
        drop(write(&disk(), &locked, "x", &[Format::Raw], &Silent).unwrap());
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != ".lock")
            .collect();
        assert_eq!(names, ["x.raw"]);
        assert_eq!(std::fs::read(folder.path().join("x.raw")).unwrap(), b"old");
    }

    #[test]
    fn two_builds_do_not_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Folder::lock(folder.path()).unwrap();
        let second = Folder::lock(folder.path()).unwrap_err();
        assert!(matches!(second, Error::Busy { .. }));
    }
}
