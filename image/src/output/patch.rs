//! Turning a spare image into the next one by writing only what differs.
//!
//! Copying the data is by far the longest part of a small rebuild, and file systems that can share blocks are rare. So a
//! build keeps a second file of each format, hidden beside the image. The next build changes that one and lets the two
//! swap places in one step; the image of before becomes the spare. A spare is only ever changed if it is exactly what
//! its record says, if it has one name, and if nobody, such as a virtual machine started before the swap, has it open.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::checkpoint::Checkpointed;
use super::plan::{self, Extent};
use super::record::{Record, Slot};
use super::{CLUSTER, Disk, Format, qcow2};
use crate::piece::Reader;

/// Bytes read at a time for hashing.
const BUFFER: usize = 1 << 20;
/// If more than this part of the disk differs, writing it anew is as good.
const WORTHWHILE: u64 = 4;

/// A spare that has become the image's next version, but not yet taken its place.
#[derive(Debug)]
pub struct Patched {
    /// What is known of it.
    pub record: Record,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Bytes in the file.
    pub size: u64,
}

/// Changes the spare in `slot` into an image of `disk`. `None` if there is no usable spare.
///
/// # Errors
/// The spare cannot be written; it has no record any more then and will not be used again.
pub fn patch(
    disk: &Disk,
    extents: &[Extent],
    format: Format,
    slot: &Slot,
    idle: fn(&File) -> bool,
) -> io::Result<Option<Patched>> {
    let record = Slot::load(&slot.spare_record).filter(|_| format.can_be_patched());
    let Some(record) = record else {
        return Ok(None);
    };
    let Ok(file) = File::options().read(true).write(true).open(&slot.spare) else {
        return Ok(None);
    };
    let used = disk.used_clusters();
    let same_form = record.disk == disk.size && (format == Format::Raw || record.used == used);
    if !same_form || !record.describes(&file) || !idle(&file) {
        return Ok(None);
    }
    let changed = plan::difference(&record.extents, extents);
    let differing: u64 = changed.iter().map(|range| range.end - range.start).sum();
    if differing > disk.size / WORTHWHILE {
        return Ok(None);
    }
    fs::remove_file(&slot.spare_record)?;
    let places = Places::new(format, &used);
    write_changes(disk, &changed, &places, &file)?;
    let first = changed
        .first()
        .map_or(u64::MAX, |range| places.at_or_before(range.start));
    let mut hash = Checkpointed::resume(&record.checkpoints, first.min(file.metadata()?.len()));
    hash_rest(&file, &mut hash)?;
    let size = hash.bytes();
    let (sha256, checkpoints) = hash.finish();
    let record = Record::new(disk.size, extents.to_vec(), used, checkpoints, &file)?;
    Ok(Some(Patched { record, sha256, size }))
}

fn write_changes(disk: &Disk, changed: &[Range<u64>], places: &Places, file: &File) -> io::Result<()> {
    let mut reader = Reader::new(&disk.pieces, &disk.blobs);
    let mut cluster = vec![0; CLUSTER as usize];
    for range in changed {
        for at in (range.start..range.end).step_by(CLUSTER as usize) {
            reader.read(at, &mut cluster)?;
            if let Some(place) = places.of(at) {
                file.write_all_at(&cluster, place)?;
            }
        }
    }
    Ok(())
}

fn hash_rest(file: &File, hash: &mut Checkpointed) -> io::Result<()> {
    let mut file = file;
    file.seek(SeekFrom::Start(hash.bytes()))?;
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// Where clusters of the disk lie in the file.
enum Places {
    /// Where they lie on the disk.
    Identity,
    /// Packed behind the tables; by number of the cluster.
    Packed(Vec<Option<u64>>, u64),
}

impl Places {
    fn new(format: Format, used: &[bool]) -> Self {
        match format {
            Format::Qcow2 => {
                let data = qcow2::data_start(used);
                let numbers = used.iter().scan(data, |next, used| {
                    let place = used.then_some(*next);
                    *next += u64::from(*used) * CLUSTER;
                    Some(place)
                });
                Self::Packed(numbers.collect(), data)
            }
            // The others are never patched.
            _ => Self::Identity,
        }
    }

    fn of(&self, at: u64) -> Option<u64> {
        match self {
            Self::Identity => Some(at),
            Self::Packed(places, _) => places.get((at / CLUSTER) as usize).copied().flatten(),
        }
    }

    /// A place in the file before which a change from disk address `at` on leaves everything as it is.
    fn at_or_before(&self, at: u64) -> u64 {
        match self {
            Self::Identity => at,
            Self::Packed(places, data) => {
                let before = places.iter().take((at / CLUSTER) as usize);
                before
                    .filter_map(|place| *place)
                    .next_back()
                    .map_or(*data, |place| place + CLUSTER)
            }
        }
    }
}

/// Lets two files swap their names in one step.
///
/// # Errors
/// The system or the file system cannot do that.
#[cfg(target_os = "linux")]
pub fn swap(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Lets two files swap their names in one step: not on this system.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn swap(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
