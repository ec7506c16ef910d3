//! The update file beside an image with root slots: what the first slot holds, for the slot that is not running.

use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::thread;

pub use update::file::SigningKey;
use update::file::{About, CHUNK, Needs, Packed, Writer, pack};

use crate::build::{Addition, AdditionBody};
use crate::error::{Error, Result};
use crate::hash;
use crate::manifest::OutputFile;
use crate::output::{Disk, Folder, Pending};
use crate::piece::Reader;
use crate::progress::Progress;

/// Its file name extension.
pub const EXTENSION: &str = "ngu";
/// Its name among the manifest's formats.
pub const FORMAT: &str = "update";
/// Where the appliance finds the keys whose updates it takes: not below /etc, which the owner may change.
const KEYS: &str = "usr/share/ngforge/update.pub";
/// Where the appliance finds its name.
const IDENTITY: &str = "usr/share/ngforge/appliance.json";
/// Version of the disk's layout that the slot needs.
const DISK: u32 = 1;
/// What FreeBSD calls the machine.
const MACHINE: &str = "amd64";

/// Who signs updates.
#[derive(Debug, Clone, Default)]
pub struct Signing {
    /// The public keys that the appliance trusts: lines as ssh-keygen(1) writes them.
    pub trusted: String,
    /// The private key; without it, the file is not signed.
    pub key: Option<SigningKey>,
}

impl Signing {
    /// The keys, as a file of the appliance.
    pub fn addition(&self) -> Addition {
        Addition::new(KEYS, 0o444, AdditionBody::Bytes(self.trusted.clone().into_bytes()))
    }
}

/// What an update is for; also what the appliance says of itself.
pub fn about(appliance: &str, release: &str, build: &str, slot: &Range<u64>) -> About {
    About {
        appliance: appliance.into(),
        release: release.into(),
        build: build.into(),
        slot_bytes: slot.end - slot.start,
        needs: Needs {
            disk: DISK,
            machine: MACHINE.into(),
        },
    }
}

/// The file by which the appliance knows its name and build.
pub fn identity(appliance: &str, release: &str, build: &str) -> Addition {
    let identity = serde_json::json!({"appliance": appliance, "release": release, "build": build});
    Addition::new(
        IDENTITY,
        0o444,
        AdditionBody::Bytes(format!("{identity}\n").into_bytes()),
    )
}

/// Writes the update file as `<name>.ngu`; it has its place when this returns.
///
/// # Errors
/// A layer cannot be read, the folder cannot take the file, or the appliance has a name that an update cannot carry.
pub fn write(
    disk: &Disk,
    slot: &Range<u64>,
    about: About,
    key: Option<&SigningKey>,
    to: (&Folder, &str),
    progress: &dyn Progress,
) -> Result<OutputFile> {
    let (folder, name) = to;
    let file_name = format!("{name}.{EXTENSION}");
    let target = folder.path().join(&file_name);
    let pending = Pending::new(folder.path(), &file_name);
    let failed = |error: update::file::Error| Error::Input {
        file: target.clone(),
        cause: format!("could not be made: {error}"),
        hint: "is there room, and is the appliance's name made of printable characters without spaces?".into(),
    };
    let temporary = File::create(pending.temporary()).map_err(Error::io("write the update", &target))?;
    let mut writer = Writer::new(BufWriter::new(temporary), about).map_err(failed)?;
    let task = progress.begin("write the update", Some(slot.end - slot.start));
    let mut chunks = Chunks::new(disk, slot.clone());
    loop {
        let batch = chunks
            .next()
            .map_err(Error::io("read the layers for the update", &target))?;
        if batch.is_empty() {
            break;
        }
        task.advance(batch.iter().map(|chunk| chunk.len() as u64).sum());
        for packed in pack_all(&batch) {
            writer.add(packed).map_err(failed)?;
        }
    }
    drop(writer.finish(key).map_err(failed)?);
    let size = std::fs::metadata(pending.temporary())
        .map_err(Error::io("write the update", &target))?
        .len();
    let sha256 = hash::of_file(pending.temporary())?;
    pending.commit()?;
    Ok(OutputFile {
        path: file_name.into(),
        format: FORMAT.into(),
        size,
        sha256,
    })
}

