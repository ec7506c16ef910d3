//! Copies that keep owner and mode, and are on the disk when they are done.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::Path;

use crate::cfg::{Entry, Kind};
use crate::failure::{Failure, Result};

/// Copies what an entry describes to `to`, whose folder is there.
///
/// # Errors
/// What the system says.
pub fn copy(entry: &Entry, to: &Path) -> Result<()> {
    match &entry.kind {
        Kind::Folder => folder(entry, to),
        Kind::Link(target) => symlink(target, to)
            .and_then(|()| own(to, entry, |path, uid, gid| lchown(path, uid, gid)))
            .map_err(Failure::io("make the link", to)),
        Kind::File { .. } => file(entry, to),
    }
}

fn folder(entry: &Entry, to: &Path) -> Result<()> {
    if !to.is_dir() {
        fs::create_dir(to).map_err(Failure::io("make the folder", to))?;
    }
    fs::set_permissions(to, Permissions::from_mode(entry.mode))
        .and_then(|()| own(to, entry, |path, uid, gid| chown(path, uid, gid)))
        .map_err(Failure::io("make the folder", to))
}

/// The mode comes last: a secret is nobody else's for no moment.
fn file(entry: &Entry, to: &Path) -> Result<()> {
    let mut from = File::open(&entry.path).map_err(Failure::io("read", &entry.path))?;
    let copied = || -> io::Result<()> {
        let mut file = create_private(to)?;
        io::copy(&mut from, &mut file)?;
        own(to, entry, |path, uid, gid| chown(path, uid, gid))?;
        file.set_permissions(Permissions::from_mode(entry.mode))?;
        file.sync_all()
    }();
    copied.map_err(Failure::io("write", to))
}

fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

type Chown = fn(&Path, Option<u32>, Option<u32>) -> io::Result<()>;

/// Only if it is somebody else's: who is not root can copy his own files.
fn own(path: &Path, entry: &Entry, chown: Chown) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let now = fs::symlink_metadata(path)?;
    match (now.uid(), now.gid()) == (entry.uid, entry.gid) {
        true => Ok(()),
        false => chown(path, Some(entry.uid), Some(entry.gid)),
    }
}

/// Waits until the names in a folder are on the disk.
///
/// # Errors
/// What the system says.
pub fn sync_folder(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(Failure::io("flush the folder", path))
}

/// Puts a file or link in the place of another in one step.
///
/// # Errors
/// What the system says.
pub fn replace(entry: &Entry, to: &Path) -> Result<()> {
    if entry.kind == Kind::Folder {
        return folder(entry, to);
    }
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".ng-update");
    let fresh = to.with_file_name(name);
    let _ = fs::remove_file(&fresh);
    copy(entry, &fresh)?;
    fs::rename(&fresh, to).map_err(Failure::io("write", to))
}
