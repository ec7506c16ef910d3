//! Image files that are complete and wait to take their place.

use std::fs;
use std::path::Path;

use super::patch::{self, Patched};
use super::record::{Record, Slot};
use super::{Format, Pending, output_file};
use crate::error::{Error, Result};
use crate::manifest::OutputFile;

/// A complete image file under another name. Dropped without [`Written::commit`], it leaves the old image in its place.
#[derive(Debug)]
pub struct Written {
    pub(super) file: OutputFile,
    pub(super) format: Format,
    pub(super) slot: Slot,
    pub(super) how: How,
}

/// How the file came about.
#[derive(Debug)]
pub(super) enum How {
    /// Written from front to back, possibly with a spare.
    Fresh(Box<Fresh>),
    /// It is the changed spare.
    Patched(Record),
}

/// A file written from front to back.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) image: Pending,
    pub(super) record: Record,
    pub(super) spare: Option<(Pending, Record)>,
}

impl Written {
    pub(super) fn patched(format: Format, slot: Slot, patched: Patched) -> Self {
        Self {
            file: output_file(format, &slot, patched.size, patched.sha256),
            format,
            slot,
            how: How::Patched(patched.record),
        }
    }

    /// Its format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What the file is.
    pub fn file(&self) -> &OutputFile {
        &self.file
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn commit(self) -> Result<OutputFile> {
        let Self { file, slot, how, .. } = self;
        let old = Slot::load(&slot.image_record);
        forget(&slot);
        match how {
            How::Fresh(fresh) => put_fresh(*fresh, &slot)?,
            How::Patched(record) => put_patched(&record, old.as_ref(), &slot)?,
        }
        Ok(file)
    }
}

fn put_fresh(fresh: Fresh, slot: &Slot) -> Result<()> {
    fresh.image.commit()?;
    remember(&slot.image_record, &fresh.record);
    match fresh.spare {
        Some((pending, record)) => {
            pending.commit()?;
            remember(&slot.spare_record, &record);
        }
        // An older spare has no record any more: it would only take space.
        None => drop(fs::remove_file(&slot.spare)),
    }
    Ok(())
}

/// Lets the changed spare and the image, of which `old` is known, swap places.
fn put_patched(record: &Record, old: Option<&Record>, slot: &Slot) -> Result<()> {
    match patch::swap(&slot.spare, &slot.image) {
        Ok(()) => {
            old.inspect(|old| remember(&slot.spare_record, old));
        }
        // There is no image to swap with, or the file system cannot do it.
        Err(_) => {
            let failed = Error::io("put the file in its place", &slot.image);
            fs::rename(&slot.spare, &slot.image).map_err(failed)?;
        }
    }
    remember(&slot.image_record, record);
    Ok(())
}

/// Saves a record. Without one, the next build takes longer; that is all.
fn remember(path: &Path, record: &Record) {
    if let Ok(text) = serde_json::to_vec(record) {
        let _ = fs::write(path, text);
    }
}

fn forget(slot: &Slot) {
    for path in [&slot.image_record, &slot.spare_record] {
        let _ = fs::remove_file(path);
    }
}
