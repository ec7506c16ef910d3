//! The raw format compressed with zstd (RFC 8878): one frame with the disk's size and a checksum, by zstd(1) of any age.
//!
//! One thread and a fixed level: the bytes depend on nothing but the disk and the library, whose version Cargo.lock pins.

use std::io::{self, Write};

use zstd::stream::write::Encoder;

use super::stream::Stream;
use super::{Chunk, Finished, Sink, Twin};

/// Better levels take several times as long and save a few percent.
const LEVEL: i32 = 9;
/// Base two logarithm of the window: every decoder takes it without being asked to (zstd(1), `--long`).
const WINDOW: u32 = 25;

/// Writes a compressed raw image.
pub struct Compressed {
    encoder: Encoder<'static, Stream>,
}

impl Compressed {
    /// Starts an image of a disk of `size` bytes.
    pub fn new(twin: Twin, size: u64) -> io::Result<Self> {
        let mut encoder = Encoder::new(Stream::new(twin), LEVEL)?;
        encoder.include_checksum(true)?;
        encoder.include_contentsize(true)?;
        encoder.set_pledged_src_size(Some(size))?;
        // Finds what repeats far apart, such as the same file in two root slots.
        encoder.long_distance_matching(true)?;
        encoder.window_log(WINDOW)?;
        Ok(Self { encoder })
    }
}

impl Sink for Compressed {
    fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        self.encoder.write_all(&chunk.bytes)
    }

    fn finish(self: Box<Self>) -> io::Result<Finished> {
        Ok(self.encoder.finish()?.finish())
    }
}
