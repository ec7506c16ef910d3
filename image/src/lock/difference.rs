//! How the inputs at hand differ from the locked ones, in words.

use std::collections::BTreeSet;
use std::fmt;

use super::{Pin, Pins};

/// An input that is not the locked one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The input's name.
    pub name: String,
    /// What the lock says, if it names the input.
    pub locked: Option<Pin>,
    /// What was found, if there is such an input.
    pub found: Option<Pin>,
}

/// Why an input may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The lock does not name it.
    New,
    /// The build does not use it any more.
    Gone,
    /// It has another version.
    Version,
    /// The same name and version, other bytes.
    Contents,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "the lock does not name it",
            Self::Gone => "the build does not use it any more",
            Self::Version => "another version",
            Self::Contents => "other bytes under the same name",
        })
    }
}

impl Difference {
    /// Why it differs.
    pub fn cause(&self) -> Cause {
        match (&self.locked, &self.found) {
            (None, _) => Cause::New,
            (_, None) => Cause::Gone,
            (Some(locked), Some(found)) if locked.version != found.version => Cause::Version,
            _ => Cause::Contents,
        }
    }
}

/// One line: name, locked value, found value, cause.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (locked, found) = (value(self.locked.as_ref()), value(self.found.as_ref()));
        write!(f, "{}: locked {locked}, found {found}: {}", self.name, self.cause())
    }
}

fn value(pin: Option<&Pin>) -> String {
    let Some(pin) = pin else {
        return "nothing".into();
    };
    let sum = pin.sha256.as_ref().map(|sum| format!("sha256 {sum}"));
    let parts: Vec<String> = pin.version.clone().into_iter().chain(sum).collect();
    parts.join(" ")
}

/// Every input that differs, in the order of the names. Sources do not count.
pub fn compare(locked: &Pins, found: &Pins) -> Vec<Difference> {
    let names: BTreeSet<&String> = locked.keys().chain(found.keys()).collect();
    let same = |one: Option<&Pin>, other: Option<&Pin>| {
        let counts = |pin: &Pin| (pin.sha256.clone(), pin.version.clone());
        one.map(counts) == other.map(counts)
    };
    let differing = names
        .into_iter()
        .filter(|name| !same(locked.get(*name), found.get(*name)));
    differing
        .map(|name| Difference {
            name: name.clone(),
            locked: locked.get(name).cloned(),
            found: found.get(name).cloned(),
        })
        .collect()
}
