//! Files that change together.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What a file is to be.
#[derive(Debug, Clone)]
pub struct Change {
    path: PathBuf,
    content: Vec<u8>,
    mode: u32,
}

/// Several of them.
#[derive(Debug, Default)]
pub struct Changes(Vec<Change>);

/// Files that were changed, with what they were before.
#[derive(Debug, Default)]
pub struct Applied(Vec<(PathBuf, Option<Old>)>);

/// A file as it was.
#[derive(Debug)]
struct Old {
    content: Vec<u8>,
    mode: u32,
}

impl Change {
    /// A file with that content and mode.
    pub fn new(path: PathBuf, content: Vec<u8>, mode: u32) -> Self {
        Self { path, content, mode }
    }

    fn fresh(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!(".{name}.ng-seed"))
    }

    fn prepare(&self) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let fresh = self.fresh();
        // One that an earlier run left, which may be a link.
        let _ = fs::remove_file(&fresh);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(&self.content)?;
        file.set_permissions(Permissions::from_mode(self.mode))?;
        file.sync_all()
    }
}

impl Changes {
    /// One more; a later one of the same file takes the place of an earlier one.
    pub fn push(&mut self, change: Change) {
        self.0.retain(|other| other.path != change.path);
        self.0.push(change);
    }

    /// How many files.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this file is among them.
    pub fn has(&self, path: &Path) -> bool {
        self.0.iter().any(|change| change.path == path)
    }

    /// Changes all files, or none.
    ///
    /// # Errors
    /// One of them cannot be written.
    pub fn apply(self) -> Result<Applied> {
        let mut applied = Applied::default();
        let result = { self.0.iter() }
            .try_for_each(|change| change.prepare().map_err(|error| failed(change, &error)))
            .and_then(|()| self.0.iter().try_for_each(|change| applied.replace(change)));
        match result {
            Ok(()) => Ok(applied),
            Err(error) => {
                applied.undo();
                for change in &self.0 {
                    let _ = fs::remove_file(change.fresh());
                }
                Err(error)
            }
        }
    }
}

impl Applied {
    fn replace(&mut self, change: &Change) -> Result<()> {
        let old = match fs::metadata(&change.path) {
            Ok(metadata) => {
                let content = fs::read(&change.path).map_err(|error| failed(change, &error))?;
                let mode = metadata.permissions().mode() & 0o7777;
                Some(Old { content, mode })
            }
            Err(_) => None,
        };
        fs::rename(change.fresh(), &change.path).map_err(|error| failed(change, &error))?;
        self.0.push((change.path.clone(), old));
        Ok(())
    }

    /// Makes the files what they were.
    pub fn undo(self) {
        for (path, old) in self.0.into_iter().rev() {
            // There is nothing better to do about a failure here than to go on with the others.
            let _ = match old {
                None => fs::remove_file(&path),
                Some(Old { content, mode }) => {
                    let change = Change::new(path.clone(), content, mode);
                    change.prepare().and_then(|()| fs::rename(change.fresh(), &path))
                }
            };
        }
    }
}

fn failed(change: &Change, error: &io::Error) -> Error {
    Error::System {
        action: "write the file",
        path: change.path.clone(),
        cause: error.to_string(),
    }
}
