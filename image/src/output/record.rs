//! What is known about an image file, so that a later build can turn it into the next image by changing what differs.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::checkpoint::State;
use super::plan::Extent;

/// An image file's contents, and the signs by which it is recognized as untouched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Size of the disk.
    pub disk: u64,
    /// What the disk holds.
    pub extents: Vec<Extent>,
    /// Which clusters of it are stored.
    pub used: Vec<bool>,
    /// SHA-256 of the file on the way.
    pub checkpoints: Vec<State>,
    signs: Signs,
}

/// Any write changes at least one of these; copying or replacing the file, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Signs {
    device: u64,
    inode: u64,
    len: u64,
    modified: i64,
    modified_nanos: i64,
}

impl Signs {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: metadata.mtime(),
            modified_nanos: metadata.mtime_nsec(),
        })
    }
}

impl Record {
    /// Of a file that is finished. Its time is set to a whole second, which no later write will hit.
    ///
    /// # Errors
    /// The file's metadata cannot be read or set.
    pub fn new(
        disk: u64,
        extents: Vec<Extent>,
        used: Vec<bool>,
        checkpoints: Vec<State>,
        file: &File,
    ) -> io::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(now.as_secs()))?;
        Ok(Self {
            disk,
            extents,
            used,
            checkpoints,
            signs: Signs::of(file)?,
        })
    }

    /// The same, of a file with the same contents.
    ///
    /// # Errors
    /// As for [`Record::new`].
    pub fn of_twin(&self, file: &File) -> io::Result<Self> {
        Self::new(
            self.disk,
            self.extents.clone(),
            self.used.clone(),
            self.checkpoints.clone(),
            file,
        )
    }

    /// Whether `file` is the file, untouched, and has no other name under which someone keeps it.
    pub fn describes(&self, file: &File) -> bool {
        let alone = file.metadata().is_ok_and(|metadata| metadata.nlink() == 1);
        alone && Signs::of(file).is_ok_and(|signs| signs == self.signs)
    }
}

/// Where the files of one format lie: the image, a spare one that the next build may change, and what is known of each.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The image.
    pub image: PathBuf,
    /// The spare.
    pub spare: PathBuf,
    /// Record of the image.
    pub image_record: PathBuf,
    /// Record of the spare.
    pub spare_record: PathBuf,
}

impl Slot {
    /// For the file `name` in `folder`; all but the image lies in the hidden folder `spares`.
    pub fn new(folder: &Path, spares: &Path, name: &str) -> Self {
        Self {
            image: folder.join(name),
            spare: spares.join(name),
            image_record: spares.join(format!("{name}.image.json")),
            spare_record: spares.join(format!("{name}.spare.json")),
        }
    }

    /// The record in a file, if there is one that can be read.
    pub fn load(path: &Path) -> Option<Record> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }
}
