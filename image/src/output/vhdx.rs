//! Microsoft's VHDX of dynamic size (MS-VHDX): a table says which blocks are stored, and they follow in order.
//!
//! Which blocks are stored is known beforehand, so the file is written from its beginning to its end. Ids follow from the
//! disk. All numbers have their lowest byte first.

use std::io;

use super::ids::{Ids, mixed};
use super::stream::Stream;
use super::{CHUNK, CLUSTER, Chunk, Finished, Sink, Twin};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// Bytes in a block: the least there can be, and what Linux and FreeBSD guests waste least with.
const BLOCK: u64 = MIB;
const _: () = assert!(BLOCK == CHUNK * CLUSTER, "a chunk is a block");
/// Bytes in a sector.
const SECTOR: u64 = 512;
/// Blocks whose sector bitmap is one block; behind as many entries, the table has one for that bitmap.
const RATIO: u64 = (1 << 23) * SECTOR / BLOCK;
/// A block that is stored as a whole.
const FULLY_PRESENT: u64 = 6;
const LOG_AT: u64 = MIB;
const METADATA_AT: u64 = 2 * MIB;
const TABLE_AT: u64 = 3 * MIB;
/// Where items of metadata begin, from the region's start.
const ITEMS_AT: u32 = 64 * KIB as u32;

/// 2DC27766-F623-4200-9D64-115E9BFD4A08: the region of the block allocation table.
const TABLE_REGION: u128 = 0x2dc27766_f623_4200_9d64_115e9bfd4a08;
/// 8B7CA206-4790-4B9A-B8FE-575F050F886E: the region of the metadata.
const METADATA_REGION: u128 = 0x8b7ca206_4790_4b9a_b8fe_575f050f886e;
const FILE_PARAMETERS: u128 = 0xcaa16737_fa36_4d43_b3b6_33f0aa44e76b;
const DISK_SIZE: u128 = 0x2fa54224_cd1b_4876_b211_5dbed83bf4b8;
const LOGICAL_SECTOR: u128 = 0x8141bf1d_a96f_4709_ba47_f233a8faab5f;
const PHYSICAL_SECTOR: u128 = 0xcda348c7_445d_4471_9cc9_e9885251c556;
const DISK_ID: u128 = 0xbeca12ab_b2e6_4523_93ef_c309e000c746;

/// Writes a VHDX image.
pub struct Vhdx {
    stream: Stream,
}

impl Vhdx {
    /// Starts an image of a disk of `size` bytes of which `used` clusters are stored, and writes all its tables.
    pub fn new(twin: Twin, size: u64, used: &[bool], ids: &Ids) -> io::Result<Self> {
        let blocks: Vec<bool> = used.chunks(CHUNK as usize).map(|part| part.contains(&true)).collect();
        let table = table(&blocks);
        let mut stream = Stream::new(twin);
        stream.append(b"vhdxfile")?;
        stream.pad(64 * KIB)?;
        // The copy with the higher number counts.
        for number in [1, 2] {
            stream.append(&header(number, ids))?;
            stream.pad(64 * KIB)?;
        }
        for _ in 0..2 {
            stream.append(&regions(table.len() as u64))?;
        }
        // The log, which is empty, follows what is left of the first MiB.
        stream.pad(LOG_AT)?;
        stream.append(&vec![0; (METADATA_AT - LOG_AT) as usize])?;
        stream.append(&metadata(size, ids))?;
        stream.append(&table)?;
        Ok(Self { stream })
    }
}

impl Sink for Vhdx {
    fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        if !chunk.used.contains(&true) {
            return Ok(());
        }
        self.stream.append(&chunk.bytes)?;
        self.stream.pad(BLOCK)
    }

    fn finish(self: Box<Self>) -> io::Result<Finished> {
        Ok(self.stream.finish())
    }
}

fn header(number: u64, ids: &Ids) -> Vec<u8> {
    let mut bytes = b"head\0\0\0\0".to_vec();
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&ids.guid("vhdx file"));
    bytes.extend_from_slice(&ids.guid("vhdx data"));
    // No log to replay; its version is 0, the file's is 1.
    bytes.extend_from_slice(&[0; 16]);
    bytes.extend_from_slice(&0u16.to_le_bytes());
    bytes.extend_from_slice(&1u16.to_le_bytes());
    bytes.extend_from_slice(&((METADATA_AT - LOG_AT) as u32).to_le_bytes());
    bytes.extend_from_slice(&LOG_AT.to_le_bytes());
    bytes.resize(4 * KIB as usize, 0);
    with_checksum(bytes)
}