/// Packs some chunks, each on a processor of its own.
fn pack_all(chunks: &[Vec<u8>]) -> Vec<Packed> {
    thread::scope(|scope| {
        let threads: Vec<_> = chunks.iter().map(|chunk| scope.spawn(|| pack(chunk))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Packed>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}

/// Reads a stretch of the disk, as many chunks at a time as there are processors.
struct Chunks<'a> {
    reader: Reader<'a>,
    left: Range<u64>,
    many: usize,
}

impl<'a> Chunks<'a> {
    fn new(disk: &'a Disk, slot: Range<u64>) -> Self {
        Self {
            reader: Reader::new(&disk.pieces, &disk.blobs),
            left: slot,
            many: thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// The next ones; none at the end.
    fn next(&mut self) -> std::io::Result<Vec<Vec<u8>>> {
        let mut batch = Vec::new();
        while batch.len() < self.many && !self.left.is_empty() {
            let len = (self.left.end - self.left.start).min(CHUNK as u64);
            let mut chunk = vec![0; len as usize];
            self.reader.read(self.left.start, &mut chunk)?;
            self.left.start += len;
            batch.push(chunk);
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use update::file::{Reader as FileReader, Trust};

    use super::*;
    use crate::piece::{Blobs, Piece};
    use crate::progress::Silent;

    #[test]
    fn the_slot_and_nothing_else_is_in_the_update() {
        let folder = tempfile::tempdir().unwrap();
        let locked = Folder::lock(folder.path()).unwrap();
        let slot = 1 << 20..(7 << 20) + 512;
        let disk = Disk {
            size: 16 << 20,
            pieces: vec![
                Piece::bytes((1 << 20) - 3, vec![1; 6]),
                Piece::bytes(4 << 20, vec![2; 3 << 20]),
                Piece::bytes(7 << 20, vec![3; 1024]),
            ],
            blobs: Blobs::default(),
            blob_names: Vec::new(),
            slot: Some(slot.clone()),
        };
        let key = SigningKey::from_bytes(&[3; 32]);
        let about = about("box", "14.3", "key", &slot);
        let file = write(&disk, &slot, about, Some(&key), (&locked, "box"), &Silent).unwrap();
        assert_eq!(file.path, std::path::Path::new("box.ngu"));
        let bytes = std::fs::read(folder.path().join("box.ngu")).unwrap();
        assert_eq!((bytes.len() as u64, hash::of_bytes(&bytes)), (file.size, file.sha256));
        let mut reader = FileReader::open(&bytes[..], Trust::Keys(&[key.verifying_key().to_bytes()])).unwrap();
        let mut contents = Vec::new();
        while let Some(chunk) = reader.next_chunk().unwrap() {
            contents.extend_from_slice(chunk.bytes);
        }
        let mut expected = vec![0; (6 << 20) + 512];
        expected[..3].fill(1);
        expected[3 << 20..6 << 20].fill(2);
        expected[6 << 20..].fill(3);
        assert!(contents == expected);
    }

    #[test]
    fn the_state_is_where_the_appliance_looks_for_it() {
        assert_eq!(update::state::PLACES, crate::build::boot::STATE_AT);
        assert_eq!(update::state::SECTOR, crate::build::boot::COPY);
        assert_eq!(DISK, update::install::DISK);
    }

    #[test]
    fn a_name_that_an_update_cannot_carry_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let locked = Folder::lock(folder.path()).unwrap();
        let disk = Disk {
            size: 1 << 20,
            pieces: Vec::new(),
            blobs: Blobs::default(),
            blob_names: Vec::new(),
            slot: None,
        };
        let about = about("two words", "14.3", "key", &(0..512));
        let error = write(&disk, &(0..512), about, None, (&locked, "box"), &Silent).unwrap_err();
        assert!(error.to_string().contains("printable characters"), "{error}");
        assert!(!folder.path().join("box.ngu").exists());
    }
}
