//! Sizes and places in a UFS2 file system: the arithmetic of fs(5) and newfs(8).
//!
//! All addresses count fragments from the start of the file system unless a name says otherwise.

/// Bytes in a block: the unit of file contents and of indirect blocks.
pub const BLOCK: u64 = 32 * 1024;
/// Bytes in a fragment: the unit of addresses and of the ends of small files.
pub const FRAG: u64 = 4 * 1024;
/// Fragments in a block.
pub const FRAGS: u64 = BLOCK / FRAG;
/// Bytes in an inode (`struct ufs2_dinode`).
pub const INODE: u64 = 256;
/// Inodes in a block.
pub const INODES_PER_BLOCK: u32 = (BLOCK / INODE) as u32;
/// Inodes in a fragment.
pub const INODES_PER_FRAG: u32 = (FRAG / INODE) as u32;
/// Block addresses held by the inode itself.
pub const DIRECT: u64 = 12;
/// Addresses in an indirect block.
pub const POINTERS: u64 = BLOCK / 8;
/// The root directory's inode.
pub const ROOT: u32 = 2;
/// Longest run of free blocks that a group's summary tells apart.
pub const CLUSTER_MAX: u32 = 16;
/// Where the superblock lies, in bytes.
pub const SUPERBLOCK_AT: u64 = 64 * 1024;
/// Bytes set aside for a superblock.
pub const SUPERBLOCK_ROOM: u64 = 8 * 1024;

/// Bytes of `struct cg` before its maps.
pub const GROUP_HEADER: u32 = 168;
/// Bytes of `struct csum`.
pub const SUMMARY: u64 = 16;
/// newfs leaves this much of the group's block unused.
const GROUP_FUDGE: u32 = 8;
/// newfs makes at least this many groups when the size allows.
const MIN_GROUPS: u64 = 4;

/// Superblock copy, in fragments from the start of a group.
pub const SBLKNO: u32 = (SUPERBLOCK_AT + SUPERBLOCK_ROOM).div_ceil(BLOCK) as u32 * FRAGS as u32;
/// Group header, in fragments from the start of a group.
pub const CBLKNO: u32 = SBLKNO + FRAGS as u32;
/// First inode, in fragments from the start of a group.
pub const IBLKNO: u32 = CBLKNO + FRAGS as u32;

/// How a file system of one size is cut into cylinder groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Fragments in the file system; a multiple of [`FRAGS`].
    pub frags: u64,
    /// Fragments in every group but the last.
    pub per_group: u32,
    /// Inodes in every group.
    pub inodes: u32,
    /// How many groups.
    pub groups: u32,
}

impl Geometry {
    /// Cuts `bytes` into groups as newfs(8) does, one inode per `frags_per_inode` fragments.
    ///
    /// `max_per_group` bounds the size of a group in fragments (for tests that want many). `None` if the size is too
    /// small to hold one group.
    pub fn new(bytes: u64, frags_per_inode: u32, max_per_group: Option<u32>) -> Option<Self> {
        let frags = bytes / BLOCK * FRAGS;
        let per_inode = frags_per_inode.max(1);
        let ceiling = max_per_group.unwrap_or(u32::MAX);
        let mut per_group = smallest_group(per_inode);
        loop {
            let next = per_group + FRAGS as u32;
            let fits = group_bytes(next, inodes_for(next, per_inode)) <= BLOCK as u32 - GROUP_FUDGE;
            if !fits || next > ceiling || frags / u64::from(next) < MIN_GROUPS {
                break;
            }
            per_group = next;
        }
        while !last_group_is_viable(frags, per_group, per_inode) {
            per_group = per_group.checked_sub(FRAGS as u32)?;
            if per_group < smallest_group(per_inode) {
                return None;
            }
        }
        Some(Self {
            frags,
            per_group,
            inodes: inodes_for(per_group, per_inode),
            groups: u32::try_from(frags.div_ceil(u64::from(per_group))).ok()?,
        })
    }

    /// First data fragment of a group, counted from the group's start.
    pub fn data_start(&self) -> u32 {
        IBLKNO + self.inodes / INODES_PER_FRAG
    }

    /// First fragment of a group.
    pub fn group_start(&self, group: u32) -> u64 {
        u64::from(group) * u64::from(self.per_group)
    }

    /// Fragments in a group; the last one may be shorter.
    pub fn group_len(&self, group: u32) -> u32 {
        (self.frags - self.group_start(group)).min(u64::from(self.per_group)) as u32
    }

    /// Fragments taken by the summaries of all groups, which lie at the start of the first group's data.
    pub fn summary_frags(&self) -> u32 {
        (u64::from(self.groups) * SUMMARY).div_ceil(FRAG) as u32
    }

