//! What a package says about itself: `+MANIFEST`, and a line of a catalogue (pkg-create(8), pkg-repository(5)).
//!
//! pkg(8) writes both as JSON. Paths in them have `%` and what is not ASCII as `%xx`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A package as its manifest describes it; a catalogue leaves out files, directories and scripts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Manifest {
    /// Name, such as `mpd5`.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// Version, such as `5.9_18`.
    #[serde(deserialize_with = "text")]
    pub version: String,
    /// The port it was made from, such as `net/mpd5`.
    #[serde(default)]
    pub origin: String,
    /// What it runs on, such as `FreeBSD:14:amd64`.
    #[serde(default)]
    pub abi: String,
    /// The same in older words, such as `freebsd:14:x86:64`.
    #[serde(default)]
    pub arch: String,
    /// Where its files go, such as `/usr/local`.
    #[serde(default)]
    pub prefix: String,
    /// SHA-256 of the package file in hexadecimal; only in a catalogue.
    #[serde(default)]
    pub sum: String,
    /// Path of the package file below the repository; only in a catalogue.
    #[serde(default)]
    pub repopath: String,
    /// The same in catalogues of older versions, and beside the other in newer ones.
    #[serde(default)]
    pub path: String,
    /// Packages that it needs, by name.
    #[serde(default)]
    pub deps: BTreeMap<String, Dependency>,
    /// Patterns of packages that it cannot stand beside.
    #[serde(default)]
    pub conflicts: Vec<String>,
    /// Words that other packages provide and it needs.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Words that it provides.
    #[serde(default)]
    pub provides: Vec<String>,
    /// Libraries that it needs, such as `libc.so.7`.
    #[serde(default)]
    pub shlibs_required: Vec<String>,
    /// Libraries that it brings.
    #[serde(default)]
    pub shlibs_provided: Vec<String>,
    /// Users that its files belong to or that its services run as.
    #[serde(default)]
    pub users: Vec<String>,
    /// Groups, likewise.
    #[serde(default)]
    pub groups: Vec<String>,
    /// More about it, such as `FreeBSD_version`.
    #[serde(default)]
    pub annotations: BTreeMap<String, Value>,
    /// Files and links, by absolute path as written.
    #[serde(default)]
    pub files: BTreeMap<String, FileEntry>,
    /// Directories, likewise.
    #[serde(default)]
    pub directories: BTreeMap<String, FileEntry>,
    /// Scripts for sh(1), by the moment that they are for.
    #[serde(default)]
    pub scripts: BTreeMap<String, String>,
    /// Scripts in Lua, likewise.
    #[serde(default)]
    pub lua_scripts: BTreeMap<String, Vec<String>>,
}

/// A package that another one needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// Its port.
    pub origin: String,
}

/// What a manifest says of a file or directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "Value")]
pub struct FileEntry {
    /// `1$` and SHA-256 in hexadecimal, or in older packages without `1$`; empty if there is none.
    pub sum: String,
    /// Owner's name, if given.
    pub uname: Option<String>,
    /// Group's name, if given.
    pub gname: Option<String>,
    /// Permissions in octal digits, if given.
    pub perm: Option<String>,
    /// File flags: names or a number.
    pub fflags: Option<String>,
}

impl Manifest {
    /// Name and version, as people write it.
    pub fn full_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Parses the text of a `+MANIFEST` or of a line of a catalogue.
    ///
    /// # Errors
    /// Why it is no such text, in words that follow the name of a file.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(text).map_err(|error| match text.first() {
            Some(b'{') => format!("has a manifest that cannot be understood: {error}"),
            _ => format!("has a manifest that is not the JSON that pkg-create(8) writes: {error}"),
        })?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Names go into paths and messages, so they are words.
    pub(super) fn check(&self) -> Result<(), String> {
        for (what, word) in [("name", &self.name), ("version", &self.version)] {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+,~@".contains(c);
            if word.is_empty() || word.len() > 200 || word.starts_with('.') || !word.chars().all(plain) {
                return Err(format!(
                    "has a manifest with the {what} `{}`, which is none",
                    word.escape_debug()
                ));
            }
        }
        Ok(())
    }
}

impl FileEntry {
    /// The SHA-256 that the file must have, in hexadecimal; none if the manifest has no checksum, as for a link.
    ///
    /// # Errors
    /// The checksum is of another kind.
    pub fn sha256(&self) -> Result<Option<String>, String> {
        let sum = self.sum.strip_prefix("1$").unwrap_or(&self.sum);
        match sum {
            "" | "-" => Ok(None),
            hex if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(Some(hex.to_ascii_lowercase()))
            }
            _ => Err(format!(
                "has the checksum `{}`, which is no SHA-256 in hexadecimal",
                self.sum.escape_debug()
            )),
        }
    }
}

