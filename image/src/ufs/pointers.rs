//! From the blocks of a file to the addresses in its inode: direct, single, double and triple indirect.

use super::geometry::*;
use super::inode::Addresses;
use super::space::{Full, Space};
use crate::piece::{Piece, PointerRun, Source};

/// Consecutive blocks of a file that are consecutive on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskRun {
    /// First block, counted in the file.
    pub lbn: u64,
    /// First fragment.
    pub at: u64,
    /// How many blocks.
    pub blocks: u64,
}

impl DiskRun {
    fn end(&self) -> u64 {
        self.lbn + self.blocks
    }

    /// The part within `from..to`, if any.
    fn clip(&self, from: u64, to: u64) -> Option<Self> {
        let lbn = self.lbn.max(from);
        let end = self.end().min(to);
        (lbn < end).then(|| Self {
            lbn,
            at: self.at + (lbn - self.lbn) * FRAGS,
            blocks: end - lbn,
        })
    }
}

/// Builds addresses, taking space for indirect blocks and leaving these as pieces.
#[derive(Debug)]
pub struct Builder<'a> {
    space: &'a mut Space,
    pieces: &'a mut Vec<Piece>,
    /// Indirect blocks of the current file.
    indirects: u64,
}

impl<'a> Builder<'a> {
    /// Takes space from `space` and leaves indirect blocks in `pieces`.
    pub fn new(space: &'a mut Space, pieces: &'a mut Vec<Piece>) -> Self {
        Self {
            space,
            pieces,
            indirects: 0,
        }
    }

    /// Addresses of a file with these blocks and fragments, and how many indirect blocks they took.
    ///
    /// `runs` is sorted by `lbn`; `tail` is the index of the block that is fragments, and their address.
    ///
    /// # Errors
    /// [`Full`].
    pub fn addresses(&mut self, runs: &[DiskRun], tail: Option<(u64, u64)>) -> Result<(Addresses, u64), Full> {
        self.indirects = 0;
        let mut addresses = Addresses::default();
        for run in runs.iter().filter_map(|run| run.clip(0, DIRECT)) {
            for block in 0..run.blocks {
                addresses.direct[(run.lbn + block) as usize] = run.at + block * FRAGS;
            }
        }
        if let Some((lbn, at)) = tail {
            addresses.direct[lbn as usize] = at;
        }
        let mut first = DIRECT;
        for level in 1..=3 {
            let span = POINTERS.pow(level);
            addresses.indirect[level as usize - 1] = self.indirect(level, first, runs)?.unwrap_or(0);
            first += span;
        }
        Ok((addresses, self.indirects))
    }

    /// An indirect block of `level` for the blocks from `first` on, if any of them exists.
    fn indirect(&mut self, level: u32, first: u64, runs: &[DiskRun]) -> Result<Option<u64>, Full> {
        let span = POINTERS.pow(level);
        let from = runs.partition_point(|run| run.end() <= first);
        let to = runs.partition_point(|run| run.lbn < first + span);
        let runs = &runs[from.min(to)..to];
        if runs.is_empty() {
            return Ok(None);
        }
        let at = self.space.block()?;
        self.indirects += 1;
        let pointers = match level {
            1 => leaf(first, runs),
            _ => self.children(level, first, runs)?,
        };
        self.pieces.push(Piece {
            at: at * FRAG,
            len: BLOCK,
            source: Source::Pointers(pointers),
        });
        Ok(Some(at))
    }

    fn children(&mut self, level: u32, first: u64, runs: &[DiskRun]) -> Result<Vec<PointerRun>, Full> {
        let span = POINTERS.pow(level - 1);
        let mut pointers = Vec::new();
        let mut slot = 0;
        for run in runs {
            slot = slot.max(run.lbn.saturating_sub(first) / span);
            while slot < POINTERS && first + slot * span < run.end() {
                if let Some(at) = self.indirect(level - 1, first + slot * span, runs)? {
                    pointers.push(PointerRun {
                        slot,
                        at,
                        count: 1,
                        step: 0,
                    });
                }
                slot += 1;
            }
        }
        Ok(pointers)
    }
}

fn leaf(first: u64, runs: &[DiskRun]) -> Vec<PointerRun> {
    let clipped = runs.iter().filter_map(|run| run.clip(first, first + POINTERS));
    clipped
        .map(|run| PointerRun {
            slot: run.lbn - first,
            at: run.at,
            count: run.blocks,
            step: FRAGS,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(runs: &[DiskRun]) -> (Addresses, u64, usize) {
        let mut space = Space::new(Geometry::new(64 << 20, 2, None).unwrap());
        let mut pieces = Vec::new();
        let (addresses, indirects) = Builder::new(&mut space, &mut pieces).addresses(runs, None).unwrap();
        (addresses, indirects, pieces.len())
    }

    fn run(lbn: u64, blocks: u64) -> DiskRun {
        DiskRun {
            lbn,
            at: 8000 + lbn % 1000 * FRAGS,
            blocks,
        }
    }

    #[test]
    fn small_files_need_no_indirect_block() {
        let (found, indirects, _) = addresses(&[run(0, 12)]);
        assert_eq!(found.direct[11], 8000 + 11 * FRAGS);
        assert_eq!((found.indirect, indirects), ([0; 3], 0));
    }

    #[test]
    fn one_block_more_needs_one() {
        let (found, indirects, pieces) = addresses(&[run(0, 13)]);
        assert!(found.indirect[0] != 0);
        assert_eq!((found.indirect[1], indirects, pieces), (0, 1, 1));
    }

    #[test]
    fn a_block_far_out_needs_one_of_each_level_on_its_way() {
        let triple = DIRECT + POINTERS + POINTERS.pow(2);
        let (found, indirects, _) = addresses(&[run(triple + 5, 1)]);
        assert_eq!((found.indirect[0], found.indirect[1]), (0, 0));
        assert!(found.indirect[2] != 0);
        assert_eq!(indirects, 3);
    }

    #[test]
    fn a_run_across_two_leaves_is_split_once() {
        let double = DIRECT + POINTERS;
        let (_, indirects, _) = addresses(&[run(double + POINTERS - 1, 2)]);
        assert_eq!(indirects, 3, "one double and two single");
    }
}
