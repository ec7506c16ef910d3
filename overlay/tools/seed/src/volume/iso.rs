//! ISO 9660 (ECMA-119) with the long names of Joliet or Rock Ridge (IEEE P1282, `NM`): as much of it as finding files takes.
//! The crates for it are unfinished or have not been touched for years; this is small, and fuzzed.

use std::io::{self, Error, Read, Seek};

use super::blocks::Blocks;

/// Bytes of a sector.
const SECTOR: u64 = 2048;
/// The first volume descriptor.
const FIRST: u64 = 16;
/// Volume descriptors that are looked at.
const DESCRIPTORS: u64 = 16;
/// Bytes of a directory that are looked at.
const DIRECTORY: u64 = 256 * 1024;

/// A disc.
pub struct Disc {
    /// The name of its volume.
    pub label: String,
    root: Extent,
    names: Names,
}

#[derive(Debug, Clone, Copy)]
struct Extent {
    sector: u64,
    length: u64,
    is_directory: bool,
}

/// How names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// In Latin letters, with the real one in a Rock Ridge entry if there is one.
    Plain,
    /// In UCS-2.
    Joliet,
}

impl Disc {
    /// Reads the volume descriptors; None: it is no disc.
    pub fn open<R: Read + Seek>(blocks: &mut Blocks<R>) -> io::Result<Option<Self>> {
        let mut disc: Option<Self> = None;
        for number in FIRST..FIRST + DESCRIPTORS {
            let mut sector = [0; SECTOR as usize];
            blocks.read_at(number * SECTOR, &mut sector)?;
            if &sector[1..6] != b"CD001" || sector[0] == 255 {
                break;
            }
            let is_joliet = matches!(&sector[88..91], b"%/@" | b"%/C" | b"%/E");
            match (sector[0], &mut disc) {
                (1, None) => {
                    let label = String::from_utf8_lossy(&sector[40..72]).trim().to_owned();
                    let (root, names) = (extent(&sector[156..190]), Names::Plain);
                    disc = Some(Self { label, root, names });
                }
                (2, Some(disc)) if is_joliet => {
                    (disc.root, disc.names) = (extent(&sector[156..190]), Names::Joliet);
                }
                _ => {}
            }
        }
        Ok(disc)
    }

    /// The contents of a file, if it is there.
    pub fn file<R: Read + Seek>(&self, blocks: &mut Blocks<R>, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let mut found = self.root;
        for name in path.split('/') {
            match self.find(blocks, found, name)? {
                Some(next) => found = next,
                None => return Ok(None),
            }
        }
        if found.is_directory {
            return Err(Error::other(format!("{path} is a directory")));
        }
        if found.length > most {
            return Err(Error::other(format!("{path} has more than {most} bytes")));
        }
        let mut bytes = vec![0; found.length as usize];
        blocks.read_at(found.sector * SECTOR, &mut bytes)?;
        Ok(Some(bytes))
    }

    fn find<R: Read + Seek>(&self, blocks: &mut Blocks<R>, folder: Extent, name: &str) -> io::Result<Option<Extent>> {
        let mut bytes = vec![0; folder.length.min(DIRECTORY) as usize];
        blocks.read_at(folder.sector * SECTOR, &mut bytes)?;
        // A record does not reach into the next sector.
        for sector in bytes.chunks(SECTOR as usize) {
            let mut rest = sector;
            while let Some(length) = rest
                .first()
                .map(|length| usize::from(*length))
                .filter(|length| *length >= 34)
            {
                let Some((record, behind)) = rest.split_at_checked(length) else {
                    break;
                };
                if self.name(record).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
                    return Ok(Some(extent(record)));
                }
                rest = behind;
            }
        }
        Ok(None)
    }

    fn name(&self, record: &[u8]) -> Option<String> {
        let length = usize::from(record[32]);
        let raw = record.get(33..33 + length)?;
        let plain = match self.names {
            Names::Joliet => {
                let units = raw.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
                String::from_utf16_lossy(&units.collect::<Vec<_>>())
            }
            Names::Plain => match rock_ridge(record.get(33 + length + (length + 1) % 2..).unwrap_or_default()) {
                Some(name) => return Some(name),
                None => String::from_utf8_lossy(raw).into_owned(),
            },
        };
        let name = plain.split(';').next().unwrap_or_default();
        Some(name.trim_end_matches('.').to_owned())
    }
}

/// Where and what a directory record stands for.
fn extent(record: &[u8]) -> Extent {
    let number = |at: usize| {
        let bytes = record.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        u64::from(u32::from_le_bytes(bytes.unwrap_or_default()))
    };
    Extent {
        sector: number(2),
        length: number(10),
        is_directory: record.get(25).is_some_and(|flags| flags & 2 != 0),
    }
}

/// The name in the system use area of a record.
fn rock_ridge(mut area: &[u8]) -> Option<String> {
    while let Some(&[first, second, length, _]) = area.first_chunk::<4>() {
        let (entry, behind) = area.split_at_checked(usize::from(length).max(4))?;
        if (first, second) == (b'N', b'M') {
            return Some(String::from_utf8_lossy(entry.get(5..)?).into_owned());
        }
        area = behind;
    }
    None
}
