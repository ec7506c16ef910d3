//! The raw format: the disk as it is, with holes where nothing lies.

use std::io;

use super::{CLUSTER, Checkpointed, Chunk, Finished, Sink, Twin};

/// Writes a raw image.
pub struct Raw {
    twin: Twin,
    size: u64,
    hash: Checkpointed,
}

impl Raw {
    /// Starts an image of `size` bytes, all of them zero.
    pub fn new(mut twin: Twin, size: u64) -> io::Result<Self> {
        twin.set_len(size)?;
        Ok(Self {
            twin,
            size,
            hash: Checkpointed::new(),
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
            self.twin.write_all_at(bytes, chunk.at + from)?;
        }
        self.hash.update(&chunk.bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Finished> {
        Ok(Finished {
            hash: self.hash,
            size: self.size,
            twin: self.twin,
        })
    }
}