    /// Bytes of a group's header and maps, in whole fragments.
    pub fn group_size(&self) -> u32 {
        group_bytes(self.per_group, self.inodes).next_multiple_of(FRAG as u32)
    }

    /// Byte address of an inode.
    pub fn inode_at(&self, inode: u32) -> u64 {
        let start = self.group_start(inode / self.inodes) + u64::from(IBLKNO);
        start * FRAG + u64::from(inode % self.inodes) * INODE
    }

    /// Fragments for files and directories, used or not.
    pub fn data_frags(&self) -> u64 {
        let fixed = u64::from(self.groups) * u64::from(self.data_start() - SBLKNO);
        self.frags - u64::from(SBLKNO) - fixed - u64::from(self.summary_frags())
    }

    /// Inodes that files and directories may take.
    pub fn usable_inodes(&self) -> u64 {
        u64::from(self.groups) * u64::from(self.inodes) - u64::from(ROOT)
    }
}

/// Offsets of a group's maps, in bytes from the start of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupMaps {
    /// Map of used inodes.
    pub inodes: u32,
    /// Map of free fragments.
    pub frags: u32,
    /// Counts of free runs of blocks.
    pub cluster_sums: u32,
    /// Map of free blocks.
    pub clusters: u32,
    /// End of it all.
    pub end: u32,
}

impl GroupMaps {
    /// Where the maps of a group of this size lie.
    pub fn new(per_group: u32, inodes: u32) -> Self {
        let frags = GROUP_HEADER + inodes.div_ceil(8);
        let cluster_sums = (frags + per_group.div_ceil(8)).next_multiple_of(4) - 4;
        let clusters = cluster_sums + (CLUSTER_MAX + 1) * 4;
        Self {
            inodes: GROUP_HEADER,
            frags,
            cluster_sums,
            clusters,
            end: clusters + (per_group / FRAGS as u32).div_ceil(8),
        }
    }
}

/// The kernel's own bound for a group's header (`CGSIZE`): four bytes above what the maps take.
fn group_bytes(per_group: u32, inodes: u32) -> u32 {
    let blocks = per_group / FRAGS as u32;
    GROUP_HEADER + inodes.div_ceil(8) + per_group.div_ceil(8) + 4 + CLUSTER_MAX * 4 + blocks.div_ceil(8)
}

fn inodes_for(per_group: u32, frags_per_inode: u32) -> u32 {
    per_group.div_ceil(frags_per_inode).next_multiple_of(INODES_PER_BLOCK)
}

fn smallest_group(frags_per_inode: u32) -> u32 {
    let inodes = INODES_PER_BLOCK;
    (frags_per_inode * inodes).max(IBLKNO + inodes / INODES_PER_FRAG + FRAGS as u32)
}

/// The last group must hold its own superblock copy, header, inodes and, here, at least one block of data.
fn last_group_is_viable(frags: u64, per_group: u32, frags_per_inode: u32) -> bool {
    let inodes = inodes_for(per_group, frags_per_inode);
    let least = u64::from(IBLKNO + inodes / INODES_PER_FRAG) + FRAGS;
    let rest = frags % u64::from(per_group);
    frags >= least && (rest == 0 || rest >= least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_newfs() {
        assert_eq!((SBLKNO, CBLKNO, IBLKNO), (24, 32, 40));
    }

    #[test]
    fn a_large_disk_gets_the_groups_newfs_gives_it() {
        // newfs(8) prints "626.09MB, 20035 blks, 80256 inodes" per group for disks far beyond a gigabyte.
        let geometry = Geometry::new(20 << 30, 2, None).unwrap();
        assert!(geometry.group_size() <= BLOCK as u32);
        assert!(geometry.per_group / 8 > 19_900 && geometry.per_group / 8 <= 20_035);
        assert_eq!(geometry.inodes % INODES_PER_BLOCK, 0);
    }

    #[test]
    fn a_small_disk_gets_four_groups_or_more() {
        for megabytes in [16, 33, 64, 100, 257, 700, 1024] {
            let geometry = Geometry::new(megabytes << 20, 2, None).unwrap();
            assert!(geometry.groups >= 4, "{megabytes} MiB: {geometry:?}");
            assert!(geometry.group_len(geometry.groups - 1) > geometry.data_start());
        }
    }

    #[test]
    fn too_small_is_refused() {
        assert_eq!(Geometry::new(128 * 1024, 2, None), None);
    }

    #[test]
    fn maps_stay_inside_the_header() {
        let geometry = Geometry::new(3 << 30, 2, None).unwrap();
        assert!(GroupMaps::new(geometry.per_group, geometry.inodes).end <= geometry.group_size());
    }
}
