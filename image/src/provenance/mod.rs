//! Where every file of an appliance came from: the list `<name>.files.json` beside the image, and what `cargo xtask why`
//! reads out of it.
//!
//! The list is JSON with one file to a line, sorted by path, so that grep(1) and diff(1) work on it.

mod gather;
mod lookup;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

pub use gather::{of_additions, of_tree};
pub use lookup::Answer;

/// What the list is; changes with its form.
const FORMAT: &str = "ngforge files 1";

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
}

/// A path of the appliance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The path, with a leading `/`.
    pub path: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Permission bits in octal, such as `0644`.
    pub mode: String,
    /// Owner's number.
    pub uid: u32,
    /// Group's number.
    pub gid: u32,
    /// chflags(2) flags.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub flags: u32,
    /// Bytes, of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// SHA-256 of the contents in hexadecimal; absent of files that are mostly holes ([`crate::data::FileData`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where a symbolic link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The first path of the same file, if it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
    /// The input it came from, such as `base.txz`.
    pub origin: String,
    /// Inputs that had something at this path, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
    /// Where its input has it, if it was moved aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
}

fn is_zero(flags: &u32) -> bool {
    *flags == 0
}

/// A path that an input has and the appliance has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// The path, with a leading `/`.
    pub path: String,
    /// The input that has it.
    pub origin: String,
    /// The pattern that removed it; none if the build itself leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// The whole list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    format: String,
    /// The image's name.
    pub image: String,
    /// Inputs by name, with SHA-256 in hexadecimal.
    pub inputs: BTreeMap<String, String>,
    /// What is in the appliance, by path.
    pub files: Vec<Record>,
    /// What was left out, by path.
    pub pruned: Vec<Pruned>,
}

impl Account {
    /// Files and omissions, of no image yet.
    pub fn new(mut files: Vec<Record>, mut pruned: Vec<Pruned>) -> Self {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        pruned.sort_by(|one, other| one.path.cmp(&other.path));
        Self {
            format: FORMAT.into(),
            files,
            pruned,
            ..Self::default()
        }
    }

    /// The text of the list of an image that was built from these inputs.
    pub fn text(&self, image: &str, inputs: &BTreeMap<String, String>) -> String {
        let mut text = format!(
            "{{\n\"format\": {},\n\"image\": {},\n\"inputs\": {},\n",
            line(FORMAT),
            line(image),
            serde_json::to_string_pretty(inputs).unwrap_or_default()
        );
        text.push_str(&lines("files", &self.files));
        text.push_str(",\n");
        text.push_str(&lines("pruned", &self.pruned));
        text.push_str("\n}\n");
        text
    }

    /// Reads a list.
    ///
    /// # Errors
    /// It is absent, or no such list.
    pub fn load(path: &Path) -> Result<Self> {
        let wrong = |cause: String| Error::Input {
            file: path.to_path_buf(),
            cause,
            hint: "build the image again with `cargo xtask image`".into(),
        };
        let text = fs::read(path).map_err(|error| wrong(format!("could not be read: {error}")))?;
        let account: Self =
            serde_json::from_slice(&text).map_err(|error| wrong(format!("is no list of files: {error}")))?;
        match account.format == FORMAT {
            true => Ok(account),
            false => Err(wrong(format!("is `{}`, not `{FORMAT}`", account.format))),
        }
    }
}

/// JSON on one line. What is written here is text and numbers, which always can be.
fn line<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn lines<T: Serialize>(name: &str, values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(line).collect();
    match values.is_empty() {
        true => format!("\"{name}\": []"),
        false => format!("\"{name}\": [\n{}\n]", values.join(",\n")),
    }
}
