//! The update file, `<name>.ngu`: one root slot's contents, cut into chunks, under one signature.
//!
//! All numbers are little-endian.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | [`MAGIC`]: `89 4e 47 55 0d 0a 1a 0a`; a transfer that changes line ends or clears the high bit breaks it |
//! | 8 | 4 | [`VERSION`] |
//! | 12 | 4 | M: bytes of the metadata, 2 to [`MOST_METADATA`] |
//! | 16 | 4 | N: number of chunks, 1 to [`MOST_CHUNKS`] |
//! | 20 | M | the metadata, JSON in UTF-8 ([`About`]) |
//! | 20 + M | 68 N | for each chunk: 4 bytes, its size in this file; 32 bytes, SHA-256 of what it is in this file; 32 bytes, SHA-256 of what it is in the slot |
//! | 20 + M + 68 N | 32 | the ed25519 public key that signed |
//! | 52 + M + 68 N | 64 | the signature (RFC 8032) over all bytes before it: header, metadata, table and key |
//! | 116 + M + 68 N | | the chunks, one after the other, and nothing behind them |
//!
//! In an unsigned file, key and signature are zeros. The table is signed and the table holds the sums, so that the
//! signature is over everything, and a reader can check it before it writes a byte.
//!
//! Chunk i is bytes i * [`CHUNK`] to (i + 1) * [`CHUNK`] of the slot; the last one ends where the slot's contents do
//! (`slot_bytes`). One of 0 bytes in the file is all zeros in the slot; every other one is a stream of deflate (RFC 1951)
//! that ends with the chunk. No chunk is larger in the file than [`MOST_STORED`].

mod header;
mod reader;
mod seal;
mod writer;

pub use ed25519_dalek::SigningKey;
pub use header::{About, Entry, Header, Needs};
pub use reader::{Content, Reader};
pub use seal::{Distrust, Seal, Trust, fingerprint, keys};
pub use writer::{Packed, Writer, pack, reseal};

use std::io;

use thiserror::Error;

/// What the file begins with.
pub const MAGIC: [u8; 8] = *b"\x89NGU\r\n\x1a\n";
/// The version of the format.
pub const VERSION: u32 = 1;
/// Bytes of a chunk in the slot; the last one may be shorter.
pub const CHUNK: usize = 1 << 20;
/// Bytes of a chunk in the file at most: deflate adds 5 bytes to each block that it leaves as it is.
pub const MOST_STORED: usize = CHUNK + CHUNK / 64;
/// Bytes of metadata at most.
pub const MOST_METADATA: usize = 64 << 10;
/// Chunks at most: a slot of 64 GiB.
pub const MOST_CHUNKS: usize = 64 << 10;
/// What a slot's size is a multiple of, in bytes.
pub const SECTOR: u64 = 512;

/// Why a file is not installed.
#[derive(Debug, Error)]
pub enum Error {
    /// It does not begin as an update file does.
    #[error("it is no update file: it does not begin with the mark of one")]
    Magic,
    /// It is of another version.
    #[error("it is an update file of version {0}, and this program knows version {VERSION} only")]
    Version(u32),
    /// A number in the header is out of bounds.
    #[error("its header names {found} {what}; {least} to {most} are possible")]
    Bounds {
        /// What is counted.
        what: &'static str,
        /// How many there are said to be.
        found: u64,
        /// The least number.
        least: u64,
        /// The greatest number.
        most: u64,
    },
    /// The metadata cannot be understood.
    #[error("its metadata is wrong: {0}")]
    Metadata(String),
    /// The signature does not hold.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// It ends early.
    #[error("it ends in its {0}: it was not transferred to its end")]
    Truncated(String),
    /// Something is behind the last chunk.
    #[error("something follows its last chunk: it is damaged, or was put together wrongly")]
    Rest,
    /// A chunk is not the one that was signed.
    #[error("chunk {index} of {count} is not the one in its table ({what}): the file is damaged")]
    Chunk {
        /// Counted from 1.
        index: usize,
        /// How many there are.
        count: usize,
        /// What does not agree.
        what: &'static str,
    },
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(io::Error),
    /// It cannot be written.
    #[error("it cannot be written: {0}")]
    Write(io::Error),
}

/// Fills `bytes`, or tells in which part the file ended.
fn fill(source: &mut dyn io::Read, bytes: &mut [u8], part: impl FnOnce() -> String) -> Result<(), Error> {
    source.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Truncated(part()),
        _ => Error::Read(error),
    })
}

#[cfg(test)]
mod tests;
