//! GUID partition table with protective MBR and backup (UEFI specification, chapter 5).

use sha2::{Digest, Sha256};

use crate::piece::Piece;

/// Bytes in a sector.
pub const SECTOR: u64 = 512;
/// Sectors for the table at either end: MBR (front only), header and 128 entries.
const TABLE_SECTORS: u64 = 33;
const ENTRIES: usize = 128;
const ENTRY: usize = 128;
/// Longest label, in UTF-16 units.
pub const LABEL_MAX: usize = 36;

/// EFI system partition.
pub const TYPE_EFI: Guid = guid(
    0xc12a_7328,
    0xf81f,
    0x11d2,
    [0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b],
);
/// freebsd-ufs.
pub const TYPE_UFS: Guid = guid(
    0x516e_7cb6,
    0x6ecf,
    0x11d6,
    [0x8f, 0xf8, 0x00, 0x02, 0x2d, 0x09, 0x71, 0x2b],
);

/// freebsd-boot: a program that the code in the MBR loads.
pub const TYPE_BOOT: Guid = guid(
    0x83bd_6b9d,
    0x7f41,
    0x11dc,
    [0xbe, 0x0b, 0x00, 0x15, 0x60, 0xb8, 0x4f, 0x0f],
);
/// An entry that is not used.
const TYPE_UNUSED: Guid = [0; 16];
/// Most bytes of boot code in the MBR.
pub const CODE_MAX: usize = 440;

/// A GUID as it stands on the disk.
pub type Guid = [u8; 16];

const fn guid(a: u32, b: u16, c: u16, d: [u8; 8]) -> Guid {
    let (a, b, c) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes());
    [
        a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7],
    ]
}

/// A GUID that depends on nothing but `seed`, marked as version 8 (RFC 9562: custom).
pub fn derived_guid(seed: &str) -> Guid {
    let hash = Sha256::digest(seed.as_bytes());
    let mut guid = [0; 16];
    guid.copy_from_slice(&hash[..16]);
    guid[7] = guid[7] & 0x0f | 0x80;
    guid[8] = guid[8] & 0x3f | 0x80;
    guid
}

/// One partition.
#[derive(Debug, Clone)]
pub struct Partition<'a> {
    /// What it is for.
    pub kind: Guid,
    /// Its own id.
    pub id: Guid,
    /// First byte; a multiple of [`SECTOR`].
    pub at: u64,
    /// Bytes; a multiple of [`SECTOR`].
    pub len: u64,
    /// Label, at most [`LABEL_MAX`] UTF-16 units; shows up as `/dev/gpt/<label>`.
    pub label: &'a str,
}

impl Partition<'_> {
    /// An entry that is left free, so that those behind it keep their numbers.
    pub const fn unused() -> Self {
        Partition {
            kind: TYPE_UNUSED,
            id: TYPE_UNUSED,
            at: 0,
            len: 0,
            label: "",
        }
    }
}

/// The tables of a disk of `size` bytes, as pieces; `code` is what a BIOS starts, at most [`CODE_MAX`] bytes.
pub fn lay_out(size: u64, id: Guid, partitions: &[Partition<'_>], code: &[u8]) -> Vec<Piece> {
    let last = size / SECTOR - 1;
    let mut entries: Vec<u8> = partitions.iter().flat_map(encode_entry).collect();
    entries.resize(ENTRIES * ENTRY, 0);
    let crc = crc32fast::hash(&entries);
    let backup_entries = last - (TABLE_SECTORS - 1);
    vec![
        Piece::bytes(0, protective_mbr(last, code)),
        Piece::bytes(SECTOR, header(1, last, 2, last, id, crc)),
        Piece::bytes(2 * SECTOR, entries.clone()),
        Piece::bytes(backup_entries * SECTOR, entries),
        Piece::bytes(last * SECTOR, header(last, 1, backup_entries, last, id, crc)),
    ]
}

fn protective_mbr(last: u64, code: &[u8]) -> Vec<u8> {
    let mut sector = vec![0; SECTOR as usize];
    let code = &code[..code.len().min(CODE_MAX)];
    sector[..code.len()].copy_from_slice(code);
    let covered = u32::try_from(last).unwrap_or(u32::MAX);
    sector[446..454].copy_from_slice(&[0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff]);
    sector[454..458].copy_from_slice(&1u32.to_le_bytes());
    sector[458..462].copy_from_slice(&covered.to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

fn header(here: u64, other: u64, entries: u64, last: u64, id: Guid, entries_crc: u32) -> Vec<u8> {
    let mut sector = vec![0; SECTOR as usize];
    sector[..8].copy_from_slice(b"EFI PART");
    sector[8..16].copy_from_slice(&[0, 0, 1, 0, 92, 0, 0, 0]);
    sector[24..32].copy_from_slice(&here.to_le_bytes());
    sector[32..40].copy_from_slice(&other.to_le_bytes());
    sector[40..48].copy_from_slice(&(TABLE_SECTORS + 1).to_le_bytes());
    sector[48..56].copy_from_slice(&(last - TABLE_SECTORS).to_le_bytes());
    sector[56..72].copy_from_slice(&id);
    sector[72..80].copy_from_slice(&entries.to_le_bytes());
    sector[80..84].copy_from_slice(&(ENTRIES as u32).to_le_bytes());
    sector[84..88].copy_from_slice(&(ENTRY as u32).to_le_bytes());
    sector[88..92].copy_from_slice(&entries_crc.to_le_bytes());
    let crc = crc32fast::hash(&sector[..92]);
    sector[16..20].copy_from_slice(&crc.to_le_bytes());
    sector
}

fn encode_entry(partition: &Partition<'_>) -> Vec<u8> {
    if partition.kind == TYPE_UNUSED {
        return vec![0; ENTRY];
    }
    let mut bytes = Vec::with_capacity(ENTRY);
    let first = partition.at / SECTOR;
    bytes.extend_from_slice(&partition.kind);
    bytes.extend_from_slice(&partition.id);
    bytes.extend_from_slice(&first.to_le_bytes());
    bytes.extend_from_slice(&(first + partition.len / SECTOR - 1).to_le_bytes());
    bytes.extend_from_slice(&0u64.to_le_bytes());
    let units = partition.label.encode_utf16().take(LABEL_MAX);
    bytes.extend(units.flat_map(u16::to_le_bytes));
    bytes.resize(ENTRY, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_stable_and_differ() {
        assert_eq!(derived_guid("a"), derived_guid("a"));
        assert_ne!(derived_guid("a"), derived_guid("b"));
    }

    #[test]
    fn both_headers_carry_their_own_checksum() {
        let pieces = lay_out(64 << 20, derived_guid("disk"), &[], &[]);
        let ends: Vec<u64> = pieces.iter().map(Piece::end).collect();
        assert_eq!(ends.last(), Some(&(64 << 20)));
        for piece in [&pieces[1], &pieces[4]] {
            let crate::piece::Source::Bytes(bytes) = &piece.source else {
                panic!("headers are bytes")
            };
            let mut bytes = bytes[..92].to_vec();
            let stored = u32::from_le_bytes(bytes[16..20].try_into().unwrap());
            bytes[16..20].fill(0);
            assert_eq!(stored, crc32fast::hash(&bytes));
        }
    }
}
