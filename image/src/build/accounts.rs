//! The lists beside an image: written under a temporary name, and put in their places with the image's own files.

use crate::error::{Error, Result};
use crate::hash;
use crate::manifest::OutputFile;
use crate::output::{Folder, Pending};

/// A list that waits for its place.
#[derive(Debug)]
pub struct Written {
    pending: Pending,
    file: OutputFile,
}

/// Writes a list for the image `stem`; its name ends in `end`, which without dot and `.json` is its format.
///
/// # Errors
/// The folder cannot take it.
pub fn write(folder: &Folder, stem: &str, end: &str, text: &str) -> Result<Written> {
    let name = format!("{stem}{end}");
    let pending = Pending::new(folder.path(), &name);
    std::fs::write(pending.temporary(), text).map_err(Error::io("write the list", pending.target()))?;
    let file = OutputFile {
        path: name.into(),
        format: end.trim_start_matches('.').trim_end_matches(".json").into(),
        size: text.len() as u64,
        sha256: hash::of_bytes(text.as_bytes()),
    };
    Ok(Written { pending, file })
}

impl Written {
    /// Puts the list in its place.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn commit(self) -> Result<OutputFile> {
        self.pending.commit()?;
        Ok(self.file)
    }
}
