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
    Fresh {
        image: Pending,
        record: Record,
        spare: Option<(Pending, Record)>,
    },
    /// It is the changed spare.
    Patched(Record),
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

    /// Puts the file in its place.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn commit(self) -> Result<OutputFile> {
        let Self { file, slot, how, .. } = self;
        let old = Slot::load(&slot.image_record);
        forget(&slot);
        match how {
            How::Fresh { image, record, spare } => {
                image.commit()?;
                remember(&slot.image_record, &record);
                match spare {
                    Some((pending, record)) => {
                        pending.commit()?;
                        remember(&slot.spare_record, &record);
                    }
                    None => drop(fs::remove_file(&slot.spare)),
                }
            }
            How::Patched(record) => {
                if patch::swap(&slot.spare, &slot.image).is_ok() {
                    old.inspect(|old| remember(&slot.spare_record, old));
                } else {
                    let failed = Error::io("put the file in its place", &slot.image);
                    fs::rename(&slot.spare, &slot.image).map_err(failed)?;
                }
                remember(&slot.image_record, &record);
            }
        }
        Ok(file)
    }
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
