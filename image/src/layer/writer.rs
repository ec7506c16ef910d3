//! Writing a layer: whole blocks one after the other, fragments where they fit best.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::sum::Sum;
use super::{BLOCKS, Entry, FRAGMENTS, INDEX, Index, Layer};
use crate::data::{BlobRun, FileData, Shape, Tail};
use crate::error::{Error, Result};
use crate::ufs::geometry::{BLOCK, FRAG, FRAGS};

/// Blocks of fragments that are being filled at the same time.
const OPEN_BLOCKS: usize = 8;
/// Bytes collected before whole blocks are written.
const WRITE_BUFFER: usize = 1 << 20;
/// A block being filled with fragments.
#[derive(Debug)]
struct OpenBlock {
    number: u64,
    used: u64,
    bytes: Vec<u8>,
}

/// Writes a layer.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    blocks: BufWriter<File>,
    next_block: u64,
    frags: File,
    next_frag_block: u64,
    open: Vec<OpenBlock>,
    index: Index,
    buffer: Vec<u8>,
}

impl Writer {
    /// Starts a layer in `folder`, an existing, empty folder.
    ///
    /// # Errors
    /// Files cannot be made there.
    pub fn new(folder: &Path) -> Result<Self> {
        let create = |name| {
            let path = folder.join(name);
            let options = File::options().read(true).write(true).create_new(true).open(&path);
            options.map_err(Error::io("write the layer", &path))
        };
        Ok(Self {
            blocks: BufWriter::with_capacity(WRITE_BUFFER, create(BLOCKS)?),
            next_block: 0,
            frags: create(FRAGMENTS)?,
            next_frag_block: 0,
            open: Vec::new(),
            index: Index::default(),
            buffer: vec![0; BLOCK as usize],
            folder: folder.to_path_buf(),
        })
    }

    /// Adds an entry; its contents, if any, have been stored.
    pub fn push(&mut self, entry: Entry) {
        self.index.entries.push(entry);
    }

    /// Stores `size` bytes of `contents`. Blocks of zeros become holes.
    ///
    /// # Errors
    /// `contents` breaks off or cannot be read ([`StoreError::Read`]); the layer cannot be written.
    pub fn store(&mut self, contents: &mut dyn Read, size: u64) -> std::result::Result<FileData, StoreError> {
        self.store_sparse(contents, size, &[Segment { at: 0, len: size }])
    }

    /// Stores a file of `size` bytes of which `contents` has only `segments`, one after the other; the rest are holes.
    ///
    /// # Errors
    /// As for [`Writer::store`].
    pub fn store_sparse(
        &mut self,
        contents: &mut dyn Read,
        size: u64,
        segments: &[Segment],
    ) -> std::result::Result<FileData, StoreError> {
        let shape = Shape::of(size);
        let mut data = FileData {
            size,
            ..FileData::default()
        };
        let mut source = Segments::new(contents, segments);
        let mut sum = Sum::of(size);
        let mut lbn = 0;
        while lbn < shape.blocks {
            let last = lbn + 1 == shape.blocks && shape.frags == 0;
            let full = source.fill(lbn * BLOCK, &mut self.buffer).map_err(StoreError::Read)?;
            if full || last {
                sum.bytes(&self.buffer);
                self.add_block(&mut data, lbn)?;
                lbn += 1;
            } else {
                let next = source.next_data().map_or(u64::MAX, |at| at / BLOCK);
                let end = shape.blocks - u64::from(shape.frags == 0);
                let next = next.clamp(lbn + 1, end.max(lbn + 1));
                sum.hole((next - lbn) * BLOCK);
                lbn = next;
            }
        }
        if shape.frags > 0 {
            let mut tail = std::mem::take(&mut self.buffer);
            let filled = source.fill(shape.blocks * BLOCK, &mut tail).map_err(StoreError::Read);
            sum.bytes(&tail);
            let stored = filled.and_then(|_| self.add_tail(&tail[..(shape.frags * FRAG) as usize], shape.frags));
            self.buffer = tail;
            data.tail = Some(stored?);
        }
        data.sha256 = sum.finish();
        Ok(data)
    }

    fn add_block(&mut self, data: &mut FileData, lbn: u64) -> std::result::Result<(), StoreError> {
        let block = self.next_block;
        self.blocks.write_all(&self.buffer).map_err(StoreError::Write)?;
        self.next_block += 1;
        match data.runs.last_mut() {
            Some(run) if run.lbn + run.count == lbn && run.block + run.count == block => run.count += 1,
            _ => data.runs.push(BlobRun { lbn, block, count: 1 }),
        }
        Ok(())
    }

    /// Puts fragments into the open block that they fill best.
    fn add_tail(&mut self, bytes: &[u8], frags: u64) -> std::result::Result<Tail, StoreError> {
        let fitting = self.open.iter_mut().filter(|open| open.used + frags <= FRAGS);
        let best = match fitting.max_by_key(|open| open.used) {
            Some(open) => open,
            None => {
                self.make_room()?;
                let number = self.next_frag_block;
                self.next_frag_block += 1;
                self.open.push(OpenBlock {
                    number,
                    used: 0,
                    bytes: vec![0; BLOCK as usize],
                });
                self.open.last_mut().expect("one was just pushed")
            }
        };
        let from = (best.used * FRAG) as usize;
        best.bytes[from..from + bytes.len()].copy_from_slice(bytes);
        let tail = Tail {
            block: best.number,
            first: best.used as u8,
            count: frags as u8,
        };
        best.used += frags;
        Ok(tail)
    }

