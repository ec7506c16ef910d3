//! tar (ustar) compressed with zstd.

use std::io::{self, Write};

use tar::{Builder, EntryType, Header};
use zstd::stream::write::Encoder;

use super::{Body, Entry};

/// Bytes of a path in the header, with the zero behind it.
pub const PATH_MAX: usize = 100;
/// pkg's own level for packages (COMPRESSION_LEVEL's best); these are small.
const LEVEL: i32 = 19;

/// An archive that is being written.
pub struct Archive<W: Write> {
    builder: Builder<Encoder<'static, W>>,
    time: u64,
}

impl<W: Write> Archive<W> {
    /// An empty archive; `time` is that of every entry.
    pub fn new(into: W, time: u64) -> io::Result<Self> {
        let mut encoder = Encoder::new(into, LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(Self {
            builder: Builder::new(encoder),
            time,
        })
    }

    /// Adds a file.
    pub fn file(&mut self, path: &str, mode: u16, contents: &[u8]) -> io::Result<()> {
        let mut header = self.header(path, mode, EntryType::Regular)?;
        header.set_size(contents.len() as u64);
        header.set_cksum();
        self.builder.append(&header, contents)
    }

    /// Adds what a package holds.
    pub fn entry(&mut self, path: &str, entry: &Entry) -> io::Result<()> {
        match &entry.body {
            Body::File(contents) => self.file(path, entry.mode, contents),
            Body::Symlink(target) => self.symlink(path, entry.mode, target),
        }
    }

    fn symlink(&mut self, path: &str, mode: u16, target: &str) -> io::Result<()> {
        let mut header = self.header(path, mode, EntryType::Symlink)?;
        put(&mut header.as_old_mut().linkname, target)?;
        header.set_size(0);
        header.set_cksum();
        self.builder.append(&header, io::empty())
    }

    fn header(&self, path: &str, mode: u16, kind: EntryType) -> io::Result<Header> {
        let mut header = Header::new_ustar();
        // `Header::set_path` refuses the absolute paths that packages have.
        put(&mut header.as_old_mut().name, path)?;
        header.set_entry_type(kind);
        header.set_mode(u32::from(mode));
        header.set_uid(0);
        header.set_gid(0);
        header.set_username("root")?;
        header.set_groupname("wheel")?;
        header.set_mtime(self.time);
        Ok(header)
    }

    /// Ends the archive.
    pub fn finish(self) -> io::Result<()> {
        self.builder.into_inner()?.finish()?.flush()
    }
}

fn put(field: &mut [u8; PATH_MAX], text: &str) -> io::Result<()> {
    match field.get_mut(..text.len()) {
        Some(place) if text.len() < PATH_MAX => {
            place.copy_from_slice(text.as_bytes());
            Ok(())
        }
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{text}: too long for a package"),
        )),
    }
}
