//! Inodes: `struct ufs2_dinode` of FreeBSD's sys/ufs/ufs/dinode.h.

use super::fields::Fields;
use super::geometry::{DIRECT, INODE};

/// Symbolic links below this many bytes live in the inode.
pub const SHORT_LINK: usize = 120;
/// Most names a file can have.
pub const LINK_MAX: u32 = 65_500;
/// Most bytes in a name.
pub const NAME_MAX: usize = 255;

/// What an inode is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
}

impl Kind {
    /// File type bits of the mode.
    pub fn mode_bits(self) -> u16 {
        match self {
            Self::Directory => 0o040_000,
            Self::File => 0o100_000,
            Self::Symlink => 0o120_000,
        }
    }

    /// Type in a directory entry (`DT_DIR` and so on).
    pub fn entry_type(self) -> u8 {
        (self.mode_bits() >> 12) as u8
    }
}

/// Who owns a file, who may do what, and since when it is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Permission bits, set-id and sticky bits: twelve bits.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// chflags(2) flags such as `SF_IMMUTABLE`.
    pub flags: u32,
    /// Last change, in seconds since 1970.
    pub mtime: i64,
    /// Nanoseconds of it.
    pub mtime_nanos: u32,
}

/// Addresses in an inode: twelve direct, then single, double and triple indirect; 0 is a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Addresses {
    /// Blocks, of which the last may be fragments.
    pub direct: [u64; DIRECT as usize],
    /// Single, double and triple indirect block.
    pub indirect: [u64; 3],
}

/// Where the contents are.
#[derive(Debug, Clone)]
pub enum Contents<'a> {
    /// In blocks.
    Blocks(Addresses),
    /// In the inode: a symbolic link shorter than [`SHORT_LINK`].
    Inline(&'a [u8]),
}

/// One inode.
#[derive(Debug, Clone)]
pub struct Inode<'a> {
    /// What it is.
    pub kind: Kind,
    /// Owner, mode, flags, time.
    pub attributes: Attributes,
    /// How many names it has.
    pub links: u32,
    /// Bytes in it.
    pub size: u64,
    /// 512-byte sectors held, indirect blocks included.
    pub sectors: u64,
    /// Where they are.
    pub contents: Contents<'a>,
    /// Generation number, never 0.
    pub generation: u32,
    /// Depth below the root, for directories.
    pub depth: u32,
}

impl Inode<'_> {
    /// The 256 bytes with their check hash.
    pub fn encode(&self) -> Vec<u8> {
        let mut fields = Fields::zeroed(INODE as usize);
        self.put_attributes(&mut fields);
        fields
            .u16(2, self.links as u16)
            .u64(16, self.size)
            .u64(24, self.sectors)
            .u32(80, self.generation)
            .u32(240, self.depth);
        match &self.contents {
            Contents::Inline(target) => {
                fields.slice(112, target);
            }
            Contents::Blocks(addresses) => {
                let all = addresses.direct.iter().chain(&addresses.indirect);
                for (slot, address) in all.enumerate() {
                    fields.u64(112 + 8 * slot, *address);
                }
            }
        }
        fields.seal(244)
    }

    fn put_attributes(&self, fields: &mut Fields) {
        let attributes = &self.attributes;
        fields
            .u16(0, self.kind.mode_bits() | attributes.mode)
            .u32(4, attributes.uid)
            .u32(8, attributes.gid)
            .u32(88, attributes.flags);
        for time in [32, 40, 48, 56] {
            fields.u64(time, attributes.mtime as u64);
        }
        for nanos in [64, 68, 72, 76] {
            fields.u32(nanos, attributes.mtime_nanos);
        }
    }
}

/// A generation number that depends on nothing but the inode's number and the file system's id.
pub fn generation(inode: u32, id: u32) -> u32 {
    (inode.wrapping_mul(0x9e37_79b1) ^ id.wrapping_mul(0x85eb_ca6b) ^ 0x5bd1_e995).max(1)
}

#[cfg(test)]
mod tests {
    use super::super::fields::check_hash;
    use super::*;

    #[test]
    fn short_link_and_hash() {
        let inode = Inode {
            kind: Kind::Symlink,
            attributes: Attributes {
                mode: 0o755,
                ..Attributes::default()
            },
            links: 1,
            size: 8,
            sectors: 0,
            contents: Contents::Inline(b"usr/home"),
            generation: generation(9, 1),
            depth: 0,
        };
        let mut bytes = inode.encode();
        assert_eq!(&bytes[112..120], b"usr/home");
        assert_eq!(u16::from_le_bytes([bytes[0], bytes[1]]), 0o120_755);
        let stored = u32::from_le_bytes(bytes[244..248].try_into().unwrap());
        bytes[244..248].fill(0);
        assert_eq!(stored, check_hash(&bytes));
    }
}