/// The table of the two regions, for a block allocation table of so many bytes.
fn regions(table: u64) -> Vec<u8> {
    let mut bytes = b"regi\0\0\0\0".to_vec();
    bytes.extend_from_slice(&2u32.to_le_bytes());
    bytes.extend_from_slice(&0u32.to_le_bytes());
    for (id, at, len) in [
        (TABLE_REGION, TABLE_AT, table),
        (METADATA_REGION, METADATA_AT, TABLE_AT - METADATA_AT),
    ] {
        bytes.extend_from_slice(&mixed(id.to_be_bytes()));
        bytes.extend_from_slice(&at.to_le_bytes());
        bytes.extend_from_slice(&(len as u32).to_le_bytes());
        // Whoever does not know it must not read the disk.
        bytes.extend_from_slice(&1u32.to_le_bytes());
    }
    bytes.resize(64 * KIB as usize, 0);
    with_checksum(bytes)
}

/// Puts CRC-32C of the whole, with zeros in its place, behind the signature.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32c::crc32c(&bytes);
    bytes[4..8].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn metadata(size: u64, ids: &Ids) -> Vec<u8> {
    /// The item is of the virtual disk, not of the file.
    const OF_DISK: u32 = 2;
    const REQUIRED: u32 = 4;
    let parameters = [(BLOCK as u32).to_le_bytes(), [0; 4]].concat();
    let items: [(u128, u32, Vec<u8>); 5] = [
        (FILE_PARAMETERS, REQUIRED, parameters),
        (DISK_SIZE, REQUIRED | OF_DISK, size.to_le_bytes().into()),
        (DISK_ID, REQUIRED | OF_DISK, ids.guid("vhdx disk").into()),
        (LOGICAL_SECTOR, REQUIRED | OF_DISK, (SECTOR as u32).to_le_bytes().into()),
        (PHYSICAL_SECTOR, REQUIRED | OF_DISK, 4096u32.to_le_bytes().into()),
    ];
    let mut bytes = b"metadata\0\0".to_vec();
    bytes.extend_from_slice(&(items.len() as u16).to_le_bytes());
    bytes.resize(32, 0);
    let mut at = ITEMS_AT;
    for (id, flags, value) in &items {
        bytes.extend_from_slice(&mixed(id.to_be_bytes()));
        for number in [at, value.len() as u32, *flags, 0] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        at += value.len() as u32;
    }
    bytes.resize(ITEMS_AT as usize, 0);
    items.iter().for_each(|(_, _, value)| bytes.extend_from_slice(value));
    bytes.resize((TABLE_AT - METADATA_AT) as usize, 0);
    bytes
}

/// The block allocation table: whole MiB, with the address of each block that is stored.
fn table(blocks: &[bool]) -> Vec<u8> {
    let last = (blocks.len() as u64).saturating_sub(1);
    let entries = blocks.len() as u64 + last / RATIO;
    let len = (entries * 8).next_multiple_of(MIB).max(MIB);
    let mut next = TABLE_AT + len;
    let mut bytes = Vec::with_capacity(len as usize);
    for (index, stored) in (0u64..).zip(blocks) {
        if index > 0 && index.is_multiple_of(RATIO) {
            // No sector bitmap: there is no parent.
            bytes.extend_from_slice(&[0; 8]);
        }
        let entry = if *stored { next | FULLY_PRESENT } else { 0 };
        next += if *stored { BLOCK } else { 0 };
        bytes.extend_from_slice(&entry.to_le_bytes());
    }
    bytes.resize(len as usize, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(table: &[u8], index: usize) -> u64 {
        u64::from_le_bytes(table[index * 8..][..8].try_into().unwrap())
    }

    #[test]
    fn stored_blocks_follow_the_table() {
        let table = table(&[true, false, true]);
        assert_eq!(table.len(), 1 << 20);
        assert_eq!(entry(&table, 0), (4 * MIB) | 6);
        assert_eq!(entry(&table, 1), 0);
        assert_eq!(entry(&table, 2), (5 * MIB) | 6);
    }

    #[test]
    fn every_so_many_blocks_there_is_an_entry_for_a_bitmap() {
        let mut blocks = vec![false; RATIO as usize + 1];
        blocks[RATIO as usize] = true;
        let table = table(&blocks);
        assert_eq!(entry(&table, RATIO as usize), 0);
        assert_eq!(entry(&table, RATIO as usize + 1), (4 * MIB) | 6);
    }

    #[test]
    fn checksums_cover_themselves_as_zeros() {
        let mut bytes = header(1, &Ids::new(0, &[]));
        let sum = bytes[4..8].to_vec();
        bytes[4..8].fill(0);
        assert_eq!(sum, crc32c::crc32c(&bytes).to_le_bytes());
    }
}
