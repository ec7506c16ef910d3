//! The lock: which inputs an image is built from, so that a changed one is noticed before anything is written.
//!
//! `appliance.lock` lies beside the appliance file and is kept with it. It has a section for each base and release, such
//! as `freebsd-14.3`; a section that is absent is not locked yet. What is pinned comes from elsewhere and can change under
//! the same name: MANIFEST, sets, packages, and the versions of the compiler and linkers. What lies in the repository
//! itself (overlay, graph, sources of module and tools) is not: version control tells what changed there.
//!
//! A locked toolchain binds as the rest does: another compiler makes other bytes. A build whose module and tools are given
//! uses no toolchain, and then none is compared.

mod difference;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use difference::{Cause, Difference, compare};

use crate::error::{Error, Result};
use crate::{output, suggest};

/// The lock's file name, beside the appliance file.
pub const FILE: &str = "appliance.lock";
/// The only form of the file that there is.
const VERSION: u32 = 1;
/// Most bytes in the file: some ten thousand packages.
const LARGEST: u64 = 4 << 20;
/// Most bytes in a line.
const LONGEST_LINE: usize = 2048;
/// Most brackets inside each other.
const DEEPEST: i64 = 16;
const DOCUMENTATION: &str = "write the file with `cargo xtask lock --update`";
const HEAD: &str =
    "# What images are built from. `cargo xtask lock` compares, `cargo xtask lock --update` writes this file.\n";

/// An input: a file, or a program whose version matters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// SHA-256 in hexadecimal; none for a program, of which only the version counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Version, if it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it came from, for people; another source of the same bytes is no difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Pin {
    /// A file with this SHA-256.
    pub fn file(sha256: impl Into<String>) -> Self {
        Self {
            sha256: Some(sha256.into()),
            ..Self::default()
        }
    }

    /// A program of this version.
    pub fn program(version: impl Into<String>) -> Self {
        Self {
            version: Some(version.into()),
            ..Self::default()
        }
    }

    /// The same, of a version.
    #[must_use]
    pub fn of_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The same, from a source.
    #[must_use]
    pub fn from_source(mut self, source: Option<String>) -> Self {
        self.source = source;
        self
    }
}

/// Inputs by name.
pub type Pins = BTreeMap<String, Pin>;

/// A lock file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// Pins by section, such as `freebsd-14.3`.
    #[serde(default)]
    pub locks: BTreeMap<String, Section>,
}

/// What one base of one release is built from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Files from elsewhere.
    #[serde(default)]
    pub inputs: Pins,
    /// Programs that make module and tools.
    #[serde(default, skip_serializing_if = "Pins::is_empty")]
    pub toolchain: Pins,
}

/// What a build does about the lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The lock file; without one, nothing is compared.
    pub file: Option<PathBuf>,
    /// A section that is absent is an error.
    pub required: bool,
    /// The programs that made module and tools; none if those were given.
    pub toolchain: Pins,
}

/// The section of a base and a release.
pub fn section(base: &str, release: &str) -> String {
    format!("{base}-{release}")
}

impl Lock {
    /// Reads a lock file; one that is not there is empty.
    ///
    /// # Errors
    /// It cannot be read, or [`Error::Spec`] with line and column.
    pub fn load(path: &Path) -> Result<Self> {
        let failed = Error::io("read the lock", path);
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        let mut text = String::new();
        file.take(LARGEST + 1).read_to_string(&mut text).map_err(failed)?;
        Self::parse(&text, path)
    }

