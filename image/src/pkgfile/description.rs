//! What a package says about itself: the two manifests.

use std::fmt;

use serde_json::{Map, Value, json};

use super::Contents;

/// A FreeBSD release series on amd64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series(pub u16);

impl Series {
    /// The name that pkg compares with the host's, such as `FreeBSD:14:amd64`.
    pub fn abi(self) -> String {
        format!("FreeBSD:{}:amd64", self.0)
    }

    /// The same as older versions of pkg write it.
    fn arch(self) -> String {
        format!("freebsd:{}:x86:64", self.0)
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.abi())
    }
}

/// What a package is. pkg refuses one that lacks any of these.
#[derive(Debug, Clone)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it would stand in the ports tree, such as `net/ngforge`.
    pub origin: String,
    /// One line about it.
    pub comment: String,
    /// Some lines about it.
    pub text: String,
    /// Whom to ask.
    pub maintainer: String,
    /// Its page.
    pub www: String,
    /// What it is for.
    pub series: Series,
    /// What `pkg add` shows when all is done.
    pub message: String,
}

impl Description {
    /// All but the files: what pkg reads to plan an installation.
    pub fn compact(&self, contents: &Contents) -> Value {
        json!({
            "name": self.name,
            "origin": self.origin,
            "version": self.version,
            "comment": self.comment,
            "maintainer": self.maintainer,
            "www": self.www,
            "abi": self.series.abi(),
            "arch": self.series.arch(),
            "prefix": "/usr/local",
            "flatsize": contents.iter().map(|(_, entry)| entry.size()).sum::<u64>(),
            "licenselogic": "single",
            "licenses": ["BSD2CLAUSE"],
            "desc": encoded(&self.text),
            "categories": [self.origin.split('/').next().unwrap_or_default()],
            "messages": [{"message": self.message, "type": "install"}],
        })
    }

    /// The same with the files and their checksums.
    pub fn full(&self, contents: &Contents) -> Value {
        let mut manifest = self.compact(contents);
        let files: Map<_, _> = { contents.iter() }
            .map(|(path, entry)| (format!("/{}", encoded(path)), entry.checksum().into()))
            .collect();
        manifest["files"] = files.into();
        manifest
    }
}

/// pkg decodes descriptions and paths as those of an address (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    text.replace('%', "%25")
}
