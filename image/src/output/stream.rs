//! A file that is written from its beginning to its end, hashed on the way.

use std::io;

use super::{Checkpointed, Finished, Twin};

/// An image file in the making.
pub struct Stream {
    twin: Twin,
    hash: Checkpointed,
}

impl Stream {
    /// Begins an empty file.
    pub fn new(twin: Twin) -> Self {
        Self {
            twin,
            hash: Checkpointed::new(),
        }
    }

    /// Bytes written so far.
    pub fn len(&self) -> u64 {
        self.hash.bytes()
    }

    /// Writes further bytes.
    ///
    /// # Errors
    /// The file cannot take them.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.twin.write_all_at(bytes, self.hash.bytes())?;
        self.hash.update(bytes);
        Ok(())
    }

    /// Writes zeros up to the next multiple of `unit`.
    ///
    /// # Errors
    /// The file cannot take them.
    pub fn pad(&mut self, unit: u64) -> io::Result<()> {
        let missing = self.len().next_multiple_of(unit) - self.len();
        self.append(&vec![0; missing as usize])
    }

    /// Leaves a hole where a format has zeros.
    ///
    /// # Errors
    /// The file cannot become so long.
    pub fn append_zeros(&mut self, zeros: &[u8]) -> io::Result<()> {
        self.hash.update(zeros);
        self.twin.set_len(self.hash.bytes())
    }

    /// The file is complete.
    pub fn finish(self) -> Finished {
        Finished {
            size: self.hash.bytes(),
            hash: self.hash,
            twin: self.twin,
        }
    }
}

impl io::Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