impl From<Value> for FileEntry {
    /// A checksum alone, or a table; a directory may have a truth value instead.
    fn from(value: Value) -> Self {
        let word = |key: &str| match value.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        match &value {
            Value::String(sum) => Self {
                sum: if sum.len() > 1 { sum.clone() } else { String::new() },
                ..Self::default()
            },
            _ => Self {
                sum: word("sum").unwrap_or_default(),
                uname: word("uname"),
                gname: word("gname"),
                perm: word("perm"),
                fflags: word("fflags"),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Dependency {
    /// A table with `origin` and `version`, or a list of such tables.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = match Value::deserialize(deserializer)? {
            Value::Array(mut list) if !list.is_empty() => list.swap_remove(0),
            value => value,
        };
        match value.get("origin").and_then(Value::as_str) {
            Some(origin) => Ok(Self { origin: origin.into() }),
            None => Err(D::Error::custom("a dependency without an origin")),
        }
    }
}

/// Text, or a number that was meant as one.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(D::Error::custom("expected a word")),
    }
}

/// Undoes `%xx`.
pub fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// The packages of a catalogue's `data` file, one at a time, so that memory does not grow with what is not kept.
///
/// # Errors
/// It is not such a file, or `keep` says why not.
pub fn read_data(text: impl std::io::Read, keep: &mut dyn FnMut(Manifest) -> Result<(), String>) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_reader(text);
    let read = deserializer
        .deserialize_map(DataVisitor(keep))
        .and_then(|()| deserializer.end());
    read.map_err(|error| error.to_string())
}

struct DataVisitor<'a>(&'a mut dyn FnMut(Manifest) -> Result<(), String>);

impl<'de> Visitor<'de> for DataVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a table with `packages`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "packages" => map.next_value_seed(PackagesSeed(self.0))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct PackagesSeed<'a>(&'a mut dyn FnMut(Manifest) -> Result<(), String>);

impl<'de> serde::de::DeserializeSeed<'de> for PackagesSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PackagesSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of packages")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(manifest) = list.next_element::<Manifest>()? {
            manifest
                .check()
                .and_then(|()| (self.0)(manifest))
                .map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_ways_of_writing() {
        let text = br#"{"name":"a","version":5,"origin":"x/a","unknown":{},
            "deps":{"b":{"origin":"x/b","version":"1"},"c":[{"origin":"x/c","version":2}]},
            "files":{"/usr/a%25":"1$ab","/usr/l":"-","/usr/f":{"sum":"ab","perm":"4755","uname":"root","fflags":131072}},
            "directories":{"/var/a":"y","/var/b":true,"/var/c":{"gname":"mail"}}}"#;
        let manifest = Manifest::parse(text).unwrap();
        assert_eq!(manifest.full_name(), "a-5");
        assert_eq!(manifest.deps["c"].origin, "x/c");
        assert_eq!(manifest.files["/usr/l"].sum, "");
        assert_eq!(manifest.files["/usr/f"].fflags.as_deref(), Some("131072"));
        assert_eq!(manifest.directories["/var/c"].gname.as_deref(), Some("mail"));
        assert_eq!(decode("/usr/a%25%4"), b"/usr/a%%4");
    }

    #[test]
    fn checksums() {
        let sum = |sum: &str| {
            FileEntry {
                sum: sum.into(),
                ..FileEntry::default()
            }
            .sha256()
        };
        let hex = "AB".repeat(32);
        assert_eq!(sum(&format!("1${hex}")), Ok(Some(hex.to_lowercase())));
        assert_eq!(sum(&hex), Ok(Some(hex.to_lowercase())));
        assert_eq!(sum("-"), Ok(None));
        assert!(sum("2$ybndrfg8").unwrap_err().contains("no SHA-256"));
    }

    #[test]
    fn names_are_words() {
        for text in [
            &br#"{"name":"../x","version":"1"}"#[..],
            br#"{"name":"a","version":"1\n2"}"#,
            br#"{"name":"","version":"1"}"#,
        ] {
            assert!(Manifest::parse(text).unwrap_err().contains("which is none"));
        }
        assert!(Manifest::parse(b"name = x").unwrap_err().contains("not the JSON"));
    }

    #[test]
    fn a_catalogue_is_read_package_by_package() {
        let mut names = Vec::new();
        let text = br#"{"groups":[],"packages":[{"name":"a","version":"1"},{"name":"b","version":"2"}],"more":1}"#;
        read_data(&text[..], &mut |manifest| {
            names.push(manifest.full_name());
            Ok(())
        })
        .unwrap();
        assert_eq!(names, ["a-1", "b-2"]);
        assert!(read_data(&b"{\"packages\":[1]}"[..], &mut |_| Ok(())).is_err());
    }
}
