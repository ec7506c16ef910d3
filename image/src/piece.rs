//! What a disk holds, as a sorted list of pieces; all else is zero.
//!
//! Metadata are bytes in memory; file contents stay in the layers' files and are copied when the disk is written, so
//! memory does not grow with the size of the sets.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A stretch of the disk.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Byte address on the disk.
    pub at: u64,
    /// Bytes.
    pub len: u64,
    /// What they are.
    pub source: Source,
}

/// Where the bytes of a piece come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Memory; shorter than the piece means that zeros follow.
    Bytes(Vec<u8>),
    /// A file of [`Blobs`], from an offset on.
    Blob {
        /// Index of the file.
        blob: usize,
        /// Byte offset in it.
        offset: u64,
    },
    /// An indirect block.
    Pointers(Vec<PointerRun>),
}

/// Consecutive slots of an indirect block that hold evenly rising addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointerRun {
    /// First slot.
    pub slot: u64,
    /// Address in that slot.
    pub at: u64,
    /// How many slots.
    pub count: u64,
    /// From one address to the next.
    pub step: u64,
}

/// The open files that pieces refer to.
#[derive(Debug, Default)]
pub struct Blobs(pub Vec<File>);

impl Piece {
    /// A piece in memory.
    pub fn bytes(at: u64, bytes: Vec<u8>) -> Self {
        Self {
            at,
            len: bytes.len() as u64,
            source: Source::Bytes(bytes),
        }
    }

    /// A copy of these bytes as a piece, if there are any.
    pub fn filled(at: u64, bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self::bytes(at, bytes.to_vec()))
    }

    /// End address.
    pub fn end(&self) -> u64 {
        self.at + self.len
    }

    /// Copies the bytes from `skip` on into `into`, which lies within the piece.
    ///
    /// # Errors
    /// A layer's file cannot be read.
    pub fn read(&self, skip: u64, into: &mut [u8], blobs: &Blobs) -> io::Result<()> {
        match &self.source {
            Source::Bytes(bytes) => {
                let rest = bytes.get(skip as usize..).unwrap_or_default();
                let len = rest.len().min(into.len());
                into[..len].copy_from_slice(&rest[..len]);
                into[len..].fill(0);
                Ok(())
            }
            Source::Blob { blob, offset } => blobs.0[*blob].read_exact_at(into, offset + skip),
            Source::Pointers(runs) => {
                let block = expand(runs, self.len as usize);
                into.copy_from_slice(&block[skip as usize..skip as usize + into.len()]);
                Ok(())
            }
        }
    }
}

fn expand(runs: &[PointerRun], len: usize) -> Vec<u8> {
    let mut block = vec![0; len];
    for run in runs {
        let from = run.slot as usize * 8;
        let slots = block[from..from + run.count as usize * 8].chunks_exact_mut(8);
        for (slot, step) in slots.zip(0..) {
            slot.copy_from_slice(&(run.at + run.step * step).to_le_bytes());
        }
    }
    block
}

/// Reads a list of pieces from front to back as one stream.
#[derive(Debug)]
pub struct Reader<'a> {
    pieces: &'a [Piece],
    blobs: &'a Blobs,
    next: usize,
}

impl<'a> Reader<'a> {
    /// A reader over `pieces`, which must be sorted by address and not overlap.
    pub fn new(pieces: &'a [Piece], blobs: &'a Blobs) -> Self {
        debug_assert!(pieces.windows(2).all(|pair| pair[0].end() <= pair[1].at));
        Self { pieces, blobs, next: 0 }
    }

    /// Fills `into` with the disk's bytes from `at` on and says whether any piece lies there.
    ///
    /// Calls must go forward.
    ///
    /// # Errors
    /// A layer's file cannot be read.
    pub fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<bool> {
        let end = at + into.len() as u64;
        while self.pieces.get(self.next).is_some_and(|piece| piece.end() <= at) {
            self.next += 1;
        }
        let mut filled = at;
        for piece in self.pieces[self.next..].iter().take_while(|piece| piece.at < end) {
            let from = piece.at.max(at);
            let to = piece.end().min(end);
            into[(filled - at) as usize..(from - at) as usize].fill(0);
            piece.read(
                from - piece.at,
                &mut into[(from - at) as usize..(to - at) as usize],
                self.blobs,
            )?;
            filled = to;
        }
        into[(filled - at) as usize..].fill(0);
        Ok(filled > at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_read_as_zeros() {
        let pieces = [Piece::bytes(4, vec![1, 2]), Piece::bytes(10, vec![3])];
        let blobs = Blobs::default();
        let mut reader = Reader::new(&pieces, &blobs);
        let mut first = [9; 8];
        assert!(reader.read(0, &mut first).unwrap());
        assert_eq!(first, [0, 0, 0, 0, 1, 2, 0, 0]);
        let mut second = [9; 8];
        assert!(reader.read(8, &mut second).unwrap());
        assert_eq!(second, [0, 0, 3, 0, 0, 0, 0, 0]);
        assert!(!reader.read(16, &mut second).unwrap());
        assert_eq!(second, [0; 8]);
    }

    #[test]
    fn pointer_runs_expand_to_addresses() {
        let piece = Piece {
            at: 0,
            len: 32,
            source: Source::Pointers(vec![PointerRun {
                slot: 1,
                at: 100,
                count: 2,
                step: 8,
            }]),
        };
        let mut bytes = [0; 32];
        piece.read(0, &mut bytes, &Blobs::default()).unwrap();
        let slots: Vec<u64> = bytes
            .chunks_exact(8)
            .map(|slot| u64::from_le_bytes(slot.try_into().unwrap()))
            .collect();
        assert_eq!(slots, [0, 100, 108, 0]);
    }
}
