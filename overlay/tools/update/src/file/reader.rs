//! Reads an update file from front to back, in bounded memory, and gives out nothing that was not checked.

use std::io::Read;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use sha2::{Digest, Sha256};

use super::{CHUNK, Error, Header, Seal, Trust, fill};

/// An update file whose header was read and is trusted.
pub struct Reader<R> {
    source: R,
    header: Header,
    seal: Seal,
    next: usize,
    stored: Vec<u8>,
    plain: Vec<u8>,
}

/// A chunk as it belongs into the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    /// Where, in bytes from the start of the slot.
    pub at: u64,
    /// What.
    pub bytes: &'a [u8],
    /// SHA-256 of that.
    pub sum: [u8; 32],
}

impl<R: Read> Reader<R> {
    /// Reads the header. Nothing in it is looked at before the signature was found to hold, but how long it is.
    ///
    /// # Errors
    /// It is no update file, or not one of those trusted.
    pub fn open(mut source: R, trust: Trust<'_>) -> Result<Self, Error> {
        let raw = Header::raw(&mut source)?;
        let seal = Seal::read(&mut source)?;
        seal.check(&raw, trust)?;
        let header = Header::parse(&raw)?;
        Ok(Self {
            plain: vec![0; header.about.chunk_len(0)],
            header,
            seal,
            source,
            next: 0,
            stored: Vec::new(),
        })
    }

    /// Metadata and table.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Who signed it.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// The next chunk; none after the last one, behind which nothing follows.
    ///
    /// # Errors
    /// The file ends early or late, or the chunk is not the one that was signed.
    pub fn next_chunk(&mut self) -> Result<Option<Content<'_>>, Error> {
        let index = self.next;
        let Some(entry) = self.header.chunks.get(index).cloned() else {
            return self.end().map(|()| None);
        };
        let count = self.header.chunks.len();
        let wrong = |what| Error::Chunk {
            index: index + 1,
            count,
            what,
        };
        self.stored.resize(entry.stored as usize, 0);
        let part = || format!("chunk {} of {count}", index + 1);
        fill(&mut self.source, &mut self.stored, part)?;
        if Sha256::digest(&self.stored)[..] != entry.stored_sum {
            return Err(wrong("its bytes in the file"));
        }
        let plain = &mut self.plain[..self.header.about.chunk_len(index)];
        unpack(&self.stored, plain).map_err(wrong)?;
        if Sha256::digest(&*plain)[..] != entry.sum {
            return Err(wrong("its contents"));
        }
        self.next += 1;
        Ok(Some(Content {
            at: index as u64 * CHUNK as u64,
            bytes: plain,
            sum: entry.sum,
        }))
    }

    fn end(&mut self) -> Result<(), Error> {
        let mut more = Vec::new();
        let read = (&mut self.source).take(1).read_to_end(&mut more);
        match read.map_err(Error::Read)? {
            0 => Ok(()),
            _ => Err(Error::Rest),
        }
    }
}

/// Makes exactly `plain` of a chunk, and never more, however much the stream would hold.
fn unpack(stored: &[u8], plain: &mut [u8]) -> Result<(), &'static str> {
    if stored.is_empty() {
        plain.fill(0);
        return Ok(());
    }
    let mut state = Box::<DecompressorOxide>::default();
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    match decompress(&mut state, stored, plain, 0, flags) {
        (TINFLStatus::Done, read, made) if read == stored.len() && made == plain.len() => Ok(()),
        (TINFLStatus::Done, read, _) if read < stored.len() => Err("something follows its stream"),
        (TINFLStatus::Done, _, _) => Err("it is too short"),
        (TINFLStatus::HasMoreOutput, _, _) => Err("it is too long"),
        _ => Err("its stream of deflate"),
    }
}
