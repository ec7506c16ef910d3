//! Writes an update file.

use std::io::{Read, Seek, SeekFrom, Write};

use ed25519_dalek::{Signer, SigningKey};
use miniz_oxide::deflate::compress_to_vec;
use sha2::{Digest, Sha256};

use super::seal::SEAL;
use super::{About, Entry, Error, Header, Seal};

/// Effort of deflate, from 0 to 10: what zlib takes by itself.
const LEVEL: u8 = 6;

/// A chunk, ready for the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    entry: Entry,
    stored: Vec<u8>,
}

/// Packs a chunk; this is what takes time, and can be done for many at once.
#[must_use]
pub fn pack(plain: &[u8]) -> Packed {
    let stored = match plain.iter().all(|byte| *byte == 0) {
        true => Vec::new(),
        false => compress_to_vec(plain, LEVEL),
    };
    let entry = Entry {
        stored: stored.len() as u32,
        stored_sum: Sha256::digest(&stored).into(),
        sum: Sha256::digest(plain).into(),
    };
    Packed { entry, stored }
}

/// Writes the chunks behind where the header will be, and the header when their sums are known.
pub struct Writer<W> {
    sink: W,
    header: Header,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// The metadata is wrong, or the file cannot be written.
    pub fn new(mut sink: W, about: About) -> Result<Self, Error> {
        let chunks_at = about.seal_at()? + SEAL as u64;
        sink.seek(SeekFrom::Start(chunks_at)).map_err(Error::Write)?;
        let chunks = Vec::new();
        let header = Header { about, chunks };
        Ok(Self { sink, header })
    }

    /// Adds the next chunk.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&mut self, packed: Packed) -> Result<(), Error> {
        self.sink.write_all(&packed.stored).map_err(Error::Write)?;
        self.header.chunks.push(packed.entry);
        Ok(())
    }

    /// Writes the header, signed with that key if there is one.
    ///
    /// # Errors
    /// Chunks are missing or too many, or the file cannot be written.
    pub fn finish(mut self, key: Option<&SigningKey>) -> Result<W, Error> {
        let bytes = self.header.print()?;
        let seal = key.map_or(Seal::NONE, |key| sign(&bytes, key));
        let written = self
            .sink
            .rewind()
            .and_then(|()| self.sink.write_all(&[&bytes[..], &seal.print()].concat()))
            .and_then(|()| self.sink.flush());
        written.map_err(Error::Write)?;
        Ok(self.sink)
    }
}

fn sign(bytes: &[u8], key: &SigningKey) -> Seal {
    let public = key.verifying_key().to_bytes();
    let signature = key.sign(&[bytes, &public].concat()).to_bytes();
    Seal { key: public, signature }
}

/// Signs a file again, in place of whoever signed it before; returns what it is for.
///
/// # Errors
/// It is no update file, or cannot be read or written.
pub fn reseal(mut file: impl Read + Write + Seek, key: &SigningKey) -> Result<About, Error> {
    file.rewind().map_err(Error::Read)?;
    let raw = Header::raw(&mut file)?;
    let about = Header::parse(&raw)?.about;
    let seal = sign(&raw, key);
    let written = file
        .seek(SeekFrom::Start(raw.len() as u64))
        .and_then(|_| file.write_all(&seal.print()))
        .and_then(|()| file.flush());
    written.map_err(Error::Write)?;
    Ok(about)
}

impl Packed {
    /// Bytes in the file.
    #[must_use]
    pub fn stored_len(&self) -> usize {
        self.stored.len()
    }
}
