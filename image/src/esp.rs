//! The EFI system partition: FAT16 with one file, `EFI/BOOT/BOOTX64.EFI`.
//!
//! Facts are from Microsoft's FAT specification (fatgen103). No clock and no chance: the same program, the same bytes.

use crate::piece::Piece;

/// Fewest bytes in the partition; a multiple of [`STEP`].
const LEAST: u64 = 32 << 20;
/// Bytes that are left free at least.
const FREE: u64 = 8 << 20;
/// The partition has a multiple of so many bytes.
const STEP: u64 = 1 << 20;
/// Most bytes in the program.
pub const PROGRAM_MAX: u64 = 224 << 20;

const SECTOR: usize = 512;
const CLUSTER: usize = 4096;
const RESERVED: usize = 8;
const ROOT_ENTRIES: usize = 512;
const MEDIA: u8 = 0xf8;
const DIRECTORY: u8 = 0x10;
const VOLUME: u8 = 0x08;
const ARCHIVE: u8 = 0x20;
const END_OF_CHAIN: u16 = 0xffff;
/// 1980-01-01, the first day FAT knows.
const DATE: u16 = 0x0021;

/// First clusters, in the order of use.
const EFI_CLUSTER: u16 = 2;
const BOOT_CLUSTER: u16 = 3;
const PROGRAM_CLUSTER: u16 = 4;

/// Bytes in a partition for a program of so many bytes, at most [`PROGRAM_MAX`].
pub fn size_for(program: u64) -> u64 {
    (program + FREE).next_multiple_of(STEP).max(LEAST)
}

/// Where the parts of a partition lie.
struct Geometry {
    size: u64,
    /// Sectors in each of the two tables.
    fat_sectors: usize,
}

impl Geometry {
    fn new(size: u64) -> Self {
        // A few entries too many: the tables themselves take the place of clusters.
        let clusters = size as usize / CLUSTER;
        Self {
            size,
            fat_sectors: (2 * clusters).div_ceil(SECTOR),
        }
    }

    fn root_at(&self) -> usize {
        (RESERVED + 2 * self.fat_sectors) * SECTOR
    }

    fn data_at(&self) -> usize {
        self.root_at() + ROOT_ENTRIES * 32
    }

    fn cluster_at(&self, cluster: u16) -> u64 {
        (self.data_at() + usize::from(cluster - 2) * CLUSTER) as u64
    }
}

/// A partition of [`size_for`] bytes as pieces from its start; `program` is what the firmware starts.
pub fn lay_out(program: Vec<u8>, id: u32) -> Vec<Piece> {
    let geometry = Geometry::new(size_for(program.len() as u64));
    let clusters = program.len().div_ceil(CLUSTER) as u16;
    let fat = fat(clusters, &geometry);
    let size = program.len() as u32;
    let directories = [
        entry(b".          ", DIRECTORY, EFI_CLUSTER, 0),
        entry(b"..         ", DIRECTORY, 0, 0),
        entry(b"BOOT       ", DIRECTORY, BOOT_CLUSTER, 0),
    ];
    let boot = [
        entry(b".          ", DIRECTORY, BOOT_CLUSTER, 0),
        entry(b"..         ", DIRECTORY, EFI_CLUSTER, 0),
        entry(b"BOOTX64 EFI", ARCHIVE, PROGRAM_CLUSTER, size),
    ];
    let root = [
        entry(b"EFISYS     ", VOLUME, 0, 0),
        entry(b"EFI        ", DIRECTORY, EFI_CLUSTER, 0),
    ];
    vec![
        Piece::bytes(0, boot_sector(id, &geometry)),
        Piece::bytes((RESERVED * SECTOR) as u64, fat.clone()),
        Piece::bytes(((RESERVED + geometry.fat_sectors) * SECTOR) as u64, fat),
        Piece::bytes(geometry.root_at() as u64, root.concat()),
        Piece::bytes(geometry.cluster_at(EFI_CLUSTER), directories.concat()),
        Piece::bytes(geometry.cluster_at(BOOT_CLUSTER), boot.concat()),
        Piece::bytes(geometry.cluster_at(PROGRAM_CLUSTER), program),
    ]
}

fn boot_sector(id: u32, geometry: &Geometry) -> Vec<u8> {
    let mut sector = vec![0; SECTOR];
    let sectors = (geometry.size / SECTOR as u64) as u32;
    sector[..11].copy_from_slice(b"\xeb\x3c\x90NGFORGE ");
    sector[11..13].copy_from_slice(&(SECTOR as u16).to_le_bytes());
    sector[13] = (CLUSTER / SECTOR) as u8;
    sector[14..16].copy_from_slice(&(RESERVED as u16).to_le_bytes());
    sector[16] = 2;
    sector[17..19].copy_from_slice(&(ROOT_ENTRIES as u16).to_le_bytes());
    sector[21] = MEDIA;
    sector[22..24].copy_from_slice(&(geometry.fat_sectors as u16).to_le_bytes());
    sector[24..26].copy_from_slice(&63u16.to_le_bytes());
    sector[26..28].copy_from_slice(&255u16.to_le_bytes());
    sector[32..36].copy_from_slice(&sectors.to_le_bytes());
    sector[36] = 0x80;
    sector[38] = 0x29;
    sector[39..43].copy_from_slice(&id.to_le_bytes());
    sector[43..54].copy_from_slice(b"EFISYS     ");
    sector[54..62].copy_from_slice(b"FAT16   ");
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

fn fat(program_clusters: u16, geometry: &Geometry) -> Vec<u8> {
    let mut entries = vec![0xff00 | u16::from(MEDIA), END_OF_CHAIN, END_OF_CHAIN, END_OF_CHAIN];
    entries.extend((1..program_clusters).map(|next| PROGRAM_CLUSTER + next));
    entries.extend((program_clusters > 0).then_some(END_OF_CHAIN));
    let mut bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
    bytes.resize(geometry.fat_sectors * SECTOR, 0);
    bytes
}

fn entry(name: &[u8; 11], attributes: u8, cluster: u16, size: u32) -> Vec<u8> {
    let mut bytes = vec![0; 32];
    bytes[..11].copy_from_slice(name);
    bytes[11] = attributes;
    for date in [16, 18, 24] {
        bytes[date..date + 2].copy_from_slice(&DATE.to_le_bytes());
    }
    bytes[26..28].copy_from_slice(&cluster.to_le_bytes());
    bytes[28..].copy_from_slice(&size.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_as_many_clusters_as_fat16_wants_and_its_table_holds() {
        for program in [0, 1, 24 << 20, 31 << 20, PROGRAM_MAX] {
            let geometry = Geometry::new(size_for(program));
            let clusters = (geometry.size as usize - geometry.data_at()) / CLUSTER;
            assert!((4085..65525).contains(&clusters), "{program}: {clusters}");
            assert!((clusters + 2) * 2 <= geometry.fat_sectors * SECTOR, "{program}");
            assert!(program + 2 * CLUSTER as u64 <= (clusters * CLUSTER) as u64, "{program}");
        }
    }

    #[test]
    fn chains_end() {
        let fat = fat(3, &Geometry::new(LEAST));
        let words: Vec<u16> = fat
            .chunks(2)
            .map(|word| u16::from_le_bytes([word[0], word[1]]))
            .collect();
        assert_eq!(words[4..8], [5, 6, END_OF_CHAIN, 0]);
    }
}
