//! Reading a Debian package: an ar archive of two tar archives (deb(5)).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use liblzma::bufread::XzDecoder;
use liblzma::stream::MtStreamBuilder;

use crate::error::{Error, Result};
use crate::hash;

/// Memory above which a package is refused, in bytes: more than any preset of xz(1) needs.
const MEMORY_LIMIT: u64 = 160 << 20;
/// No single file that the hosted base takes comes near this many bytes.
const LARGEST_FILE: u64 = 256 << 20;
/// Links that are followed until a file is found.
const LINKS: usize = 8;

/// A package with the files that were asked for.
#[derive(Debug)]
pub struct Package {
    /// Where it was read from.
    pub file: PathBuf,
    /// Its name, such as `openssh-server`.
    pub name: String,
    /// Its version, such as `1:9.2p1-2`.
    pub version: String,
    /// SHA-256 of the .deb file in hexadecimal.
    pub sha256: String,
    /// Names of the packages that it depends on; the first where there is a choice.
    pub depends: Vec<String>,
    files: BTreeMap<String, Vec<u8>>,
    links: BTreeMap<String, String>,
}

impl Package {
    /// Reads a .deb file; of its files only those whose path, relative to the root, is `wanted`, and all links.
    ///
    /// # Errors
    /// [`Error::Archive`]: it is damaged, or compressed in a way that this does not know.
    pub fn read(file: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Self> {
        let sha256 = hash::of_file(file)?;
        let opened = File::open(file).map_err(Error::io("open the package", file))?;
        let mut archive = ar::Archive::new(BufReader::new(opened));
        let mut package = Self {
            file: file.to_path_buf(),
            name: String::new(),
            version: String::new(),
            sha256,
            depends: Vec::new(),
            files: BTreeMap::new(),
            links: BTreeMap::new(),
        };
        let damaged = |error: io::Error| damaged(file, "(the archive)", &error);
        while let Some(member) = archive.next_entry() {
            let member = member.map_err(damaged)?;
            let name = String::from_utf8_lossy(member.header().identifier()).into_owned();
            match name.split_once(".tar") {
                Some(("control", packing)) => package.control(decoder(file, packing, member)?)?,
                Some(("data", packing)) => package.data(decoder(file, packing, member)?, wanted)?,
                _ => {}
            }
        }
        if package.name.is_empty() {
            return Err(damaged(io::Error::other("it has no control file")));
        }
        Ok(package)
    }

    /// The contents of a file, through links.
    pub fn contents(&self, path: &str) -> Option<&[u8]> {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            if let Some(bytes) = self.files.get(&path) {
                return Some(bytes);
            }
            path = self.links.get(&path)?.clone();
        }
        None
    }

    /// The paths of all files and links that were read.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().chain(self.links.keys()).map(String::as_str)
    }

    fn control(&mut self, packed: impl Read) -> Result<()> {
        let mut text = String::new();
        each(&self.file, packed, |path, entry| {
            if path == "control" {
                entry.read_to_string(&mut text)?;
            }
            Ok(())
        })?;
        for (key, value) in { text.lines() }.filter_map(|line| line.split_once(": ")) {
            match key {
                "Package" => value.clone_into(&mut self.name),
                "Version" => value.clone_into(&mut self.version),
                "Depends" | "Pre-Depends" => self.depends.extend(value.split(',').filter_map(dependency)),
                _ => {}
            }
        }
        Ok(())
    }

    fn data(&mut self, packed: impl Read, wanted: &dyn Fn(&str) -> bool) -> Result<()> {
        let (files, links) = (&mut self.files, &mut self.links);
        each(&self.file, packed, |path, entry| {
            if let Some(target) = entry.link_name()? {
                let target = target.to_string_lossy().into_owned();
                let target = match entry.header().entry_type() {
                    tar::EntryType::Symlink => beside(&path, &target),
                    _ => relative(&target),
                };
                links.insert(path, target);
            } else if entry.header().entry_type().is_file() && wanted(&path) {
                if entry.size() > LARGEST_FILE {
                    return Err(io::Error::other(format!("{} bytes are too many", entry.size())));
                }
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                files.insert(path, bytes);
            }
            Ok(())
        })
    }
}

