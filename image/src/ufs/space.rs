//! Which fragments are taken, and the next free ones.

use super::geometry::*;

/// The disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// A run of whole blocks: first fragment and number of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRun {
    /// First fragment.
    pub at: u64,
    /// How many blocks.
    pub blocks: u64,
}

/// Gives out space from the front of the file system to its end.
///
/// # Invariants
/// A fragment is given out once; superblock copies, group headers, inodes and summaries are never given out.
#[derive(Debug)]
pub struct Space {
    geometry: Geometry,
    /// One byte per block, one bit per fragment; set means taken.
    taken: Vec<u8>,
    /// Next block to look at.
    cursor: u64,
    /// There may be free blocks behind the cursor.
    skipped: bool,
    /// Block that is being filled with fragments, and how many are taken.
    open: Option<(u64, u64)>,
}

impl Space {
    /// All free but what the file system itself needs.
    pub fn new(geometry: Geometry) -> Self {
        let mut space = Self {
            geometry,
            taken: vec![0; (geometry.frags / FRAGS) as usize],
            cursor: 0,
            skipped: false,
            open: None,
        };
        for group in 0..geometry.groups {
            let start = geometry.group_start(group);
            let from = if group == 0 { 0 } else { u64::from(SBLKNO) };
            let mut to = u64::from(geometry.data_start());
            if group == 0 {
                to += u64::from(geometry.summary_frags());
            }
            space.take(start + from, to - from);
        }
        space
    }

    fn take(&mut self, at: u64, frags: u64) {
        for frag in at..at + frags {
            let bit = 1 << (frag % FRAGS);
            let byte = &mut self.taken[(frag / FRAGS) as usize];
            debug_assert_eq!(*byte & bit, 0, "fragment {frag} is given out twice");
            *byte |= bit;
        }
    }

    /// Takes `count` blocks, in as few runs as there are obstacles on the way.
    ///
    /// # Errors
    /// [`Full`] when the end is reached; what was taken stays taken.
    pub fn blocks(&mut self, count: u64) -> Result<Vec<BlockRun>, Full> {
        let mut runs = Vec::new();
        let mut left = count;
        while left > 0 {
            let run = self.next_run(left)?;
            left -= run.blocks;
            runs.push(run);
        }
        Ok(runs)
    }

    /// Takes one block and returns its address.
    ///
    /// # Errors
    /// [`Full`].
    pub fn block(&mut self) -> Result<u64, Full> {
        self.next_run(1).map(|run| run.at)
    }

    /// Goes on at the block of fragment `at`, if that lies ahead. What is skipped is taken when nothing else is left.
    pub fn skip_to(&mut self, at: u64) {
        if at / FRAGS > self.cursor {
            self.cursor = at / FRAGS;
            self.skipped = true;
            self.open = None;
        }
    }

    fn next_run(&mut self, limit: u64) -> Result<BlockRun, Full> {
        match self.run_ahead(limit) {
            Err(Full) if std::mem::take(&mut self.skipped) => {
                self.cursor = 0;
                self.run_ahead(limit)
            }
            result => result,
        }
    }

    fn run_ahead(&mut self, limit: u64) -> Result<BlockRun, Full> {
        let total = self.taken.len() as u64;
        while self.cursor < total && self.taken[self.cursor as usize] != 0 {
            self.cursor += 1;
        }
        let first = self.cursor;
        while self.cursor < total && self.cursor - first < limit && self.taken[self.cursor as usize] == 0 {
            self.taken[self.cursor as usize] = 0xff;
            self.cursor += 1;
        }
        match self.cursor - first {
            0 => Err(Full),
            blocks => Ok(BlockRun {
                at: first * FRAGS,
                blocks,
            }),
        }
    }

    /// Takes the fragments of one block that `mask` has set, and returns the block's address.
    ///
    /// # Errors
    /// [`Full`].
    pub fn block_of_frags(&mut self, mask: u8) -> Result<u64, Full> {
        let at = self.block()?;
        self.taken[(at / FRAGS) as usize] = mask;
        Ok(at)
    }

    /// Takes `count` (1 to 7) neighbouring fragments of one block.
    ///
    /// # Errors
    /// [`Full`].
    pub fn frags(&mut self, count: u64) -> Result<u64, Full> {
        let (block, used) = match self.open {
            Some((block, used)) if used + count <= FRAGS => (block, used),
            _ => (self.block_of_frags(0)?, 0),
        };
        self.open = Some((block, used + count));
        self.take(block + used, count);
        Ok(block + used)
    }

    /// The geometry it was made for.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Taken fragments of each block of a group, the first block first.
    pub fn group(&self, group: u32) -> &[u8] {
        let start = (self.geometry.group_start(group) / FRAGS) as usize;
        &self.taken[start..start + (self.geometry.group_len(group) as usize / FRAGS as usize)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        Space::new(Geometry::new(16 << 20, 2, Some(1024)).unwrap())
    }

    #[test]
    fn runs_step_around_the_groups_own_blocks() {
        let mut space = space();
        let geometry = *space.geometry();
        let runs = space.blocks(geometry.frags / FRAGS / 2).unwrap();
        assert!(runs.len() > 2);
        for run in runs {
            for frag in run.at..run.at + run.blocks * FRAGS {
                let inside = frag % u64::from(geometry.per_group);
                let fixed = u64::from(SBLKNO)..u64::from(geometry.data_start());
                assert!(!fixed.contains(&inside), "fragment {frag} belongs to its group");
            }
        }
    }

    #[test]
    fn fragments_never_cross_a_block() {
        let mut space = space();
        for count in [3, 3, 3, 7, 1, 5, 4] {
            let at = space.frags(count).unwrap();
            assert_eq!(at / FRAGS, (at + count - 1) / FRAGS);
        }
    }

    #[test]
    fn the_end_is_reported() {
        assert_eq!(space().blocks(1 << 20), Err(Full));
    }
}
