//! From the name of a set to a file whose checksum is right, from a folder or from a mirror through the cache.

use std::fs;
use std::path::{Path, PathBuf};

use super::download::{self, Patience};
use super::{List, Listed, MANIFEST};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Where sets come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder with MANIFEST and the sets.
    Folder(PathBuf),
    /// An address below which MANIFEST and the sets are.
    Mirror(String),
}

impl Source {
    /// The source for an address: `file://` is a folder, all else a mirror.
    ///
    /// `release` is appended as `<release>-RELEASE` unless the address already ends in such a folder.
    pub fn mirror(address: &str, release: &str) -> Self {
        let address = address.trim_end_matches('/');
        let last = address.rsplit('/').next().unwrap_or_default();
        let whole = match last.contains("-RELEASE") || last.contains("-STABLE") || last.contains("-CURRENT") {
            true => address.to_string(),
            false => format!("{address}/{release}-RELEASE"),
        };
        match whole.strip_prefix("file://") {
            Some(folder) => Self::Folder(folder.into()),
            None => Self::Mirror(whole),
        }
    }
}

/// Gets sets.
pub struct Fetcher<'a> {
    source: &'a Source,
    cache: PathBuf,
    patience: Patience,
    progress: &'a dyn Progress,
}

impl<'a> Fetcher<'a> {
    /// Gets sets from `source`; what comes from a mirror is kept below `cache`, named by its checksum.
    pub fn new(source: &'a Source, cache: &Path, progress: &'a dyn Progress) -> Self {
        Self {
            source,
            cache: cache.join("sets"),
            patience: Patience::default(),
            progress,
        }
    }

    /// MANIFEST of the source.
    ///
    /// # Errors
    /// It is absent, or not a list.
    pub fn list(&self) -> Result<List> {
        match self.source {
            Source::Folder(folder) => {
                let path = folder.join(MANIFEST);
                let text = fs::read_to_string(&path).map_err(|error| Error::Input {
                    file: path.clone(),
                    cause: format!("could not be read: {error}"),
                    hint: "the folder must hold MANIFEST, base.txz and kernel.txz of one release".into(),
                })?;
                List::parse(&text, &path)
            }
            Source::Mirror(address) => {
                let url = format!("{address}/{MANIFEST}");
                self.make_cache()?;
                let part = self
                    .cache
                    .join(format!("{}.manifest", crate::hash::of_bytes(url.as_bytes())));
                // Always anew: a list from an earlier day would vouch for the wrong sets.
                let _ = fs::remove_file(&part);
                download::fetch(&url, &part, &self.patience, self.progress)?;
                let text = fs::read_to_string(&part).map_err(Error::io("read the download", &part))?;
                List::parse(&text, Path::new(&url))
            }
        }
    }

    /// A file with the set. From a mirror, its checksum has been checked; from a folder, the reader must check it.
    ///
    /// # Errors
    /// The set is absent, cannot be fetched, or has the wrong checksum.
    pub fn get(&self, set: &Listed) -> Result<PathBuf> {
        match self.source {
            Source::Folder(folder) => {
                let path = folder.join(&set.file);
                match path.is_file() {
                    true => Ok(path),
                    false => Err(Error::Input {
                        file: path,
                        cause: "is listed in MANIFEST but is not there".into(),
                        hint: "fetch it into that folder, or remove it from `sets` in the appliance file".into(),
                    }),
                }
            }
            Source::Mirror(address) => self.download(&format!("{address}/{}", set.file), set),
        }
    }

    fn download(&self, url: &str, set: &Listed) -> Result<PathBuf> {
        let path = self.cache.join(format!("{}.txz", set.sha256));
        if path.is_file() {
            self.progress.cached(&format!("fetch {}", set.file));
            return Ok(path);
        }
        self.make_cache()?;
        let part = self.cache.join(format!("{}.part", set.sha256));
        let found = download::fetch(url, &part, &self.patience, self.progress)?;
        if found != set.sha256 {
            let _ = fs::remove_file(&part);
            return Err(Error::Checksum {
                file: url.into(),
                expected: set.sha256.clone(),
                found,
            });
        }
        fs::rename(&part, &path).map_err(Error::io("put the download in its place", &path))?;
        Ok(path)
    }

    fn make_cache(&self) -> Result<()> {
        fs::create_dir_all(&self.cache).map_err(Error::io("make the cache", &self.cache))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::progress::Silent;

    #[test]
    fn addresses() {
        let mirror = |address| Source::mirror(address, "14.3");
        let https = "https://x.org/releases/amd64";
        assert_eq!(mirror(https), Source::Mirror(format!("{https}/14.3-RELEASE")));
        let exact = "http://x.org/snap/14.0-STABLE/";
        assert_eq!(mirror(exact), Source::Mirror("http://x.org/snap/14.0-STABLE".into()));
        assert_eq!(mirror("file:///sets"), Source::Folder("/sets/14.3-RELEASE".into()));
    }

    #[test]
    fn a_set_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::Folder(folder.path().into());
        let fetcher = Fetcher::new(&source, folder.path(), &Silent);
        assert!(
            fetcher
                .list()
                .unwrap_err()
                .to_string()
                .contains("MANIFEST: could not be read")
        );
        let set = Listed {
            file: "base.txz".into(),
            sha256: String::new(),
        };
        let error = fetcher.get(&set).unwrap_err().to_string();
        assert!(
            error.contains("base.txz: is listed in MANIFEST but is not there"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_checksum_from_a_mirror_leaves_nothing() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/14.0-STABLE", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad");
        });
        let cache = tempfile::tempdir().unwrap();
        let source = Source::Mirror(address);
        let set = Listed {
            file: "base.txz".into(),
            sha256: "0".repeat(64),
        };
        let error = Fetcher::new(&source, cache.path(), &Silent).get(&set).unwrap_err();
        assert!(matches!(error, Error::Checksum { .. }), "{error}");
        assert_eq!(fs::read_dir(cache.path().join("sets")).unwrap().count(), 0);
    }
}
