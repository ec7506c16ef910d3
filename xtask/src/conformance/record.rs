//! What one subject did: read from the program's lines, kept as JSON.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xshell::{Shell, cmd};

use crate::util;

/// What is tested, and where: the columns of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Our module, linked into the program, on the hosted kernel.
    Native,
    /// Our module for FreeBSD 14, on the hosted kernel.
    Module14,
    /// Our module for FreeBSD 15, on the hosted kernel.
    Module15,
    /// Our module on FreeBSD 14.
    RustFreeBsd,
    /// FreeBSD's module on the hosted kernel.
    Reference,
    /// FreeBSD's module on FreeBSD 14.
    ReferenceFreeBsd,
}

impl Subject {
    /// Every subject, in the order of the columns.
    pub const ALL: [Self; 6] = [
        Self::Native,
        Self::Module14,
        Self::Module15,
        Self::RustFreeBsd,
        Self::Reference,
        Self::ReferenceFreeBsd,
    ];

    /// The name of its file.
    const fn file(self) -> &'static str {
        match self {
            Self::Native => "rust-native",
            Self::Module14 => "rust-14-hostkern",
            Self::Module15 => "rust-15-hostkern",
            Self::RustFreeBsd => "rust-14-freebsd",
            Self::Reference => "c-14-hostkern",
            Self::ReferenceFreeBsd => "c-14-freebsd",
        }
    }

    /// What its column is called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Native => "Rust, native",
            Self::Module14 => "Rust, 14 .ko",
            Self::Module15 => "Rust, 15 .ko",
            Self::RustFreeBsd => "Rust, FreeBSD 14",
            Self::Reference => "C, 14 .ko",
            Self::ReferenceFreeBsd => "C, FreeBSD 14",
        }
    }

    /// Whether every test is meant to pass.
    const fn is_ours(self) -> bool {
        !matches!(self, Self::Reference | Self::ReferenceFreeBsd)
    }
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should.
    Passed,
    /// Otherwise.
    Failed,
    /// The kernel, or the process, died.
    Crashed,
    /// As it should, but something stayed allocated.
    Leaked,
    /// Not in time.
    Hung,
    /// The system lacks what it needs.
    NotHere,
}

impl Verdict {
    /// As a part of a sentence about the test.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
            Self::Leaked => "leaked",
            Self::Hung => "hung",
            Self::NotHere => "was not run",
        }
    }
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// How it ended.
    pub verdict: Verdict,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// What one subject did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    #[serde(skip, default = "nobody")]
    pub subject: Subject,
    /// The day, `2026-11-24`.
    pub date: String,
    /// The kernel, as the program named it.
    pub system: String,
    /// The SHA-256 of the module's file, where there is one.
    pub module: Option<String>,
    /// Every test, by name.
    pub tests: BTreeMap<String, Ending>,
}

/// Whose record it is, its file's name says.
const fn nobody() -> Subject {
    Subject::Native
}

/// A line of the program's.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Test {
        test: String,
        #[serde(flatten)]
        ending: Ending,
    },
    System {
        system: String,
    },
    Module {
        module: String,
    },
}

impl Record {
    /// Reads what the program said today.
    ///
    /// # Errors
    /// A line is none of the program's, or there is no test.
    pub fn new(shell: &Shell, subject: Subject, lines: &str, module: Option<&Path>) -> Result<Self> {
        let mut record = Self {
            subject,
            date: cmd!(shell, "date -u +%Y-%m-%d").quiet().read()?,
            system: String::new(),
            module: module.map(hash).transpose()?,
            tests: BTreeMap::new(),
        };
        for line in lines.lines() {
            match serde_json::from_str(line).with_context(|| format!("`{line}` is no line of the program's"))? {
                Line::Test { test, ending } => drop(record.tests.insert(test, ending.first_line())),
                Line::System { system } => record.system = system,
                Line::Module { module } => record.module = Some(module),
            }
        }
        if record.tests.is_empty() {
            bail!("{}: no test has been run", subject.title());
        }
        Ok(record)
    }

    fn place(subject: Subject) -> PathBuf {
        let folder = util::root().join("tests/conformance/results");
        folder.join(subject.file()).with_extension("json")
    }

