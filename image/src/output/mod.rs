//! Writing the finished disk: every format at once, in one pass, each under a temporary name until all is well.

mod checkpoint;
mod patch;
mod pending;
mod plan;
mod qcow2;
mod raw;
mod record;
mod twin;
mod written;

use std::fs::File;
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
use checkpoint::Checkpointed;
use patch::Patched;
pub use pending::{Folder, Pending};
use plan::Extent;
use record::{Record, Slot};
use twin::Twin;
pub use written::Written;
use written::{Fresh, How};

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
    /// For each of these files, a name that stands for its contents, if it has one.
    pub blob_names: Vec<Option<String>>,
    /// Which of its bytes are the root slot that an update brings, if it has slots.
    pub slot: Option<std::ops::Range<u64>>,
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
    fn finish(self: Box<Self>) -> io::Result<Finished>;
}

/// A file that has been written.
struct Finished {
    hash: Checkpointed,
    size: u64,
    twin: Twin,
}

/// Tells whether nobody else has a file open; `false` if that cannot be known.
pub type Idle = fn(&File) -> bool;

/// Writes `disk` as `<name>.<format>` in each format. The files appear when the returned values are committed.
///
/// With `idle`, a spare of each file is kept beside the image, and a later build changes it where the disks differ
/// instead of writing everything again (see [`patch`]).
///
/// # Errors
/// A layer cannot be read, or the folder cannot take the files; nothing is left behind then.
pub fn write(
    disk: &Disk,
    folder: &Folder,
    name: &str,
    formats: &[Format],
    idle: Option<Idle>,
    progress: &dyn Progress,
) -> Result<Vec<Written>> {
    let failed = || Error::io("read the layers for the image", folder.path());
    let extents = plan::extents(disk).map_err(failed())?;
    let slots = formats.iter().map(|format| {
        let name = format!("{name}.{}", format.name());
        (*format, Slot::new(folder.path(), &folder.spares(), &name))
    });
    let slots: Vec<(Format, Slot)> = slots.collect();
    let patched =
        patch_all(disk, &extents, &slots, idle).map_err(Error::io("change the spare image", &folder.spares()))?;
    let (mut written, mut fresh) = (Vec::new(), Vec::new());
    for ((format, slot), patched) in slots.into_iter().zip(patched) {
        match patched {
            Some(patched) => written.push(Written::patched(format, slot, patched)),
            None => fresh.push((format, slot)),
        }
    }
    written.extend(write_fresh(disk, folder, fresh, &extents, idle.is_some(), progress)?);
    written.sort_by_key(Written::format);
    Ok(written)
}