    /// Parses the text of the lock file `path`.
    ///
    /// # Errors
    /// [`Error::Spec`] with line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let wrong = |key: &str, cause: String| {
            let (line, column) = suggest::find_word(text, key);
            Error::Spec {
                file: path.to_path_buf(),
                line,
                column,
                cause,
                hint: DOCUMENTATION.into(),
            }
        };
        if let Some(cause) = bad_shape(text) {
            return Err(wrong("", cause));
        }
        let lock: Self =
            serde_yaml::from_str(text).map_err(|error| suggest::spec_error(&error, text, path, DOCUMENTATION))?;
        match lock.mistake() {
            None => Ok(lock),
            Some((key, cause)) => Err(wrong(&key, cause)),
        }
    }

    /// The first thing that the types alone do not refuse: the key at fault, and what is wrong.
    fn mistake(&self) -> Option<(String, String)> {
        if self.version != VERSION {
            let cause = format!("version {} is not known; this is version {VERSION}", self.version);
            return Some(("version".into(), cause));
        }
        let sections = self.locks.values();
        let pins = sections.flat_map(|section| section.inputs.iter().chain(&section.toolchain));
        pins.into_iter()
            .find_map(|(name, pin)| pin_mistake(pin).map(|cause| (name.clone(), format!("`{name}` {cause}"))))
    }

    /// The file's text: sorted, so that versions of it can be compared line by line.
    ///
    /// # Errors
    /// A text in it cannot be written as YAML.
    pub fn text(&self) -> Result<String> {
        let lock = Self {
            version: VERSION,
            locks: self.locks.clone(),
        };
        let body = serde_yaml::to_string(&lock).map_err(|error| Error::Input {
            file: FILE.into(),
            cause: format!("cannot be written: {error}"),
            hint: DOCUMENTATION.into(),
        })?;
        Ok(format!("{HEAD}{body}"))
    }

    /// Writes the file in one step.
    ///
    /// # Errors
    /// Its folder cannot take it.
    pub fn save(&self, path: &Path) -> Result<()> {
        output::replace(path, self.text()?.as_bytes())
    }
}

/// What no lock looks like, and what a YAML parser would take long over: its time grows with the square of the depth.
fn bad_shape(text: &str) -> Option<String> {
    if text.len() as u64 > LARGEST {
        return Some(format!("has more than {} MiB", LARGEST >> 20));
    }
    if text.lines().any(|line| line.len() > LONGEST_LINE) {
        return Some(format!("has a line of more than {LONGEST_LINE} bytes"));
    }
    let depths = text.bytes().scan(0_i64, |depth, byte| {
        *depth += i64::from(b"[{".contains(&byte)) - i64::from(b"]}".contains(&byte));
        Some(*depth)
    });
    (depths.max() > Some(DEEPEST)).then(|| format!("has more than {DEEPEST} brackets inside each other"))
}

fn pin_mistake(pin: &Pin) -> Option<String> {
    match (&pin.sha256, &pin.version) {
        (None, None) => Some("has neither `sha256` nor `version`".into()),
        (Some(sum), _) if !is_sha256(sum) => Some(format!("has `{sum}`, which is no SHA-256 of 64 hexadecimal digits")),
        _ => None,
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// How a build stands to the lock, if it may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody asked.
    Unasked,
    /// The lock has no such section.
    NotLocked,
    /// Every input is the locked one.
    Holds,
}

impl Policy {
    /// Compares inputs with the section `name`.
    ///
    /// # Errors
    /// [`Error::Locked`] if one differs; [`Error::Input`] if the section is required and absent.
    pub fn check(&self, name: &str, inputs: &Pins) -> Result<Standing> {
        let Some(file) = &self.file else {
            return Ok(Standing::Unasked);
        };
        let lock = Lock::load(file)?;
        let Some(locked) = lock.locks.get(name) else {
            return match self.required {
                false => Ok(Standing::NotLocked),
                true => Err(Error::Input {
                    file: file.clone(),
                    cause: format!("has no section `{name}`"),
                    hint: "write it with `cargo xtask lock --update`, or build without --locked".into(),
                }),
            };
        };
        let differences = differences(locked, inputs, &self.toolchain);
        match differences.is_empty() {
            true => Ok(Standing::Holds),
            false => Err(Error::Locked {
                file: file.clone(),
                section: name.into(),
                differences,
            }),
        }
    }
}

/// How inputs differ from a section. Programs are compared only if the build uses any.
pub fn differences(locked: &Section, inputs: &Pins, toolchain: &Pins) -> Vec<Difference> {
    let mut all = compare(&locked.inputs, inputs);
    if !toolchain.is_empty() {
        all.extend(compare(&locked.toolchain, toolchain));
    }
    all
}
