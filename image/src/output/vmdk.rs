//! VMware's stream-optimized VMDK (Virtual Disk Format 5.0): compressed grains one after another, their addresses
//! behind them.
//!
//! It is what ESXi imports; VirtualBox and QEMU read it, too. The content id, which others draw at random, follows from
//! the disk. All numbers have their lowest byte first; addresses count sectors.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::ids::Ids;
use super::stream::Stream;
use super::{CLUSTER, Chunk, Finished, Sink, Twin};

const MAGIC: &[u8; 4] = b"KDMV";
const SECTOR: u64 = 512;
/// Sectors in a grain: one of ours.
const GRAIN: u64 = CLUSTER / SECTOR;
/// Entries in a grain table.
const ENTRIES: usize = 512;
/// Sectors of the descriptor, from sector 1 on.
const DESCRIPTOR: u64 = 20;
/// Sectors before the first grain.
const OVERHEAD: u64 = GRAIN;
/// Valid newline test, compressed grains, markers.
const FLAGS: u32 = 1 | 1 << 16 | 1 << 17;
/// A directory's address that is in the footer only.
const AT_END: u64 = u64::MAX;

/// What a marker announces.
#[derive(Clone, Copy)]
enum Marker {
    End = 0,
    Table = 1,
    Directory = 2,
    Footer = 3,
}

/// Writes a VMDK image.
pub struct Vmdk {
    stream: Stream,
    capacity: u64,
    table: Vec<u32>,
    directory: Vec<u32>,
}

impl Vmdk {
    /// Starts an image of a disk of `size` bytes that will be called `name`.
    pub fn new(twin: Twin, size: u64, name: &str, ids: &Ids) -> io::Result<Self> {
        let mut stream = Stream::new(twin);
        let capacity = size / SECTOR;
        stream.append(&header(capacity, AT_END))?;
        stream.append(descriptor(capacity, name, ids).as_bytes())?;
        stream.pad(OVERHEAD * SECTOR)?;
        Ok(Self {
            stream,
            capacity,
            table: Vec::with_capacity(ENTRIES),
            directory: Vec::new(),
        })
    }

    /// The sector that is written next.
    fn next(&self) -> io::Result<u32> {
        u32::try_from(self.stream.len() / SECTOR)
            .map_err(|_| io::Error::other("a stream-optimized vmdk file cannot be larger than 2 TiB"))
    }

    fn grain(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes)?;
        let packed = encoder.finish()?;
        self.stream.append(&at.to_le_bytes())?;
        self.stream.append(&(packed.len() as u32).to_le_bytes())?;
        self.stream.append(&packed)?;
        self.stream.pad(SECTOR)
    }

    fn marker(&mut self, sectors: u64, kind: Marker) -> io::Result<()> {
        self.stream.append(&sectors.to_le_bytes())?;
        self.stream.append(&0u32.to_le_bytes())?;
        self.stream.append(&(kind as u32).to_le_bytes())?;
        self.stream.pad(SECTOR)
    }

    /// Writes the addresses of the grains since the last table; none if they are all empty.
    fn end_table(&mut self) -> io::Result<()> {
        let mut table = std::mem::take(&mut self.table);
        if table.iter().all(|address| *address == 0) {
            self.directory.push(0);
            return Ok(());
        }
        table.resize(ENTRIES, 0);
        self.marker((ENTRIES * 4) as u64 / SECTOR, Marker::Table)?;
        self.directory.push(self.next()?);
        self.stream.append(&words(&table))
    }
}

impl Sink for Vmdk {
    fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        let grains = chunk.bytes.chunks(CLUSTER as usize).zip(&chunk.used).zip(0..);
        for ((bytes, used), index) in grains {
            let stored = *used && bytes.iter().any(|byte| *byte != 0);
            let address = if stored { self.next()? } else { 0 };
            if stored {
                self.grain(chunk.at / SECTOR + index * GRAIN, bytes)?;
            }
            self.table.push(address);
            if self.table.len() == ENTRIES {
                self.end_table()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<Finished> {
        if !self.table.is_empty() {
            self.end_table()?;
        }
        let directory = words(&self.directory);
        self.marker((directory.len() as u64).div_ceil(SECTOR), Marker::Directory)?;
        let at = u64::from(self.next()?);
        self.stream.append(&directory)?;
        self.stream.pad(SECTOR)?;
        self.marker(1, Marker::Footer)?;
        let footer = header(self.capacity, at);
        self.stream.append(&footer)?;
        self.marker(0, Marker::End)?;
        Ok(self.stream.finish())
    }
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn header(capacity: u64, directory: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&3u32.to_le_bytes());
    bytes.extend_from_slice(&FLAGS.to_le_bytes());
    for number in [capacity, GRAIN, 1, DESCRIPTOR] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&(ENTRIES as u32).to_le_bytes());
    for number in [0, directory, OVERHEAD] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(b"\n \r\n");
    // Compressed with deflate.
    bytes.extend_from_slice(&1u16.to_le_bytes());
    bytes.resize(SECTOR as usize, 0);
    bytes
}

/// The text that describes the disk to VMware's programs.
fn descriptor(capacity: u64, name: &str, ids: &Ids) -> String {
    let cylinders = (capacity / (255 * 63)).clamp(1, 65535);
    format!(
        "# Disk DescriptorFile\nversion=1\nCID={:08x}\nparentCID=ffffffff\ncreateType=\"streamOptimized\"\n\n\
         # Extent description\nRW {capacity} SPARSE \"{name}\"\n\n\
         # The Disk Data Base\n#DDB\n\nddb.virtualHWVersion = \"4\"\nddb.adapterType = \"lsilogic\"\n\
         ddb.geometry.cylinders = \"{cylinders}\"\nddb.geometry.heads = \"255\"\nddb.geometry.sectors = \"63\"\n",
        ids.number("vmdk")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_s_fields_stand_where_the_specification_has_them() {
        let bytes = header(2048, AT_END);
        assert_eq!(bytes.len(), 512);
        assert_eq!(bytes[12..20], 2048u64.to_le_bytes());
        assert_eq!(bytes[44..48], 512u32.to_le_bytes());
        assert_eq!(bytes[56..64], [0xff; 8], "the directory is at the end");
        assert_eq!(bytes[72..79], [0, b'\n', b' ', b'\r', b'\n', 1, 0]);
    }

    #[test]
    fn the_descriptor_fits_its_sectors() {
        let text = descriptor(u64::MAX, &"x".repeat(255), &Ids::new(0, &[]));
        assert!((text.len() as u64) < DESCRIPTOR * SECTOR);
    }
}
