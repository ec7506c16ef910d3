//! Smoke tests as data: what `tests/smoke/*.yaml` may say. Unknown keys are errors, with line and column.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::ethernet::Frame;
use super::expect::Expect;
use crate::base::Base;

/// The tests of one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The file's name without `.yaml`.
    #[serde(skip)]
    pub name: String,
    /// What the tests show, in one sentence: for readers of the file.
    #[serde(rename = "about")]
    _about: String,
    /// The tests, in the order in which they run.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// What the test shows; unique among all files.
    pub name: String,
    /// The only base this test is meant for: `freebsd` or `hosted`.
    #[serde(default)]
    pub on: Option<Base>,
    /// A program of this workspace, such as `conformance`: built for the guest and laid into its /tmp before the test.
    #[serde(default)]
    pub upload: Option<String>,
    /// A script for /bin/sh in the guest, run as root with an empty standard input.
    #[serde(default)]
    pub command: Option<String>,
    /// The exit status that the script must have.
    #[serde(default)]
    pub status: i32,
    /// What the script's standard output must look like.
    #[serde(default)]
    pub stdout: Expect,
    /// What the script's standard error must look like.
    #[serde(default)]
    pub stderr: Expect,
    /// What the serial console must show after the test has begun.
    #[serde(default)]
    pub serial: Expect,
    /// Frames to send and to wait for. With a command, they are sent again and again until it ends.
    #[serde(default)]
    pub frames: Vec<Step>,
    /// Seconds that the test may take.
    #[serde(default = "default_timeout", deserialize_with = "timeout")]
    pub timeout: u64,
}

/// One frame and where it must, or must not, leave the guest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The frame.
    pub frame: Frame,
    /// The network card that the harness sends it into; without one, it is the test's command that makes it.
    #[serde(default)]
    pub into: Option<u8>,
    /// Network cards that it must leave.
    #[serde(default)]
    pub leaves: Vec<u8>,
    /// Network cards that it must not leave. Judged when a later frame of the same test has left them.
    #[serde(default)]
    pub avoids: Vec<u8>,
}

fn default_timeout() -> u64 {
    20
}

/// The longest that one test may take.
const LONGEST: u64 = 900;

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        seconds @ 1..=LONGEST => Ok(seconds),
        other => Err(D::Error::custom(format!(
            "timeout: {other} is not between 1 and {LONGEST} seconds"
        ))),
    }
}

/// Reads all files of a folder, in the order of their names.
///
/// # Errors
/// A file cannot be read, or says what it may not; or there is none.
pub fn load(folder: &Path) -> Result<Vec<Suite>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("could not read the folder of smoke tests {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut files: Vec<PathBuf> = paths.collect::<Result<_, std::io::Error>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    if files.is_empty() {
        bail!("there are no smoke tests: {} holds no .yaml file", folder.display());
    }
    let suites: Vec<Suite> = files.iter().map(|file| load_file(file)).collect::<Result<_>>()?;
    check_names(&suites)?;
    Ok(suites)
}

fn load_file(path: &Path) -> Result<Suite> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("could not read the smoke tests {}", path.display()))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    parse(&name, &text).with_context(|| format!("the smoke tests {} are not right", path.display()))
}

/// Reads the text of one file.
fn parse(name: &str, text: &str) -> Result<Suite> {
    let mut suite: Suite = serde_yaml::from_str(text)?;
    suite.name = name.to_owned();
    for test in &suite.tests {
        test.check().with_context(|| format!("test `{}`", test.name))?;
    }
    Ok(suite)
}

fn check_names(suites: &[Suite]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for suite in suites {
        for test in &suite.tests {
            if let Some(other) = seen.insert(&test.name, &suite.name) {
                bail!(
                    "two smoke tests have the name `{}`: one in {other}.yaml, one in {}.yaml",
                    test.name,
                    suite.name
                );
            }
        }
    }
    Ok(())
}

impl Test {
    fn check(&self) -> Result<()> {
        if self.command.is_none() && self.frames.is_empty() {
            bail!("it does nothing: it needs a `command` or `frames`");
        }
        if self.command.is_none() && !(self.stdout.is_empty() && self.stderr.is_empty()) {
            bail!("it expects output, but has no `command`");
        }
        if self.upload.is_some() && self.command.is_none() {
            bail!("it uploads a program, but has no `command` to run it");
        }
        self.check_frames()
    }

    /// A frame that nobody waits for shows nothing; one that must not come needs a later one that does.
    fn check_frames(&self) -> Result<()> {
        let mut later: BTreeSet<u8> = BTreeSet::new();
        for (index, step) in self.frames.iter().enumerate().rev() {
            if step.into.is_none() && self.command.is_none() {
                bail!(
                    "frame {} goes `into` no network card, and no `command` makes it",
                    index + 1
                );
            }
            if step
                .into
                .iter()
                .chain(&step.leaves)
                .chain(&step.avoids)
                .any(|nic| *nic < 2)
            {
                bail!("frames go through network cards from 2 on; the first one carries SSH");
            }
            if let Some(nic) = step.avoids.iter().find(|nic| !later.contains(nic)) {
                bail!(
                    "frame {} avoids network card {nic}, but no later frame leaves it",
                    index + 1
                );
            }
            later.extend(&step.leaves);
        }
        if !self.frames.is_empty() && self.command.is_none() && later.is_empty() {
            bail!("no frame is expected to leave anywhere, and no `command` sees them");
        }
        Ok(())
    }