/// The name in one item of a dependency list, such as `debconf (>= 0.5) | debconf-2.0`.
fn dependency(item: &str) -> Option<String> {
    let first = item.split('|').next()?.split_whitespace().next()?;
    Some(first.split(':').next()?.to_owned())
}

/// What undoes the packing that the end of a member's name tells.
fn decoder<'a>(file: &Path, packing: &str, member: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    match packing {
        "" => Ok(Box::new(member)),
        ".xz" => {
            let stream = MtStreamBuilder::new().memlimit_stop(MEMORY_LIMIT).decoder();
            let stream = stream.map_err(|error| damaged(file, "(the archive)", &error.into()))?;
            Ok(Box::new(XzDecoder::new_stream(BufReader::new(member), stream)))
        }
        other => Err(Error::Archive {
            file: file.to_path_buf(),
            entry: format!("*.tar{other}"),
            cause: "is compressed in a way that Debian's packages are not".into(),
            hint: "take packages of Debian's own".into(),
        }),
    }
}

/// Calls `visit` for each entry with its path relative to the root.
fn each(
    file: &Path,
    packed: impl Read,
    mut visit: impl FnMut(String, &mut tar::Entry<'_, Box<dyn Read + '_>>) -> io::Result<()>,
) -> Result<()> {
    let mut last = "(none yet)".to_owned();
    let mut archive = tar::Archive::new(Box::new(packed) as Box<dyn Read + '_>);
    let mut walk = || -> io::Result<()> {
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = relative(&String::from_utf8_lossy(&entry.path_bytes()));
            last.clone_from(&path);
            visit(path, &mut entry)?;
        }
        Ok(())
    };
    let result = walk();
    result.map_err(|error| damaged(file, &last, &error))
}

/// A path of an archive without what says that it begins at the root.
fn relative(path: &str) -> String {
    let path = path
        .strip_prefix('.')
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(path);
    path.trim_matches('/').to_owned()
}

/// Where a symbolic link at `path` leads.
fn beside(path: &str, target: &str) -> String {
    if target.starts_with('/') {
        return relative(target);
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn damaged(file: &Path, entry: &str, error: &io::Error) -> Error {
    Error::Archive {
        file: file.to_path_buf(),
        entry: entry.into(),
        cause: format!("could not be read: {error}"),
        hint: "the package is damaged: remove the file to have it fetched again".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::deb;
    use super::*;

    #[test]
    fn a_package_is_read_with_what_is_wanted_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.deb");
        let control = "Package: a\nVersion: 1:2-3\nDepends: libx1 (>= 2), b:any | c,\n d\nPre-Depends: zlib1g\n";
        let files = [
            ("./usr/lib/liba.so.1.2", "library"),
            ("./usr/lib/liba.so.1", "-> liba.so.1.2"),
            ("./bin/far", "-> ../usr/lib/./liba.so.1"),
            ("./usr/share/doc/a", "not wanted"),
        ];
        std::fs::write(&path, deb(control, &files)).unwrap();
        let package = Package::read(&path, &|path| !path.contains("doc")).unwrap();
        assert_eq!((&*package.name, &*package.version), ("a", "1:2-3"));
        assert_eq!(package.depends, ["libx1", "b", "zlib1g"]);
        assert_eq!(package.contents("bin/far"), Some(&b"library"[..]));
        assert_eq!(package.contents("usr/share/doc/a"), None);
        assert_eq!(package.sha256.len(), 64);
    }

    #[test]
    fn what_is_no_package_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.deb");
        let whole = deb("Package: a\nVersion: 1\n", &[("./bin/a", "contents")]);
        for bytes in [&b"no ar archive"[..], b"!<arch>\n", &whole[..whole.len() / 2]] {
            std::fs::write(&path, bytes).unwrap();
            let error = Package::read(&path, &|_| true).unwrap_err().to_string();
            assert!(error.contains("a.deb: entry `"), "{error}");
            assert!(error.contains("have it fetched again"), "{error}");
        }
    }

    #[test]
    fn endless_links_lead_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.deb");
        let files = [("./a", "-> b"), ("./b", "-> a")];
        std::fs::write(&path, deb("Package: a\nVersion: 1\n", &files)).unwrap();
        assert_eq!(Package::read(&path, &|_| true).unwrap().contents("a"), None);
    }
}
