//! Microsoft's VHD of fixed size (Virtual Hard Disk Image Format Specification 1.0): the disk, and 512 bytes that
//! describe it.
//!
//! Azure takes no other kind, and only in whole MiB. All numbers have their highest byte first.

use std::io;

use super::ids::Ids;
use super::stream::Stream;
use super::{CLUSTER, Chunk, Finished, Sink, Twin};

/// Bytes in the footer.
const FOOTER: usize = 512;
/// Bytes in a sector.
const SECTOR: u64 = 512;
/// Readers that know this creator take the size from the footer; for others' disks they compute it from the geometry,
/// which is too coarse.
const CREATOR: &[u8; 4] = b"qem2";
/// Where the checksum stands in the footer.
const CHECKSUM_AT: usize = 64;

/// Writes a VHD image.
pub struct Vhd {
    stream: Stream,
    size: u64,
    id: [u8; 16],
}

impl Vhd {
    /// Starts an image of a disk of `size` bytes.
    pub fn new(twin: Twin, size: u64, ids: &Ids) -> Self {
        Self {
            stream: Stream::new(twin),
            size,
            id: ids.uuid("vhd"),
        }
    }
}

impl Sink for Vhd {
    fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        for (bytes, used) in chunk.bytes.chunks(CLUSTER as usize).zip(&chunk.used) {
            match used {
                true => self.stream.append(bytes)?,
                false => self.stream.append_zeros(bytes)?,
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<Finished> {
        self.stream.append(&footer(self.size, self.id))?;
        Ok(self.stream.finish())
    }
}

fn footer(size: u64, id: [u8; 16]) -> [u8; FOOTER] {
    let (cylinders, heads, sectors) = geometry(size / SECTOR);
    let mut bytes = Vec::with_capacity(FOOTER);
    bytes.extend_from_slice(b"conectix");
    bytes.extend_from_slice(&2u32.to_be_bytes());
    bytes.extend_from_slice(&0x0001_0000u32.to_be_bytes());
    // There is no dynamic header.
    bytes.extend_from_slice(&u64::MAX.to_be_bytes());
    // Made at the beginning of the year 2000, the format's oldest time: the same disk gives the same bytes.
    bytes.extend_from_slice(&0u32.to_be_bytes());
    bytes.extend_from_slice(CREATOR);
    bytes.extend_from_slice(&0x0001_0000u32.to_be_bytes());
    bytes.extend_from_slice(b"Wi2k");
    bytes.extend_from_slice(&size.to_be_bytes());
    bytes.extend_from_slice(&size.to_be_bytes());
    bytes.extend_from_slice(&cylinders.to_be_bytes());
    bytes.extend_from_slice(&[heads, sectors]);
    // Fixed size.
    bytes.extend_from_slice(&2u32.to_be_bytes());
    bytes.extend_from_slice(&0u32.to_be_bytes());
    bytes.extend_from_slice(&id);
    let mut footer = [0; FOOTER];
    footer[..bytes.len()].copy_from_slice(&bytes);
    let sum = footer.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    footer[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&(!sum).to_be_bytes());
    footer
}

/// Cylinders, heads and sectors per track, as the specification's appendix computes them.
fn geometry(sectors: u64) -> (u16, u8, u8) {
    let sectors = sectors.min(65535 * 16 * 255);
    if sectors >= 65535 * 16 * 63 {
        return ((sectors / 255 / 16) as u16, 16, 255);
    }
    let mut per_track = 17;
    let mut tracks = sectors / per_track;
    let mut heads = tracks.div_ceil(1024).max(4);
    if tracks >= heads * 1024 || heads > 16 {
        (per_track, heads) = (31, 16);
        tracks = sectors / per_track;
    }
    if tracks >= heads * 1024 {
        (per_track, heads) = (63, 16);
        tracks = sectors / per_track;
    }
    ((tracks / heads) as u16, heads as u8, per_track as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_footer_s_fields_stand_where_the_specification_has_them() {
        let footer = footer(40 << 20, [7; 16]);
        assert_eq!(&footer[..8], b"conectix");
        assert_eq!(footer[40..56], [(40u64 << 20).to_be_bytes(); 2].concat());
        assert_eq!(footer[60..64], 2u32.to_be_bytes());
        assert_eq!(footer[68..84], [7; 16]);
        let others = footer.iter().map(|byte| u32::from(*byte)).sum::<u32>()
            - footer[64..68].iter().map(|byte| u32::from(*byte)).sum::<u32>();
        assert_eq!(footer[64..68], (!others).to_be_bytes());
    }

    #[test]
    fn geometries() {
        assert_eq!(geometry((40 << 20) / 512), (963, 5, 17));
        assert_eq!(geometry((1 << 30) / 512), (2080, 16, 63));
        assert_eq!(geometry((200 << 30) / 512), (65535, 16, 255));
    }
}