    /// The highest number of a network card that the test needs.
    pub fn nics(&self) -> u8 {
        let steps = self.frames.iter();
        let numbers = steps.flat_map(|step| step.into.into_iter().chain(step.leaves.clone()));
        numbers.max().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn error(text: &str) -> String {
        format!("{:#}", parse("file", text).unwrap_err())
    }

    #[test]
    fn a_full_test_is_understood() {
        let suite = parse(
            "module",
            r#"
about: everything at once
tests:
  - name: one
    on: freebsd
    command: ng list --json
    status: 1
    stdout:
      equals: "x"
      matches: ["^x$", x]
      lacks: panic
      json:
        /0/name: br0
        /: {contains: {name: br0}}
    stderr: {matches: refused}
    serial: {matches: marker}
    timeout: 5
    frames:
      - frame: {hex: "ffffffffffff 020000000001 88b5"}
        into: 2
        leaves: [3]
"#,
        )
        .unwrap();
        assert_eq!(suite.name, "module");
        assert_eq!(suite.tests[0].timeout, 5);
        assert_eq!(suite.tests[0].nics(), 3);
        assert_eq!(suite.tests[0].frames[0].frame.bytes.len(), 60);
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let suite = parse("a", "about: a\ntests:\n  - {name: one, command: 'true'}\n").unwrap();
        let test = &suite.tests[0];
        assert_eq!((test.status, test.timeout, test.nics()), (0, 20, 1));
        assert!(test.stdout.is_empty());
    }

    #[test]
    fn what_may_not_be_said_is_named_with_its_place() {
        let cases = [
            (
                "about: a\ntests:\n  - name: one\n    comand: ls\n",
                vec!["unknown field `comand`", "line 4"],
            ),
            (
                "about: a\ntests:\n  - command: ls\n",
                vec!["missing field `name`", "line 3"],
            ),
            (
                "about: a\ntests:\n  - name: x\n    command: ls\n    on: moon\n",
                vec!["unknown variant `moon`, expected `freebsd` or `hosted`", "line 5"],
            ),
            ("tests: []\n", vec!["missing field `about`"]),
            (
                "about: a\ntests:\n  - name: x\n    command: ls\n    stdout: {matches: '('}\n",
                vec!["regex", "line 5"],
            ),
            (
                "about: a\ntests:\n  - name: x\n    command: ls\n    stdout:\n      json: {name: 1}\n",
                vec!["`name` is not a JSON pointer", "line 6"],
            ),
            (
                "about: a\ntests:\n  - name: x\n    command: ls\n    timeout: 0\n",
                vec!["timeout: 0 is not between 1 and 900 seconds", "line 3"],
            ),
            ("about: a\ntests:\n  - name: x\n", vec!["test `x`", "it does nothing"]),
            (
                "about: a\ntests:\n  - name: x\n    frames: [{into: 2, frame: {hex: 'ff'}, leaves: [3]}]\n",
                vec!["14 bytes", "line 4"],
            ),
            (
                "about: a\ntests:\n  - name: x\n    frames: [{into: 2, frame: {to: broadcast, from: '02:00', type: 1}}]\n",
                vec!["`02:00` is not an Ethernet address", "line 4"],
            ),
            (
                "about: a\ntests:\n  - {name: x, frames: [{into: 2, frame: {hex: 'ffffffffffff02000000000188b5'}}]}\n",
                vec!["no frame is expected"],
            ),
            (
                "about: a\ntests:\n  - name: x\n    frames:\n      - {into: 2, frame: {hex: 'ffffffffffff02000000000188b5'}, \
                 leaves: [2], avoids: [3]}\n",
                vec!["frame 1 avoids network card 3"],
            ),
            (
                "about: a\ntests:\n  - {name: x, stdout: {equals: y}, frames: \
                 [{into: 2, frame: {hex: 'ffffffffffff02000000000188b5'}, leaves: [3]}]}\n",
                vec!["has no `command`"],
            ),
            (
                "about: a\ntests:\n  - {name: x, frames: [{frame: {hex: 'ffffffffffff02000000000188b5'}, leaves: [3]}]}\n",
                vec!["goes `into` no network card"],
            ),
            (
                "about: a\ntests:\n  - {name: x, frames: \
                 [{into: 1, frame: {hex: 'ffffffffffff02000000000188b5'}, leaves: [3]}]}\n",
                vec!["the first one carries SSH"],
            ),
            (
                "about: a\ntests:\n  - {name: x, upload: y, frames: \
                 [{into: 2, frame: {hex: 'ffffffffffff02000000000188b5'}, leaves: [3]}]}\n",
                vec!["uploads a program"],
            ),
            ("about: [", vec!["line"]),
        ];
        for (text, expected) in cases {
            let error = error(text);
            for part in expected {
                assert!(error.contains(part), "`{part}` is not in `{error}`");
            }
        }
    }

    #[test]
    fn names_are_unique_among_files() {
        let dir = tempfile::tempdir().unwrap();
        let text = "about: a\ntests:\n  - {name: same, command: ls}\n";
        for name in ["a.yaml", "b.yaml", "ignored.txt"] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let error = load(dir.path()).unwrap_err().to_string();
        assert!(error.contains("one in a.yaml, one in b.yaml"), "{error}");
    }

    #[test]
    fn the_repository_s_own_tests_are_right() {
        let suites = load(&crate::util::root().join("tests/smoke")).unwrap();
        for test in suites.iter().flat_map(|suite| &suite.tests) {
            let command = test.command.as_deref().unwrap_or_default();
            let checked = Command::new("/bin/sh").args(["-n", "-c", command]).status().unwrap();
            assert!(checked.success(), "the command of `{}` is no shell script", test.name);
        }
        let count: usize = suites.iter().map(|suite| suite.tests.len()).sum();
        assert!(count >= 25, "only {count} smoke tests");
    }
}
