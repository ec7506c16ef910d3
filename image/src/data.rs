//! Where a file's contents lie in a layer.

use serde::{Deserialize, Serialize};

use crate::ufs::geometry::{BLOCK, DIRECT, FRAG};

/// Bytes of holes that are hashed, per file: of a sparse file of terabytes nobody waits for the checksum.
pub const HOLES_HASHED: u64 = 1 << 30;

/// Contents of one file: whole blocks, then possibly fragments; what no run covers is a hole.
///
/// # Invariants
/// Runs are sorted by `lbn` and do not overlap. Only a file of at most twelve blocks has a tail. The last block of a
/// file is never a hole (fsck_ffs(8) insists).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileData {
    /// Bytes.
    pub size: u64,
    /// Whole blocks.
    pub runs: Vec<BlobRun>,
    /// The rest, in fragments.
    pub tail: Option<Tail>,
    /// SHA-256 of the contents in hexadecimal; none of a file with more holes than [`HOLES_HASHED`].
    pub sha256: Option<String>,
}

/// Consecutive blocks of a file that are consecutive in the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRun {
    /// First block, counted in the file.
    pub lbn: u64,
    /// First block, counted in the layer's `blocks` file.
    pub block: u64,
    /// How many.
    pub count: u64,
}

/// The end of a small file: neighbouring fragments of one block of the layer's `frags` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tail {
    /// Block in the `frags` file.
    pub block: u64,
    /// First fragment in that block.
    pub first: u8,
    /// How many, 1 to 7.
    pub count: u8,
}

impl Tail {
    /// The fragments as bits of their block.
    pub fn mask(&self) -> u8 {
        (((1u16 << self.count) - 1) << self.first) as u8
    }
}

/// How a file of some size ends: whole blocks, and fragments behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Whole blocks.
    pub blocks: u64,
    /// Fragments behind them.
    pub frags: u64,
}

impl Shape {
    /// The shape of a file of `size` bytes: fragments only if no indirect block is needed.
    pub fn of(size: u64) -> Self {
        let whole = size / BLOCK;
        let rest = size % BLOCK;
        let frags = rest.div_ceil(FRAG);
        if size > DIRECT * BLOCK || frags == BLOCK / FRAG {
            Self {
                blocks: size.div_ceil(BLOCK),
                frags: 0,
            }
        } else {
            Self { blocks: whole, frags }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let shape = |size| {
            let shape = Shape::of(size);
            (shape.blocks, shape.frags)
        };
        assert_eq!(shape(0), (0, 0));
        assert_eq!(shape(1), (0, 1));
        assert_eq!(shape(BLOCK - 1), (1, 0), "eight fragments are a block");
        assert_eq!(shape(BLOCK - FRAG), (0, 7));
        assert_eq!(shape(DIRECT * BLOCK), (12, 0));
        assert_eq!(
            shape(DIRECT * BLOCK + 1),
            (13, 0),
            "no fragments behind indirect blocks"
        );
    }

    #[test]
    fn masks() {
        let tail = Tail {
            block: 0,
            first: 2,
            count: 3,
        };
        assert_eq!(tail.mask(), 0b0001_1100);
    }
}
