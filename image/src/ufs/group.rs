//! Cylinder groups: `struct cg` of FreeBSD's sys/ufs/ffs/fs.h with its maps.

use super::fields::Fields;
use super::geometry::*;
use super::superblock::Totals;

const MAGIC: u32 = 0x0009_0255;
const FRAG_SUMS: usize = 52;

/// What lies in one group.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// Its number.
    pub index: u32,
    /// Taken fragments of each block.
    pub taken: &'a [u8],
    /// Inodes in use, which are the first ones of the group.
    pub used_inodes: u32,
    /// How many of these are directories.
    pub directories: u32,
    /// Seconds since 1970 of the last write.
    pub time: i64,
}

impl Group<'_> {
    /// How many inodes from the front carry valid contents, used or not (`cg_initediblk`).
    pub fn initialized(&self, geometry: &Geometry) -> u32 {
        let used = self.used_inodes.next_multiple_of(INODES_PER_BLOCK);
        used.max(2 * INODES_PER_BLOCK).min(geometry.inodes)
    }

    /// The header with its maps, and the group's totals.
    pub fn encode(&self, geometry: &Geometry) -> (Vec<u8>, Totals) {
        let maps = GroupMaps::new(geometry.per_group, geometry.inodes);
        let mut fields = Fields::zeroed(geometry.group_size() as usize);
        self.put_header(&mut fields, geometry, &maps);
        for inode in 0..self.used_inodes {
            fields.bit(maps.inodes as usize, inode as usize);
        }
        let mut totals = self.put_frags(&mut fields, &maps);
        totals.directories = u64::from(self.directories);
        totals.free_inodes = u64::from(geometry.inodes - self.used_inodes);
        self.put_clusters(&mut fields, &maps);
        fields.slice(24, &totals.to_summary());
        (fields.seal(132), totals)
    }

    fn put_header(&self, fields: &mut Fields, geometry: &Geometry, maps: &GroupMaps) {
        let len = geometry.group_len(self.index);
        fields
            .u32(4, MAGIC)
            .u32(12, self.index)
            .u32(20, len)
            .u32(92, maps.inodes)
            .u32(96, maps.frags)
            .u32(100, maps.end)
            .u32(104, maps.cluster_sums)
            .u32(108, maps.clusters)
            .u32(112, len / FRAGS as u32)
            .u32(116, geometry.inodes)
            .u32(120, self.initialized(geometry))
            .u64(136, self.time as u64);
    }

    fn put_frags(&self, fields: &mut Fields, maps: &GroupMaps) -> Totals {
        let mut totals = Totals::default();
        for (block, taken) in self.taken.iter().enumerate() {
            fields.slice(maps.frags as usize + block, &[!taken]);
            if *taken == 0 {
                totals.free_blocks += 1;
                continue;
            }
            totals.free_frags += u64::from(taken.count_zeros());
            for run in free_runs(*taken) {
                fields.count(FRAG_SUMS + 4 * run);
            }
        }
        totals
    }

    fn put_clusters(&self, fields: &mut Fields, maps: &GroupMaps) {
        let mut run = 0;
        for (block, taken) in self.taken.iter().chain([&0xff]).enumerate() {
            if *taken == 0 {
                fields.bit(maps.clusters as usize, block);
                run += 1;
            } else if run > 0 {
                fields.count(maps.cluster_sums as usize + 4 * run.min(CLUSTER_MAX as usize));
                run = 0;
            }
        }
    }
}

/// Lengths of the runs of free fragments in one block.
fn free_runs(taken: u8) -> impl Iterator<Item = usize> {
    let mut frag = 0;
    std::iter::from_fn(move || {
        while frag < 8 && taken >> frag & 1 == 1 {
            frag += 1;
        }
        let start = frag;
        while frag < 8 && taken >> frag & 1 == 0 {
            frag += 1;
        }
        (frag > start).then_some(frag - start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_free_fragments() {
        assert_eq!(free_runs(0b0001_1001).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(free_runs(0xff).count(), 0);
        assert_eq!(free_runs(0b0111_1111).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn totals_count_blocks_and_fragments_apart() {
        let geometry = Geometry::new(16 << 20, 2, Some(1024)).unwrap();
        let mut taken = vec![0xff; geometry.group_len(1) as usize / 8];
        taken[10] = 0;
        taken[11] = 0;
        taken[20] = 0b1111_0000;
        let group = Group {
            index: 1,
            taken: &taken,
            used_inodes: 5,
            directories: 2,
            time: 0,
        };
        let (bytes, totals) = group.encode(&geometry);
        assert_eq!((totals.free_blocks, totals.free_frags, totals.directories), (2, 4, 2));
        assert_eq!(totals.free_inodes, u64::from(geometry.inodes) - 5);
        let maps = GroupMaps::new(geometry.per_group, geometry.inodes);
        assert_eq!(bytes[maps.cluster_sums as usize + 8], 1, "one run of two free blocks");
        assert_eq!(bytes[FRAG_SUMS + 16], 1, "one run of four free fragments");
    }
}
