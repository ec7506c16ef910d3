//! FreeBSD packages (pkg(8)) and plain tarballs of the same tree, made here: the same contents give the same bytes.
//!
//! A package is a tar archive compressed with zstd: `+COMPACT_MANIFEST`, `+MANIFEST` (both JSON, which is UCL), then the
//! files by their absolute paths, in the manifest's order. `pkg add` takes nothing else from the archive.

use std::collections::BTreeMap;
use std::io::Write;

use crate::error::{Error, Result};
use crate::hash;

mod archive;
mod description;

pub use description::{Description, Series};

/// What a path in a package is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A file with these contents.
    File(Vec<u8>),
    /// A symbolic link to this.
    Symlink(String),
}

/// A file or symbolic link. Owned by root and wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Permissions.
    pub mode: u16,
    /// What it is.
    pub body: Body,
}

impl Entry {
    /// Bytes on disk, as pkg counts them.
    fn size(&self) -> u64 {
        match &self.body {
            Body::File(bytes) => bytes.len() as u64,
            Body::Symlink(_) => 0,
        }
    }

    /// The checksum as pkg writes it: its kind, SHA-256 in hexadecimal, and the sum.
    fn checksum(&self) -> String {
        let sum = match &self.body {
            Body::File(bytes) => hash::of_bytes(bytes),
            Body::Symlink(target) => hash::of_bytes(&link_bytes(target)),
        };
        format!("1${sum}")
    }
}

/// What pkg hashes of a link: of an absolute one, the name without its slash, but as many bytes as with it; the last one is
/// the zero behind the name.
fn link_bytes(target: &str) -> Vec<u8> {
    match target.strip_prefix('/') {
        Some(relative) => [relative.as_bytes(), &[0]].concat(),
        None => target.as_bytes().to_vec(),
    }
}

/// The files of a package by path, without the leading slash.
#[derive(Debug, Clone, Default)]
pub struct Contents(BTreeMap<String, Entry>);

impl Contents {
    /// Adds a file or link.
    ///
    /// # Errors
    /// The path is not one that a package can have, or it is there already.
    pub fn add(&mut self, path: &str, entry: Entry) -> Result<()> {
        let path = path.trim_start_matches('/');
        let problem = path_problem(path).or_else(|| self.0.contains_key(path).then_some("is there twice"));
        if let Some(problem) = problem {
            return Err(Error::Tree {
                path: format!("/{path}"),
                cause: format!("{problem}; a package cannot hold it"),
                hint: "give it a plain path of less than 100 bytes".into(),
            });
        }
        self.0.insert(path.to_owned(), entry);
        Ok(())
    }

    /// Paths, without the leading slash, and entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(path, entry)| (path.as_str(), entry))
    }
}

fn path_problem(path: &str) -> Option<&'static str> {
    if path.len() + 1 >= archive::PATH_MAX {
        return Some("is too long");
    }
    if path.chars().any(char::is_control) {
        return Some("has control characters in its name");
    }
    let strange = |name: &str| name.is_empty() || name == "." || name == "..";
    path.split('/').any(strange).then_some("is not a plain path")
}

/// Writes a package that `pkg add` takes. `time` is that of every file, in seconds since 1970.
///
/// # Errors
/// The writer fails.
pub fn write_package(
    description: &Description,
    contents: &Contents,
    time: u64,
    into: impl Write,
) -> std::io::Result<()> {
    let mut archive = archive::Archive::new(into, time)?;
    let compact = description.compact(contents);
    archive.file("+COMPACT_MANIFEST", 0o644, compact.to_string().as_bytes())?;
    let full = description.full(contents);
    archive.file("+MANIFEST", 0o644, full.to_string().as_bytes())?;
    for (path, entry) in contents.iter() {
        archive.entry(&format!("/{path}"), entry)?;
    }
    archive.finish()
}

/// Writes the same tree as a tarball, with paths relative to the root.
///
/// # Errors
/// The writer fails.
pub fn write_tarball(contents: &Contents, time: u64, into: impl Write) -> std::io::Result<()> {
    let mut archive = archive::Archive::new(into, time)?;
    for (path, entry) in contents.iter() {
        archive.entry(path, entry)?;
    }
    archive.finish()
}

#[cfg(test)]
mod tests;
