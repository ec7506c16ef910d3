//! Files of a repository: where they are, and how they come here.

use std::fs;
use std::path::{Path, PathBuf};

use super::Context;
use crate::error::{Error, Result};
use crate::hash;
use crate::sets::download::{self, Patience};

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// On this machine.
    File(PathBuf),
    /// At this address of http or https.
    Address(String),
}

impl Location {
    /// The file at `path` below the repository at `address`.
    pub fn below(address: &str, path: &str) -> Self {
        match address.strip_prefix("file://") {
            Some(folder) => Self::File(Path::new(folder).join(path)),
            None => Self::Address(format!("{address}/{path}")),
        }
    }
}

const HINT: &str = "check the network and the address in `packages: from`; the release series must be one that the \
                    repository is for";

impl Context<'_> {
    /// A file of the catalogue of the repository at `address`, fetched anew.
    ///
    /// # Errors
    /// It cannot be had.
    pub(super) fn get(&self, address: &str, name: &str) -> Result<PathBuf> {
        match Location::below(address, name) {
            Location::File(file) if file.is_file() => Ok(file),
            Location::File(file) => Err(Error::Input {
                file,
                cause: "is not there".into(),
                hint: "is the address in `packages: from` that of a repository, the folder with meta.conf?".into(),
            }),
            Location::Address(url) => {
                let folder = self.folder("catalogues")?;
                let file = folder.join(format!("{}-{name}", &hash::of_bytes(address.as_bytes())[..16]));
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(Error::io("remove the old catalogue", &file)(error));
                    }
                    _ => {}
                }
                self.download(&url, &file)?;
                Ok(file)
            }
        }
    }

    /// The first of several files that can be had, with its name.
    ///
    /// # Errors
    /// None of them can; the error is about the first.
    pub(super) fn get_one(&self, address: &str, names: &[String]) -> Result<(String, PathBuf)> {
        let mut first = None;
        for name in names {
            match self.get(address, name) {
                Ok(file) => return Ok((name.clone(), file)),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| Error::Input {
            file: address.into(),
            cause: "names no catalogue".into(),
            hint: HINT.into(),
        }))
    }

    /// The package file with this SHA-256: where it lies, or in the cache.
    ///
    /// # Errors
    /// It cannot be had, or is not the one.
    pub(super) fn package(&self, location: &Location, sha256: &str) -> Result<PathBuf> {
        let url = match location {
            Location::File(file) => return Ok(file.clone()),
            Location::Address(url) => url,
        };
        let folder = self.folder("packages")?;
        let file = folder.join(format!("{sha256}.pkg"));
        if file.is_file() {
            return Ok(file);
        }
        let part = folder.join(format!(".{sha256}.part"));
        let found = self.download(url, &part)?;
        if found != sha256 {
            // It would only be taken up again.
            let _ = fs::remove_file(&part);
            return Err(differs(Path::new(url), sha256, &found));
        }
        fs::rename(&part, &file).map_err(Error::io("put the package in its place", &file))?;
        Ok(file)
    }

    fn download(&self, url: &str, part: &Path) -> Result<String> {
        let fetched = download::fetch(url, part, &Patience::default(), self.progress);
        fetched.map_err(|error| match error {
            Error::Download { url, cause, .. } => Error::Download {
                url,
                cause,
                hint: HINT.into(),
            },
            other => other,
        })
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.cache.join(name);
        fs::create_dir_all(&folder).map_err(Error::io("make the cache", &folder))?;
        Ok(folder)
    }
}

/// What to say of a package that is not the one of the catalogue.
pub fn differs(file: &Path, expected: &str, found: &str) -> Error {
    Error::Input {
        file: file.to_path_buf(),
        cause: format!("SHA-256 is {found}, but the catalogue says {expected}"),
        hint: "the mirror is being updated or the file is damaged: try again later, or name another mirror".into(),
    }
}