    /// Keeps it, in place of an earlier one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn store(&self) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        util::write_atomically(&Self::place(self.subject), text.as_bytes())
    }

    /// Those that have been kept.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn load_all() -> Result<Vec<Self>> {
        let there = Subject::ALL
            .into_iter()
            .filter(|subject| Self::place(*subject).exists());
        there.map(Self::load).collect()
    }

    fn load(subject: Subject) -> Result<Self> {
        let place = Self::place(subject);
        let text = fs::read_to_string(&place).with_context(|| format!("could not read {}", place.display()))?;
        let record: Self = serde_json::from_str(&text).with_context(|| format!("in {}", place.display()))?;
        Ok(Self { subject, ..record })
    }

    /// Whether something of ours does not hold.
    pub fn is_broken(&self) -> bool {
        let fails = |ending: &Ending| !matches!(ending.verdict, Verdict::Passed | Verdict::NotHere);
        self.subject.is_ours() && self.tests.values().any(fails)
    }

    /// How many tests ended how, and which of ours not well.
    pub fn summary(&self) -> String {
        let count = |verdict| self.tests.values().filter(|ending| ending.verdict == verdict).count();
        let mut text = format!(
            "{:<18} {:>4} passed, {} failed, {} crashed, {} hung, {} leaked, {} not here",
            self.subject.title(),
            count(Verdict::Passed),
            count(Verdict::Failed),
            count(Verdict::Crashed),
            count(Verdict::Hung),
            count(Verdict::Leaked),
            count(Verdict::NotHere)
        );
        for (test, ending) in &self.tests {
            if !matches!(ending.verdict, Verdict::Passed | Verdict::NotHere) {
                text += &format!("\n    {:?} {test}: {}", ending.verdict, ending.text);
            }
        }
        text
    }
}

impl Ending {
    /// Without what follows the first line of a report, and without addresses, which differ from run to run.
    fn first_line(self) -> Self {
        let line = self.text.lines().next().unwrap_or_default();
        Self {
            verdict: self.verdict,
            text: without_addresses(line),
        }
    }
}

/// What has as many hexadecimal digits as an address of this machine is an address.
const ADDRESS: usize = 7;

fn without_addresses(line: &str) -> String {
    let word = |word: &str| {
        let digits = word.trim_end_matches([':', ',']).strip_prefix("0x")?.len();
        (digits >= ADDRESS).then(|| word.replacen(&word[..digits + 2], "0x...", 1))
    };
    let words = line
        .split(' ')
        .map(|text| word(text).unwrap_or_else(|| text.to_owned()));
    words.collect::<Vec<_>>().join(" ")
}

fn hash(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    let digest = Sha256::digest(bytes);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"{"module": "abc"}
{"system": "FreeBSD 14.3-RELEASE"}
{"test":"b01_x","verdict":"passed","seconds":0.1}
{"test":"b02_y","verdict":"not_here","text":"needs a laboratory","seconds":0.1}
{"test":"b03_z","verdict":"crashed","text":"panic: no\nat line 3","seconds":0.1}
"#;

    fn record(lines: &str) -> Result<Record> {
        Record::new(&Shell::new()?, Subject::RustFreeBsd, lines, None)
    }

    #[test]
    fn lines_become_a_record() {
        let record = record(LINES).unwrap();
        assert_eq!(
            (record.system.as_str(), record.module.as_deref()),
            ("FreeBSD 14.3-RELEASE", Some("abc"))
        );
        assert_eq!(record.tests["b03_z"].text, "panic: no");
        assert!(record.is_broken());
        assert!(
            record
                .summary()
                .contains("1 passed, 0 failed, 1 crashed, 0 hung, 0 leaked, 1 not here")
        );
    }

    #[test]
    fn addresses_are_left_out() {
        let text = "signal 11 at address 0x7f00aa000008: 3 bytes behind 0x7f00aa000000, null is 0x8";
        let fixed = "signal 11 at address 0x...: 3 bytes behind 0x..., null is 0x8";
        assert_eq!(without_addresses(text), fixed);
    }

    #[test]
    fn what_is_no_result_is_refused() {
        assert!(record("").is_err());
        assert!(record("ok b01_x").is_err());
    }
}
