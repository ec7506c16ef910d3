//! What differs between two snapshots.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::snapshot::Snapshot;

/// What became of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It was not there.
    Added,
    /// Its contents, owner or mode are others.
    Changed,
    /// It is not there any more.
    Removed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "A",
            Self::Changed => "M",
            Self::Removed => "D",
        })
    }
}

/// A name, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The name, relative to the folder.
    pub path: PathBuf,
    /// What became of it.
    pub change: Change,
}

/// All of it, in the order of names: a folder before what is in it.
pub fn changes(before: &Snapshot, after: &Snapshot) -> Vec<Changed> {
    let changed = |path: &Path, change| Changed {
        path: path.to_path_buf(),
        change,
    };
    let now = after.0.iter().filter_map(|(path, entry)| match before.0.get(path) {
        None => Some(changed(path, Change::Added)),
        Some(old) if !old.is_like(entry) => Some(changed(path, Change::Changed)),
        Some(_) => None,
    });
    let gone = before.0.keys().filter(|path| !after.0.contains_key(*path));
    let gone = gone.map(|path| changed(path, Change::Removed));
    let mut all: Vec<Changed> = now.chain(gone).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}
