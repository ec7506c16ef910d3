//! The EFI system partition: FAT16 with one file, `EFI/BOOT/BOOTX64.EFI`.
//!
//! Facts are from Microsoft's FAT specification (fatgen103). No clock and no chance: the same loader, the same bytes.

use crate::piece::Piece;

/// Bytes in the partition.
pub const SIZE: u64 = 32 << 20;
/// Most bytes in the loader; it leaves the partition some room.
pub const LOADER_MAX: u64 = 24 << 20;

const SECTOR: usize = 512;
const CLUSTER: usize = 4096;
const RESERVED: usize = 8;
const FAT_SECTORS: usize = 32;
const ROOT_ENTRIES: usize = 512;
const ROOT_AT: usize = (RESERVED + 2 * FAT_SECTORS) * SECTOR;
const DATA_AT: usize = ROOT_AT + ROOT_ENTRIES * 32;
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
const LOADER_CLUSTER: u16 = 4;

/// The partition as pieces from its start; `loader` is at most [`LOADER_MAX`] bytes.
pub fn lay_out(loader: Vec<u8>, id: u32) -> Vec<Piece> {
    let clusters = loader.len().div_ceil(CLUSTER) as u16;
    let fat = fat(clusters);
    let size = loader.len() as u32;
    let directories = [
        entry(b".          ", DIRECTORY, EFI_CLUSTER, 0),
        entry(b"..         ", DIRECTORY, 0, 0),
        entry(b"BOOT       ", DIRECTORY, BOOT_CLUSTER, 0),
    ];
    let boot = [
        entry(b".          ", DIRECTORY, BOOT_CLUSTER, 0),
        entry(b"..         ", DIRECTORY, EFI_CLUSTER, 0),
        entry(b"BOOTX64 EFI", ARCHIVE, LOADER_CLUSTER, size),
    ];
    let root = [
        entry(b"EFISYS     ", VOLUME, 0, 0),
        entry(b"EFI        ", DIRECTORY, EFI_CLUSTER, 0),
    ];
    vec![
        Piece::bytes(0, boot_sector(id)),
        Piece::bytes((RESERVED * SECTOR) as u64, fat.clone()),
        Piece::bytes(((RESERVED + FAT_SECTORS) * SECTOR) as u64, fat),
        Piece::bytes(ROOT_AT as u64, root.concat()),
        Piece::bytes(cluster_at(EFI_CLUSTER), directories.concat()),
        Piece::bytes(cluster_at(BOOT_CLUSTER), boot.concat()),
        Piece::bytes(cluster_at(LOADER_CLUSTER), loader),
    ]
}

fn cluster_at(cluster: u16) -> u64 {
    (DATA_AT + usize::from(cluster - 2) * CLUSTER) as u64
}

fn boot_sector(id: u32) -> Vec<u8> {
    let mut sector = vec![0; SECTOR];
    let sectors = (SIZE / SECTOR as u64) as u32;
    sector[..11].copy_from_slice(b"\xeb\x3c\x90NGFORGE ");
    sector[11..13].copy_from_slice(&(SECTOR as u16).to_le_bytes());
    sector[13] = (CLUSTER / SECTOR) as u8;
    sector[14..16].copy_from_slice(&(RESERVED as u16).to_le_bytes());
    sector[16] = 2;
    sector[17..19].copy_from_slice(&(ROOT_ENTRIES as u16).to_le_bytes());
    sector[21] = MEDIA;
    sector[22..24].copy_from_slice(&(FAT_SECTORS as u16).to_le_bytes());
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

fn fat(loader_clusters: u16) -> Vec<u8> {
    let mut entries = vec![0xff00 | u16::from(MEDIA), END_OF_CHAIN, END_OF_CHAIN, END_OF_CHAIN];
    entries.extend((1..loader_clusters).map(|next| LOADER_CLUSTER + next));
    entries.extend((loader_clusters > 0).then_some(END_OF_CHAIN));
    let mut bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
    bytes.resize(FAT_SECTORS * SECTOR, 0);
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
        let clusters = (SIZE as usize - DATA_AT) / CLUSTER;
        assert!((4085..65525).contains(&clusters));
        assert!((clusters + 2) * 2 <= FAT_SECTORS * SECTOR);
        assert!(LOADER_MAX < (clusters * CLUSTER) as u64);
    }

    #[test]
    fn chains_end() {
        let fat = fat(3);
        let words: Vec<u16> = fat
            .chunks(2)
            .map(|word| u16::from_le_bytes([word[0], word[1]]))
            .collect();
        assert_eq!(words[4..8], [5, 6, END_OF_CHAIN, 0]);
    }
}
