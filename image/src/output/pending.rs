//! Files that appear all at once or not at all.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// End of temporary file names, which begin with a dot.
const SUFFIX: &str = ".part";

/// Folder of spare images.
const SPARES: &str = ".spare";

/// A folder that this build alone writes to.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if need be and locks it until the value is dropped (or the process dies).
    ///
    /// # Errors
    /// [`Error::Busy`], or the folder cannot be made.
    pub fn lock(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(Error::io("make the folder", path))?;
        let lock_path = path.join(".lock");
        let lock = File::create(&lock_path).map_err(Error::io("write the lock", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {
                let spares = path.join(SPARES);
                fs::create_dir_all(&spares).map_err(Error::io("make the folder", &spares))?;
                remove_remains(path)?;
                remove_remains(&spares)?;
                Ok(Self {
                    path: path.to_path_buf(),
                    _lock: lock,
                })
            }
            Err(TryLockError::WouldBlock) => Err(Error::Busy {
                folder: path.to_path_buf(),
            }),
            Err(TryLockError::Error(error)) => Err(Error::io("lock the folder", path)(error)),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where spare images and what is known about images lie.
    pub fn spares(&self) -> PathBuf {
        self.path.join(SPARES)
    }
}

/// Removes what a killed build left behind.
fn remove_remains(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(Error::io("read the folder", folder))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(SUFFIX) {
            fs::remove_file(entry.path())
                .map_err(Error::io("remove the remains of an earlier build", &entry.path()))?;
        }
    }
    Ok(())
}

/// A file under a temporary name beside its own; removed when dropped without [`Pending::commit`].
///
/// A build that is killed leaves the temporary file, and the next one removes it.
#[derive(Debug)]
pub struct Pending {
    temporary: PathBuf,
    target: PathBuf,
    committed: bool,
}

impl Pending {
    /// A file that will be at `target`.
    pub fn at(target: &Path) -> Self {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        Self::new(target.parent().unwrap_or(Path::new("")), &name)
    }

    /// A file in `folder` that will be called `name`.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self {
            temporary: folder.join(format!(".{name}{SUFFIX}")),
            target: folder.join(name),
            committed: false,
        }
    }

    /// Makes the temporary file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn file(&self) -> io::Result<File> {
        File::create(&self.temporary)
    }

    /// Where the contents go for now.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Where they will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Puts the file in its place, over an older one if there is one.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn commit(mut self) -> Result<()> {
        fs::rename(&self.temporary, &self.target).map_err(Error::io("put the file in its place", &self.target))?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing more can be done about a file that cannot be removed; the next build tries again.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