/// For each format the changed spare, if there was a usable one.
fn patch_all(
    disk: &Disk,
    extents: &[Extent],
    slots: &[(Format, Slot)],
    idle: Option<Idle>,
) -> io::Result<Vec<Option<Patched>>> {
    let Some(idle) = idle else {
        return Ok(slots.iter().map(|_| None).collect());
    };
    thread::scope(|scope| {
        let patchers = slots
            .iter()
            .map(|(format, slot)| scope.spawn(move || patch::patch(disk, extents, *format, slot, idle)));
        let patchers: Vec<_> = patchers.collect();
        patchers.into_iter().map(join).collect()
    })
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn write_fresh(
    disk: &Disk,
    folder: &Folder,
    slots: Vec<(Format, Slot)>,
    extents: &[Extent],
    spares: bool,
    progress: &dyn Progress,
) -> Result<Vec<Written>> {
    if slots.is_empty() {
        progress.note("changed the spare image where it differs");
        return Ok(Vec::new());
    }
    let task = progress.begin("write the image", Some(disk.size));
    thread::scope(|scope| {
        let mut queues = Vec::new();
        let mut writers = Vec::new();
        for (format, slot) in slots {
            let (queue, chunks) = sync_channel(QUEUE);
            queues.push(queue);
            writers.push(scope.spawn(move || write_one(disk, format, slot, extents, spares, &chunks)));
        }
        let read = feed(disk, queues, &*task);
        let written: Vec<_> = writers.into_iter().map(join).collect();
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
    slot: Slot,
    extents: &[Extent],
    spare: bool,
    chunks: &Receiver<Arc<Chunk>>,
) -> Result<Written> {
    let image = Pending::at(&slot.image);
    let spare = spare.then(|| Pending::at(&slot.spare));
    let failed = || Error::io("write the image", &slot.image);
    let used = disk.used_clusters();
    let twin = Twin::create(&image, spare.as_ref()).map_err(failed())?;
    let finished = fill(disk.size, format, twin, &used, chunks).map_err(failed())?;
    let (sha256, checkpoints) = finished.hash.finish();
    let twin = finished.twin;
    let record = Record::new(disk.size, extents.to_vec(), used, checkpoints, &twin.image).map_err(failed())?;
    let spare_record = twin.spare.and_then(|file| record.of_twin(&file).ok());
    Ok(Written {
        file: output_file(format, &slot, finished.size, sha256),
        format,
        slot,
        how: How::Fresh(Box::new(Fresh {
            image,
            record,
            spare: spare.zip(spare_record),
        })),
    })
}

fn fill(size: u64, format: Format, twin: Twin, used: &[bool], chunks: &Receiver<Arc<Chunk>>) -> io::Result<Finished> {
    let mut sink: Box<dyn Sink> = match format {
        Format::Raw => Box::new(raw::Raw::new(twin, size)?),
        Format::Qcow2 => Box::new(qcow2::Qcow2::new(twin, size, used)?),
    };
    let mut end = 0;
    while let Ok(chunk) = chunks.recv() {
        sink.write(&chunk)?;
        end = chunk.at + chunk.bytes.len() as u64;
    }
    match end == size {
        true => sink.finish(),
        false => Err(io::Error::other("the other files of the image could not be written")),
    }
}

fn output_file(format: Format, slot: &Slot, size: u64, sha256: String) -> OutputFile {
    OutputFile {
        path: slot.image.file_name().map(Into::into).unwrap_or_default(),
        format: format.name().into(),
        size,
        sha256,
    }
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

    fn disk(last: u8) -> Disk {
        let mut pieces = vec![
            Piece::bytes(100, vec![1; 300]),
            Piece::bytes(5 * CLUSTER + 7, vec![2; 100_000]),
        ];
        pieces.push(Piece::bytes(40 << 20, vec![last; 512]));
        Disk {
            size: 48 << 20,
            pieces,
            blobs: Blobs::default(),
            blob_names: Vec::new(),
            slot: None,
        }
    }

    #[test]
    fn raw_holds_the_bytes_and_the_hash_is_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let locked = Folder::lock(folder.path()).unwrap();
        for written in write(&disk(1), &locked, "x", &[Format::Raw, Format::Qcow2], None, &Silent).unwrap() {
            let output = written.commit().unwrap();
            let path = folder.path().join(&output.path);
            assert_eq!(crate::hash::of_file(&path).unwrap(), output.sha256);
            assert_eq!(std::fs::metadata(&path).unwrap().len(), output.size);
        }
        let raw = std::fs::read(folder.path().join("x.raw")).unwrap();
        assert_eq!(raw.len(), 48 << 20);
        assert_eq!((raw[99], raw[100], raw[399], raw[400]), (0, 1, 1, 0));
        assert_eq!(raw[40 << 20], 1);
    }

    #[test]
    fn what_is_not_committed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let locked = Folder::lock(folder.path()).unwrap();
        std::fs::write(folder.path().join("x.raw"), "old").unwrap();
        drop(write(&disk(1), &locked, "x", &[Format::Raw], None, &Silent).unwrap());
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != ".lock" && name != ".spare")
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

    /// Builds disk after disk, and returns which image files were patched rather than written.
    fn generations(folder: &Path, lasts: &[u8], idle: Idle) -> Vec<bool> {
        let locked = Folder::lock(folder).unwrap();
        let mut patched = Vec::new();
        for last in lasts {
            let formats = [Format::Raw, Format::Qcow2];
            for written in write(&disk(*last), &locked, "x", &formats, Some(idle), &Silent).unwrap() {
                patched.push(matches!(written.how, How::Patched(_)));
                let output = written.commit().unwrap();
                let path = folder.join(&output.path);
                assert_eq!(
                    crate::hash::of_file(&path).unwrap(),
                    output.sha256,
                    "{path:?} of {last}"
                );
            }
            let raw = std::fs::read(folder.join("x.raw")).unwrap();
            assert_eq!((raw[399], raw[40 << 20]), (1, *last));
        }
        patched
    }

    #[test]
    fn later_generations_change_the_spare() {
        let folder = tempfile::tempdir().unwrap();
        let patched = generations(folder.path(), &[1, 2, 3, 3, 4], |_| true);
        assert_eq!(
            patched,
            [[false; 2], [true; 2], [true; 2], [true; 2], [true; 2]].concat()
        );
    }

    #[test]
    fn a_spare_that_is_in_use_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(generations(folder.path(), &[1, 2], |_| false), [false; 4]);
    }

    #[test]
    fn a_spare_that_was_written_to_or_linked_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        generations(folder.path(), &[1, 2], |_| true);
        let spare = folder.path().join(".spare/x.raw");
        std::fs::hard_link(&spare, folder.path().join("kept")).unwrap();
        let qcow2 = File::options()
            .write(true)
            .open(folder.path().join(".spare/x.qcow2"))
            .unwrap();
        std::os::unix::fs::FileExt::write_all_at(&qcow2, b"x", 0).unwrap();
        assert_eq!(generations(folder.path(), &[3], |_| true), [false; 2]);
        let kept = std::fs::read(folder.path().join("kept")).unwrap();
        assert_eq!(kept[40 << 20], 1);
    }
}
