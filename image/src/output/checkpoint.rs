//! SHA-256 that can be taken up again in the middle: where a file begins as an earlier one did, it need not be hashed
//! again up to there.

use sha2::compress256;
use sha2::digest::generic_array::GenericArray;

use crate::hash::hex;

/// Bytes between two checkpoints.
pub const INTERVAL: u64 = 8 << 20;
/// Bytes that SHA-256 takes at a time.
const BLOCK: usize = 64;
/// FIPS 180-4, section 5.3.3.
const START: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// What SHA-256 carries from block to block.
pub type State = [u32; 8];

/// A hash in progress.
#[derive(Debug, Clone)]
pub struct Checkpointed {
    state: State,
    bytes: u64,
    rest: Vec<u8>,
    checkpoints: Vec<State>,
}

impl Checkpointed {
    /// Of nothing.
    pub fn new() -> Self {
        Self {
            state: START,
            bytes: 0,
            rest: Vec::new(),
            checkpoints: vec![START],
        }
    }

    /// Goes on from the last of `checkpoints` at or before byte `at`; ask [`Checkpointed::bytes`] where that is.
    pub fn resume(checkpoints: &[State], at: u64) -> Self {
        let last = checkpoints.len().saturating_sub(1).min((at / INTERVAL) as usize);
        match checkpoints.get(..=last) {
            Some(kept) => Self {
                state: kept[last],
                bytes: last as u64 * INTERVAL,
                rest: Vec::new(),
                checkpoints: kept.to_vec(),
            },
            None => Self::new(),
        }
    }

    /// How many bytes have been hashed.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Hashes further bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let to_checkpoint = (INTERVAL - self.bytes % INTERVAL) as usize;
            let (now, later) = bytes.split_at(bytes.len().min(to_checkpoint));
            self.absorb(now);
            bytes = later;
            if self.bytes.is_multiple_of(INTERVAL) {
                self.checkpoints.push(self.state);
            }
        }
    }

    fn absorb(&mut self, mut bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if !self.rest.is_empty() {
            let (head, tail) = bytes.split_at(bytes.len().min(BLOCK - self.rest.len()));
            self.rest.extend_from_slice(head);
            bytes = tail;
            if self.rest.len() == BLOCK {
                let block = std::mem::take(&mut self.rest);
                self.compress(&block);
            }
        }
        let whole = bytes.len() / BLOCK * BLOCK;
        self.compress(&bytes[..whole]);
        self.rest.extend_from_slice(&bytes[whole..]);
    }

    fn compress(&mut self, blocks: &[u8]) {
        const BATCH: usize = 64;
        for batch in blocks.chunks(BATCH * BLOCK) {
            let blocks: Vec<_> = batch.chunks_exact(BLOCK).map(GenericArray::clone_from_slice).collect();
            compress256(&mut self.state, &blocks);
        }
    }

    /// The hash in hexadecimal, and the checkpoints on the way.
    pub fn finish(mut self) -> (String, Vec<State>) {
        let bits = self.bytes * 8;
        let mut end = std::mem::take(&mut self.rest);
        end.push(0x80);
        end.resize((end.len() + 8).next_multiple_of(BLOCK) - 8, 0);
        end.extend_from_slice(&bits.to_be_bytes());
        self.compress(&end);
        let bytes: Vec<u8> = self.state.iter().flat_map(|word| word.to_be_bytes()).collect();
        (hex(&bytes), self.checkpoints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::of_bytes;

    #[test]
    fn it_is_sha_256_however_the_bytes_come() {
        let bytes: Vec<u8> = (0..100_000u32).map(|i| (i * 7) as u8).collect();
        for len in [0, 1, 55, 56, 63, 64, 65, 1000, 100_000] {
            for step in [1, 13, 64, 4096, 100_000] {
                let mut hash = Checkpointed::new();
                bytes[..len].chunks(step).for_each(|part| hash.update(part));
                assert_eq!(hash.finish().0, of_bytes(&bytes[..len]), "{len} in steps of {step}");
            }
        }
    }

    #[test]
    fn taking_it_up_again_gives_the_same() {
        let bytes: Vec<u8> = (0..20 << 20).map(|i: u32| (i >> 3) as u8).collect();
        let mut whole = Checkpointed::new();
        whole.update(&bytes);
        let (sum, checkpoints) = whole.finish();
        assert_eq!(checkpoints.len(), 3);
        for at in [0, 5, INTERVAL, INTERVAL + 1, 100 << 20] {
            let mut rest = Checkpointed::resume(&checkpoints, at);
            assert!(rest.bytes() <= at);
            let from = rest.bytes() as usize;
            rest.update(&bytes[from..]);
            assert_eq!(rest.finish(), (sum.clone(), checkpoints.clone()), "{at}");
        }
        assert_eq!(Checkpointed::resume(&[], 5).bytes(), 0);
    }
}
