//! SHA-256 of a file that comes block by block, with holes.

use sha2::{Digest, Sha256};

use crate::data::HOLES_HASHED;
use crate::hash;
use crate::ufs::geometry::BLOCK;

static ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];

/// A checksum under way.
#[derive(Debug)]
pub struct Sum {
    /// None once there were too many holes.
    hasher: Option<Sha256>,
    /// Bytes of the file that are still to come: the last block may be longer than they are.
    left: u64,
    holes: u64,
}

impl Sum {
    /// Of a file of so many bytes.
    pub fn of(size: u64) -> Self {
        Self {
            hasher: Some(Sha256::new()),
            left: size,
            holes: 0,
        }
    }

    /// The next bytes; what goes beyond the end of the file does not count.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let count = self.left.min(bytes.len() as u64);
        self.left -= count;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&bytes[..count as usize]);
        }
    }

    /// The next bytes are zeros.
    pub fn hole(&mut self, len: u64) {
        self.holes += len;
        if self.holes > HOLES_HASHED {
            self.hasher = None;
        }
        if self.hasher.is_none() {
            self.left -= self.left.min(len);
            return;
        }
        let mut rest = len;
        while rest > 0 {
            let count = rest.min(BLOCK);
            self.bytes(&ZEROS[..count as usize]);
            rest -= count;
        }
    }

    /// In hexadecimal, unless there were too many holes.
    pub fn finish(self) -> Option<String> {
        self.hasher.map(|hasher| hash::hex(&hasher.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_count_as_zeros_and_the_end_is_the_file_s() {
        let mut sum = Sum::of(2 * BLOCK + 3);
        sum.bytes(&[1; BLOCK as usize]);
        sum.hole(BLOCK);
        sum.bytes(&[2; BLOCK as usize]);
        let whole = [vec![1; BLOCK as usize], vec![0; BLOCK as usize], vec![2; 3]].concat();
        assert_eq!(sum.finish(), Some(hash::of_bytes(&whole)));
    }

    #[test]
    fn a_hole_of_terabytes_costs_nothing() {
        let mut sum = Sum::of(1 << 42);
        sum.hole((1 << 42) - BLOCK);
        sum.bytes(&ZEROS);
        assert_eq!(sum.finish(), None);
    }
}
