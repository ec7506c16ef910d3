//! The raw format: the disk as it is, with holes where nothing lies.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use sha2::{Digest, Sha256};

use super::{CLUSTER, Chunk, Sink};
use crate::hash::hex;

/// Writes a raw image.
pub struct Raw {
    file: File,
    size: u64,
    hasher: Sha256,
}

impl Raw {
    /// Starts an image of `size` bytes, all of them zero.
    pub fn new(file: File, size: u64) -> io::Result<Self> {
        file.set_len(size)?;
        Ok(Self {
            file,
            size,
            hasher: Sha256::new(),
        })
    }
}

impl Sink for Raw {
    fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        for (from, to) in super::qcow2::used_runs(&chunk.used) {
            let (from, to) = (
                from as u64 * CLUSTER,
                (to as u64 * CLUSTER).min(chunk.bytes.len() as u64),
            );
            let bytes = &chunk.bytes[from as usize..to as usize];
            self.file.write_all_at(bytes, chunk.at + from)?;
        }
        self.hasher.update(&chunk.bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<(String, u64)> {
        Ok((hex(&self.hasher.finalize()), self.size))
    }
}
