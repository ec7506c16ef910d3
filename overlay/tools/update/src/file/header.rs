//! The header of an update file: what it is for, and the table of its chunks.

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::{CHUNK, Error, MAGIC, MOST_CHUNKS, MOST_METADATA, MOST_STORED, SECTOR, VERSION, fill};

/// Bytes before the metadata.
const FIXED: usize = 20;
/// Bytes of a chunk's line in the table.
const ENTRY: usize = 68;
/// Characters of a name at most.
const MOST_NAME: usize = 128;

/// What an update file is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The appliance's name, as its appliance file has it: other appliances refuse the file.
    pub appliance: String,
    /// FreeBSD's release in it.
    pub release: String,
    /// The build it came from.
    pub build: String,
    /// Bytes of the slot's contents; a multiple of [`SECTOR`].
    pub slot_bytes: u64,
    /// What the appliance must have.
    pub needs: Needs,
}

/// What an appliance must have to take an update. One with a need that this program does not know is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// Version of the disk's layout and of the state record on it.
    pub disk: u32,
    /// The machine, as `uname -m` calls it.
    pub machine: String,
}

/// A chunk, as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Bytes in the file; 0 if it is all zeros.
    pub stored: u32,
    /// SHA-256 of these.
    pub stored_sum: [u8; 32],
    /// SHA-256 of what they stand for.
    pub sum: [u8; 32],
}

/// Metadata and table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What the file is for.
    pub about: About,
    /// Its chunks, in order.
    pub chunks: Vec<Entry>,
}

impl About {
    /// How many chunks the slot's contents are.
    pub fn chunks(&self) -> u64 {
        self.slot_bytes.div_ceil(CHUNK as u64)
    }

    /// Bytes of a chunk in the slot; `index` from 0.
    pub fn chunk_len(&self, index: usize) -> usize {
        let left = self.slot_bytes.saturating_sub(index as u64 * CHUNK as u64);
        left.min(CHUNK as u64) as usize
    }

    /// Checks what a table has nothing to do with.
    ///
    /// # Errors
    /// A name is empty, long or not printable; the size is no multiple of a sector, or out of bounds.
    pub fn check(&self) -> Result<(), Error> {
        let names = [
            ("appliance", &self.appliance),
            ("release", &self.release),
            ("build", &self.build),
            ("needs.machine", &self.needs.machine),
        ];
        for (key, name) in names {
            if name.is_empty() || name.len() > MOST_NAME || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                let text = format!("`{key}` is not 1 to {MOST_NAME} printable characters without spaces");
                return Err(Error::Metadata(text));
            }
        }
        if !self.slot_bytes.is_multiple_of(SECTOR) {
            let text = format!("`slot_bytes` is {}, no multiple of {SECTOR}", self.slot_bytes);
            return Err(Error::Metadata(text));
        }
        bounds("chunks", self.chunks(), 1, MOST_CHUNKS)
    }
}

impl Header {
    /// The bytes before the seal.
    ///
    /// # Errors
    /// The metadata is wrong, or is for another number of chunks.
    pub fn print(&self) -> Result<Vec<u8>, Error> {
        let metadata = self.about.print()?;
        let mut bytes = MAGIC.to_vec();
        for number in [VERSION, metadata.len() as u32, self.chunks.len() as u32] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(metadata);
        for chunk in &self.chunks {
            bytes.extend(chunk.stored.to_le_bytes());
            bytes.extend(chunk.stored_sum);
            bytes.extend(chunk.sum);
        }
        self.check()?;
        Ok(bytes)
    }

    /// Reads the bytes before the seal, without trusting more than their number.
    ///
    /// Takes memory as bytes arrive, never as they are announced.
    pub(super) fn raw(source: &mut dyn Read) -> Result<Vec<u8>, Error> {
        let mut fixed = [0; FIXED];
        fill(source, &mut fixed[..MAGIC.len()], || "first bytes".into())?;
        if fixed[..MAGIC.len()] != MAGIC {
            return Err(Error::Magic);
        }
        fill(source, &mut fixed[MAGIC.len()..], || "header".into())?;
        let (metadata, chunks) = sizes(&fixed)?;
        let rest = metadata + chunks * ENTRY;
        let mut bytes = fixed.to_vec();
        source.take(rest as u64).read_to_end(&mut bytes).map_err(Error::Read)?;
        match bytes.len() == FIXED + rest {
            true => Ok(bytes),
            false => Err(Error::Truncated("header".into())),
        }
    }

    /// Understands the bytes before the seal.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let short = || Error::Truncated("header".into());
        let fixed = bytes.first_chunk().ok_or_else(short)?;
        let (metadata, _) = sizes(fixed)?;
        let (metadata, table) = bytes[FIXED..].split_at_checked(metadata).ok_or_else(short)?;
        let about: About = serde_json::from_slice(metadata).map_err(|error| Error::Metadata(error.to_string()))?;
        about.check()?;
        let header = Self {
            about,
            chunks: table.chunks_exact(ENTRY).filter_map(entry).collect(),
        };
        header.check()?;
        Ok(header)
    }

    fn check(&self) -> Result<(), Error> {
        if self.chunks.len() as u64 != self.about.chunks() {
            let (bytes, chunks) = (self.about.slot_bytes, self.chunks.len());
            let text = format!("`slot_bytes` is {bytes}, which is not what {chunks} chunks hold");
            return Err(Error::Metadata(text));
        }
        for chunk in &self.chunks {
            bounds("bytes of a chunk", chunk.stored.into(), 0, MOST_STORED)?;
        }
        Ok(())
    }
}

impl About {
    pub(super) fn print(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        serde_json::to_vec(self).map_err(|error| Error::Metadata(error.to_string()))
    }

    /// Where the seal is.
    pub(super) fn seal_at(&self) -> Result<u64, Error> {
        let metadata = self.print()?.len() as u64;
        Ok(FIXED as u64 + metadata + self.chunks() * ENTRY as u64)
    }
}

/// Bytes of metadata, and number of chunks.
fn sizes(fixed: &[u8; FIXED]) -> Result<(usize, usize), Error> {
    let number = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    if number(8) != VERSION {
        return Err(Error::Version(number(8)));
    }
    bounds("bytes of metadata", number(12).into(), 2, MOST_METADATA)?;
    bounds("chunks", number(16).into(), 1, MOST_CHUNKS)?;
    Ok((number(12) as usize, number(16) as usize))
}

fn bounds(what: &'static str, found: u64, least: u64, most: usize) -> Result<(), Error> {
    let most = most as u64;
    match (least..=most).contains(&found) {
        true => Ok(()),
        false => Err(Error::Bounds {
            what,
            found,
            least,
            most,
        }),
    }
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    let (stored, sums) = bytes.split_first_chunk()?;
    let (stored_sum, sum) = sums.split_first_chunk()?;
    Some(Entry {
        stored: u32::from_le_bytes(*stored),
        stored_sum: *stored_sum,
        sum: *sum.first_chunk()?,
    })
}
