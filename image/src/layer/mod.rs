//! A layer: the contents of one input, cut into blocks and fragments as they will stand on the disk, with an index.
//!
//! An archive streams into a layer while it is decoded. Building the disk then copies the layer's blocks in long
//! stretches. Layers do not depend on each other, on the overlay or on the size of the disk, so each is made once per
//! set, several are made side by side, and the result does not depend on who was faster.

mod sum;
mod writer;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::{FileData, Shape};
use crate::error::{Error, Result};
use crate::ufs::geometry::{BLOCK, FRAG};
use crate::ufs::inode::Attributes;

/// Name of the file of whole blocks.
const BLOCKS: &str = "blocks";
/// Name of the file of blocks of fragments.
const FRAGMENTS: &str = "frags";
/// Name of the index.
const INDEX: &str = "index.json";

pub use writer::{Segment, StoreError, Writer};

/// A path and what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Relative to the root, `/` between names; the root itself is empty.
    #[serde(with = "bytes_as_text")]
    pub path: Vec<u8>,
    /// Owner, mode, flags and time.
    pub attributes: StoredAttributes,
    /// What it is.
    pub body: EntryBody,
}

/// [`Attributes`] as the index keeps them, with the owner's and group's names if the archive has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAttributes {
    /// Permission bits.
    pub mode: u16,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Owner's name; counts more than the number where the appliance knows it, as for tar(1).
    pub uname: Option<String>,
    /// Group's name.
    pub gname: Option<String>,
    /// chflags(2) flags.
    pub flags: u32,
    /// Seconds since 1970.
    pub mtime: i64,
    /// Nanoseconds.
    pub mtime_nanos: u32,
}

impl StoredAttributes {
    /// With the owner and group given.
    pub fn owned_by(&self, uid: u32, gid: u32) -> Attributes {
        Attributes {
            mode: self.mode,
            uid,
            gid,
            flags: self.flags,
            mtime: self.mtime,
            mtime_nanos: self.mtime_nanos,
        }
    }
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryBody {
    /// A directory.
    Directory,
    /// A file with these contents.
    File(FileData),
    /// A symbolic link to this.
    Symlink(#[serde(with = "bytes_as_text")] Vec<u8>),
    /// A further name of the file at this path.
    HardLink(#[serde(with = "bytes_as_text")] Vec<u8>),
}

/// Everything in a layer but the contents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// In the order of the archive.
    pub entries: Vec<Entry>,
}

/// A finished layer.
#[derive(Debug)]
pub struct Layer {
    folder: PathBuf,
    /// What is in it.
    pub index: Index,
    /// Whole blocks.
    pub blocks: File,
    /// Blocks of fragments.
    pub frags: File,
}

impl Layer {
    /// Opens the layer in `folder`.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open(folder: &Path) -> Result<Self> {
        let open = |name| {
            let path = folder.join(name);
            File::open(&path).map_err(Error::io("open the layer", &path))
        };
        let path = folder.join(INDEX);
        let text = fs::read(&path).map_err(Error::io("read the layer's index", &path))?;
        let index = serde_json::from_slice(&text).map_err(|error| Error::Input {
            file: path,
            cause: format!("is not an index of a layer: {error}"),
            hint: format!("remove {} and build again", folder.display()),
        })?;
        Ok(Self {
            blocks: open(BLOCKS)?,
            frags: open(FRAGMENTS)?,
            folder: folder.to_path_buf(),
            index,
        })
    }

    /// The folder it lies in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads the contents of a file piece by piece.
    pub fn open_file<'a>(&'a self, data: &'a FileData) -> Contents<'a> {
        Contents {
            layer: self,
            data,
            at: 0,
        }
    }

    /// Fills `into` with what a file has from `at` on; how many bytes that are, 0 at the end.
    fn read_at(&self, data: &FileData, into: &mut [u8], at: u64) -> std::io::Result<usize> {
        let left = data.size.saturating_sub(at);
        let within = BLOCK - at % BLOCK;
        let count = (into.len() as u64).min(left).min(within) as usize;
        let into = &mut into[..count];
        let lbn = at / BLOCK;
        let run = data
            .runs
            .iter()
            .find(|run| (run.lbn..run.lbn + run.count).contains(&lbn));
        if let Some(run) = run {
            self.blocks
                .read_exact_at(into, (run.block + lbn - run.lbn) * BLOCK + at % BLOCK)?;
        } else if let Some(tail) = data.tail.filter(|_| lbn == data.size / BLOCK) {
            let place = tail.block * BLOCK + u64::from(tail.first) * FRAG + at % BLOCK;
            self.frags.read_exact_at(into, place)?;
        } else {
            into.fill(0);
        }
        Ok(count)
    }

    /// The contents of a file that is known to be small.
    ///
    /// # Errors
    /// The layer cannot be read.
    pub fn read(&self, data: &FileData) -> Result<Vec<u8>> {
        let mut bytes = vec![0; (Shape::of(data.size).blocks * BLOCK + BLOCK) as usize];
        let failed = |error| Error::io("read the layer", &self.folder)(error);
        for run in &data.runs {
            let into = &mut bytes[(run.lbn * BLOCK) as usize..((run.lbn + run.count) * BLOCK) as usize];
            self.blocks.read_exact_at(into, run.block * BLOCK).map_err(failed)?;
        }
        if let Some(tail) = data.tail {
            let from = (data.size / BLOCK * BLOCK) as usize;
            let into = &mut bytes[from..from + usize::from(tail.count) * FRAG as usize];
            let at = tail.block * BLOCK + u64::from(tail.first) * FRAG;
            self.frags.read_exact_at(into, at).map_err(failed)?;
        }
        bytes.truncate(data.size as usize);
        Ok(bytes)
    }
}

/// The contents of a file in a layer.
#[derive(Debug)]
pub struct Contents<'a> {
    layer: &'a Layer,
    data: &'a FileData,
    at: u64,
}

impl Read for Contents<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.layer.read_at(self.data, into, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Contents<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.data.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| std::io::Error::other("before the beginning of the file"))?;
        Ok(self.at)
    }
}

/// Bytes as text in JSON: each byte is the character of the same number, which for ASCII is the text itself.
mod bytes_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = text.chars().map(|character| u8::try_from(u32::from(character)));
        bytes.collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_not_be_text() {
        let entry = Entry {
            path: vec![b'a', 0xff, 0xe4],
            attributes: StoredAttributes::default(),
            body: EntryBody::Directory,
        };
        let json = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), entry);
    }
}
