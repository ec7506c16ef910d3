//! The file of checksums beside the images.

use std::path::Path;

use super::Pending;
use crate::error::{Error, Result};
use crate::hash;
use crate::manifest::OutputFile;

/// [`OutputFile::format`] of it, and its file name's extension.
const SHA256: &str = "sha256";

/// A file of checksums that is complete and waits to take its place. Dropped, it leaves the old one there.
#[derive(Debug)]
pub struct Sums {
    pending: Pending,
    file: OutputFile,
}

/// Writes `<name>.sha256` for these files: lines that `sha256sum -c` takes on Linux and FreeBSD alike.
///
/// # Errors
/// The folder cannot take it.
pub fn checksums(folder: &Path, name: &str, files: &[&OutputFile]) -> Result<Sums> {
    let text: String = { files.iter() }.map(|file| line(&file.path, &file.sha256)).collect();
    let path = format!("{name}.{SHA256}");
    let pending = Pending::new(folder, &path);
    let failed = Error::io("write the checksums", pending.target());
    std::fs::write(pending.temporary(), &text).map_err(failed)?;
    let file = OutputFile {
        path: path.into(),
        format: SHA256.into(),
        size: text.len() as u64,
        sha256: hash::of_bytes(text.as_bytes()),
    };
    Ok(Sums { pending, file })
}

/// A checksum as BSD writes it; GNU's `sha256sum -c` reads it, too.
pub fn line(path: &Path, sha256: &str) -> String {
    format!("SHA256 ({}) = {sha256}\n", path.display())
}

impl Sums {
    /// Puts the file in its place.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn commit(self) -> Result<OutputFile> {
        self.pending.commit()?;
        Ok(self.file)
    }
}
