//! The superblock: `struct fs` of FreeBSD's sys/ufs/ffs/fs.h, 1376 bytes in one fragment.

use super::fields::Fields;
use super::geometry::*;

/// Identifies UFS2.
pub const MAGIC: u32 = 0x1954_0119;
/// Longest volume label, without the terminating zero.
pub const LABEL_MAX: usize = 31;

const SOFT_UPDATES: u32 = 0x2;
const CHECK_HASHES: u32 = 0x200;
/// Hashes kept over superblock, group headers and inodes.
const HASHED: u32 = 0x1 | 0x2 | 0x4;
/// Flags live in the 32-bit field, not in the byte that UFS1 used.
const FLAGS_MOVED: u8 = 0x80;
/// Percentage of space that only root may fill.
const MIN_FREE: u32 = 8;
const MAX_CONTIG: u32 = 32;
const AVERAGE_FILE: u32 = 16 * 1024;
const AVERAGE_DIRECTORY: u32 = 64;

/// Free and used things, of one group or of the whole file system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Directories.
    pub directories: u64,
    /// Wholly free blocks.
    pub free_blocks: u64,
    /// Free inodes.
    pub free_inodes: u64,
    /// Free fragments in blocks that are partly used.
    pub free_frags: u64,
}

impl Totals {
    /// Adds another group.
    pub fn add(&mut self, other: &Self) {
        self.directories += other.directories;
        self.free_blocks += other.free_blocks;
        self.free_inodes += other.free_inodes;
        self.free_frags += other.free_frags;
    }

    /// As `struct csum`.
    pub fn to_summary(self) -> [u8; SUMMARY as usize] {
        let mut bytes = [0; SUMMARY as usize];
        let values = [self.directories, self.free_blocks, self.free_inodes, self.free_frags];
        for (slot, value) in bytes.chunks_exact_mut(4).zip(values) {
            slot.copy_from_slice(&(value as u32).to_le_bytes());
        }
        bytes
    }
}

/// What the superblock says besides the geometry.
#[derive(Debug, Clone)]
pub struct Identity<'a> {
    /// Volume label, at most [`LABEL_MAX`] bytes; shows up as `/dev/ufs/<label>`.
    pub label: &'a str,
    /// Seconds since 1970 of the last write.
    pub time: i64,
    /// Second half of the file system's id.
    pub id: u32,
}

/// The superblock as it stands at byte `at` of the file system.
pub fn encode(geometry: &Geometry, totals: &Totals, identity: &Identity<'_>, at: u64) -> Vec<u8> {
    let mut fields = Fields::zeroed(FRAG as usize);
    put_layout(&mut fields, geometry);
    put_shifts(&mut fields);
    put_state(&mut fields, geometry, totals, identity);
    fields.u64(992, at).u64(1000, SUPERBLOCK_AT).u32(1372, MAGIC);
    fields.seal(1304)
}

fn put_layout(fields: &mut Fields, geometry: &Geometry) {
    let per_group = geometry.per_group;
    fields
        .u32(8, SBLKNO)
        .u32(12, CBLKNO)
        .u32(16, IBLKNO)
        .u32(20, geometry.data_start())
        .u32(44, geometry.groups)
        .u32(156, geometry.summary_frags() * FRAG as u32)
        .u32(160, geometry.group_size())
        .u32(184, geometry.inodes)
        .u32(188, per_group)
        .u64(872, geometry.frags)
        .u64(880, u64::from(per_group) * u64::from(MIN_FREE) / 200 / FRAGS * FRAGS)
        .u64(1080, geometry.frags)
        .u64(1088, geometry.data_frags())
        .u64(1096, u64::from(geometry.data_start()));
}

fn put_shifts(fields: &mut Fields) {
    let (block, frag) = (BLOCK as u32, FRAG as u32);
    fields
        .u32(48, block)
        .u32(52, frag)
        .u32(56, FRAGS as u32)
        .u32(60, MIN_FREE)
        .u32(72, !(block - 1))
        .u32(76, !(frag - 1))
        .u32(80, block.trailing_zeros())
        .u32(84, frag.trailing_zeros())
        .u32(88, MAX_CONTIG)
        .u32(92, POINTERS as u32)
        .u32(96, FRAGS.trailing_zeros())
        .u32(100, (frag / 512).trailing_zeros())
        .u32(104, frag)
        .u32(116, POINTERS as u32)
        .u32(120, INODES_PER_BLOCK)
        .u32(860, block)
        .u32(1196, AVERAGE_FILE)
        .u32(1200, AVERAGE_DIRECTORY)
        .u32(1316, CLUSTER_MAX)
        .u32(1320, super::inode::SHORT_LINK as u32)
        .u64(1328, max_file_size())
        .u64(1336, BLOCK - 1)
        .u64(1344, FRAG - 1);
}

fn put_state(fields: &mut Fields, geometry: &Geometry, totals: &Totals, identity: &Identity<'_>) {
    let label = identity.label.as_bytes();
    fields
        .u32(144, identity.time as u32)
        .u32(148, identity.id)
        .slice(209, &[1, 0, FLAGS_MOVED])
        .slice(680, &label[..label.len().min(LABEL_MAX)])
        .u64(1008, totals.directories)
        .u64(1016, totals.free_blocks)
        .u64(1024, totals.free_inodes)
        .u64(1032, totals.free_frags)
        .u64(1072, identity.time as u64)
        .u32(1308, HASHED)
        .u32(1312, SOFT_UPDATES | CHECK_HASHES);
    debug_assert!(totals.free_inodes <= geometry.usable_inodes());
}

/// Bytes in the largest file that twelve direct and three levels of indirect addresses reach.
pub fn max_file_size() -> u64 {
    BLOCK * (DIRECT + POINTERS + POINTERS.pow(2) + POINTERS.pow(3)) - 1
}

/// What newfs(8) leaves in the last 20 bytes before the superblock so that fsck_ffs(8) finds the backups.
pub fn recovery(geometry: &Geometry) -> Vec<u8> {
    let mut fields = Fields::zeroed(512);
    fields
        .u32(492, MAGIC)
        .u32(496, (FRAG as u32 / 512).trailing_zeros())
        .u32(500, SBLKNO)
        .u32(504, geometry.per_group)
        .u32(508, geometry.groups);
    fields.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::fields::check_hash;
    use super::*;

    #[test]
    fn hash_covers_the_fragment_with_the_hash_field_zero() {
        let geometry = Geometry::new(64 << 20, 2, None).unwrap();
        let identity = Identity {
            label: "root",
            time: 1_700_000_000,
            id: 7,
        };
        let mut bytes = encode(&geometry, &Totals::default(), &identity, SUPERBLOCK_AT);
        let stored = u32::from_le_bytes(bytes[1304..1308].try_into().unwrap());
        bytes[1304..1308].fill(0);
        assert_eq!(stored, check_hash(&bytes));
        assert_eq!(bytes.len() as u64, FRAG);
    }

    #[test]
    fn the_largest_file_matches_the_kernels_sum() {
        let mut sum = BLOCK * DIRECT - 1;
        let mut level = BLOCK;
        for _ in 0..3 {
            level *= POINTERS;
            sum += level;
        }
        assert_eq!(max_file_size(), sum);
    }
}
