//! An image and its spare, written at the same time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::Pending;

/// Two files with the same contents. The spare is a convenience: if it cannot be written, there is none.
#[derive(Debug)]
pub struct Twin {
    /// The image.
    pub image: File,
    /// The spare, if there is one.
    pub spare: Option<File>,
}

impl Twin {
    /// Makes both files.
    ///
    /// # Errors
    /// The image's cannot be made.
    pub fn create(image: &Pending, spare: Option<&Pending>) -> io::Result<Self> {
        Ok(Self {
            image: image.file()?,
            spare: spare.and_then(|pending| pending.file().ok()),
        })
    }

    /// Sets the length of both.
    ///
    /// # Errors
    /// The image's cannot be set.
    pub fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.image.set_len(len)?;
        self.spare.take_if(|spare| spare.set_len(len).is_err());
        Ok(())
    }

    /// Writes to both.
    ///
    /// # Errors
    /// The image cannot be written.
    pub fn write_all_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.image.write_all_at(bytes, at)?;
        self.spare.take_if(|spare| spare.write_all_at(bytes, at).is_err());
        Ok(())
    }
}