    /// Closes full blocks, and the fullest one if too many are open.
    fn make_room(&mut self) -> std::result::Result<(), StoreError> {
        self.open.sort_by_key(|open| (open.used, open.number));
        while let Some(fullest) = self.open.pop_if(|open| open.used == FRAGS) {
            self.write_frags(&fullest)?;
        }
        if self.open.len() >= OPEN_BLOCKS
            && let Some(fullest) = self.open.pop()
        {
            self.write_frags(&fullest)?;
        }
        Ok(())
    }

    fn write_frags(&self, open: &OpenBlock) -> std::result::Result<(), StoreError> {
        let written = self.frags.write_all_at(&open.bytes, open.number * BLOCK);
        written.map_err(StoreError::Write)
    }

    /// Writes what is still in memory, and the index.
    ///
    /// # Errors
    /// The layer cannot be written.
    pub fn finish(mut self) -> Result<Layer> {
        let failed = |error| Error::io("write the layer", &self.folder)(error);
        for open in std::mem::take(&mut self.open) {
            self.frags
                .write_all_at(&open.bytes, open.number * BLOCK)
                .map_err(failed)?;
        }
        let blocks = self.blocks.into_inner().map_err(|error| failed(error.into_error()))?;
        let path = self.folder.join(INDEX);
        let text = serde_json::to_vec(&self.index).map_err(|error| failed(error.into()))?;
        fs::write(&path, text).map_err(Error::io("write the layer's index", &path))?;
        Ok(Layer {
            folder: self.folder,
            index: self.index,
            blocks,
            frags: self.frags,
        })
    }

    /// Turns a failure to store into an error about the layer, if it is the layer that failed.
    ///
    /// # Errors
    /// The layer could not be written.
    pub fn blame(&self, error: StoreError) -> Result<io::Error> {
        match error {
            StoreError::Read(error) => Ok(error),
            StoreError::Write(error) => Err(Error::io("write the layer", &self.folder)(error)),
        }
    }
}

/// Which side of a copy failed.
#[derive(Debug)]
pub enum StoreError {
    /// The contents could not be read.
    Read(io::Error),
    /// The layer could not be written.
    Write(io::Error),
}

/// Bytes of a sparse file that are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Offset in the file.
    pub at: u64,
    /// Bytes.
    pub len: u64,
}

/// Reads stored segments to where they belong.
struct Segments<'a> {
    contents: &'a mut dyn Read,
    left: Vec<Segment>,
}

impl<'a> Segments<'a> {
    fn new(contents: &'a mut dyn Read, segments: &[Segment]) -> Self {
        let mut left: Vec<Segment> = segments.iter().copied().filter(|segment| segment.len > 0).collect();
        left.reverse();
        Self { contents, left }
    }

    /// Where the next stored byte belongs.
    fn next_data(&self) -> Option<u64> {
        self.left.last().map(|segment| segment.at)
    }

    /// Fills `into`, a part of the file from `at` on, and says whether any byte is other than zero.
    fn fill(&mut self, at: u64, into: &mut [u8]) -> io::Result<bool> {
        into.fill(0);
        let end = at + into.len() as u64;
        let mut any = false;
        while let Some(segment) = self.left.last_mut().filter(|segment| segment.at < end) {
            let from = (segment.at - at) as usize;
            let len = segment.len.min(end - segment.at);
            let part = &mut into[from..from + len as usize];
            self.contents.read_exact(part)?;
            any = any || part.iter().any(|byte| *byte != 0);
            segment.at += len;
            segment.len -= len;
            if segment.len == 0 {
                self.left.pop();
            }
        }
        Ok(any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(contents: &[u8]) -> (FileData, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(folder.path()).unwrap();
        let data = writer.store(&mut &contents[..], contents.len() as u64).unwrap();
        writer.finish().unwrap();
        let bytes = Layer::open(folder.path()).unwrap().read(&data).unwrap();
        (data, bytes)
    }

    #[test]
    fn contents_come_back() {
        for len in [
            0,
            1,
            4096,
            4097,
            28672,
            28673,
            32768,
            100_000,
            12 * 32768,
            12 * 32768 + 1,
        ] {
            let contents: Vec<u8> = (0..len).map(|i| (i % 251 + 1) as u8).collect();
            assert_eq!(round_trip(&contents).1, contents, "{len} bytes");
        }
    }

    #[test]
    fn zeros_become_holes_but_never_at_the_end() {
        let mut contents = vec![0; 5 * BLOCK as usize];
        contents[BLOCK as usize] = 1;
        let (data, bytes) = round_trip(&contents);
        assert_eq!(bytes, contents);
        let lbns: Vec<_> = data.runs.iter().map(|run| (run.lbn, run.count)).collect();
        assert_eq!(lbns, [(1, 1), (4, 1)]);
    }

    #[test]
    fn a_huge_sparse_file_takes_little() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(folder.path()).unwrap();
        let far = 600 << 30;
        let segments = [Segment { at: 10, len: 3 }, Segment { at: far, len: 3 }];
        let data = writer.store_sparse(&mut &b"abcdef"[..], far + 4, &segments).unwrap();
        let lbns: Vec<_> = data.runs.iter().map(|run| run.lbn).collect();
        assert_eq!(lbns, [0, far / BLOCK]);
    }

    #[test]
    fn tails_share_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(folder.path()).unwrap();
        for size in [FRAG * 5, FRAG * 3, FRAG * 6, FRAG * 2] {
            writer.store(&mut io::repeat(7).take(size), size).unwrap();
        }
        assert_eq!(writer.next_frag_block, 2);
    }

    #[test]
    fn contents_that_break_off_are_the_readers_fault() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(folder.path()).unwrap();
        let error = writer.store(&mut &b"short"[..], 100).unwrap_err();
        assert!(matches!(error, StoreError::Read(error) if error.kind() == io::ErrorKind::UnexpectedEof));
    }
}
