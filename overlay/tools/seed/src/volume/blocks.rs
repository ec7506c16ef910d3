//! Reads of any place and length as a device takes them: whole blocks; and only so many, so that a file system that leads in
//! circles comes to an end.

use std::io::{self, Error, Read, Seek, SeekFrom, Write};

/// Bytes of a block: the sector of a disc, a multiple of a disk's.
const BLOCK: usize = 2048;
/// Blocks that are read of a volume, at most.
const MOST: u32 = 16 * 1024;

/// A device or image that is read only.
pub struct Blocks<R> {
    inner: R,
    at: u64,
    block: [u8; BLOCK],
    /// Which block that is, and how much of it there was.
    held: Option<(u64, usize)>,
    left: u32,
}

impl<R: Read + Seek> Blocks<R> {
    /// Reads this.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            at: 0,
            block: [0; BLOCK],
            held: None,
            left: MOST,
        }
    }

    /// Fills a buffer from a place; what lies behind the end is zero.
    pub fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.at = at;
        let mut done = 0;
        while done < buffer.len() {
            match self.read(&mut buffer[done..])? {
                0 => return Ok(()),
                count => done += count,
            }
        }
        Ok(())
    }

    /// Has that block in memory; tells how much of it there is.
    fn hold(&mut self, number: u64) -> io::Result<usize> {
        if let Some((held, length)) = self.held
            && held == number
        {
            return Ok(length);
        }
        self.left = { self.left.checked_sub(1) }.ok_or_else(|| Error::other("its file system leads in circles"))?;
        self.inner.seek(SeekFrom::Start(number.saturating_mul(BLOCK as u64)))?;
        self.held = None;
        let mut length = 0;
        while length < BLOCK {
            match self.inner.read(&mut self.block[length..])? {
                0 => break,
                count => length += count,
            }
        }
        self.held = Some((number, length));
        Ok(length)
    }
}

impl<R: Read + Seek> Read for Blocks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let skip = (self.at % BLOCK as u64) as usize;
        let length = self.hold(self.at / BLOCK as u64)?;
        let count = buffer.len().min(length.saturating_sub(skip));
        buffer[..count].copy_from_slice(&self.block[skip..skip + count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for Blocks<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => { self.at.checked_add_signed(by) }.ok_or(io::ErrorKind::InvalidInput)?,
            SeekFrom::End(by) => self.inner.seek(SeekFrom::End(by))?,
        };
        Ok(self.at)
    }
}

/// fatfs wants it; nothing is written.
impl<R> Write for Blocks<R> {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
