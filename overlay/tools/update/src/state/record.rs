//! One copy of the record: text in, text out.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

/// Bytes of one copy: a sector, which a disk writes as a whole.
pub const SECTOR: usize = 512;
/// The first line.
const FIRST: &str = "ngforge-state 1";
/// Digits of a number at most, for the loader as well.
const DIGITS: usize = 9;

/// A root slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// The first one.
    A,
    /// The second one.
    B,
}

impl Slot {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "a",
            Self::B => "b",
        })
    }
}

impl FromStr for Slot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "a" => Ok(Self::A),
            "b" => Ok(Self::B),
            _ => Err(format!("`{text}` is no slot; there are `a` and `b`")),
        }
    }
}

/// What is known of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// It booted and reported healthy.
    Good,
    /// It was written and verified, and has not reported healthy yet.
    New,
    /// Nothing was ever written to it.
    Empty,
    /// It failed, or is being written.
    Bad,
}

impl Mark {
    const ALL: [Self; 4] = [Self::Good, Self::New, Self::Empty, Self::Bad];
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::New => "new",
            Self::Empty => "empty",
            Self::Bad => "bad",
        })
    }
}

/// Which slot boots, and what is known of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct State {
    /// Counts the writes; at most 9 digits.
    pub seq: u64,
    /// The slot that is booted.
    pub boot: Slot,
    /// The slot to boot once.
    #[serde(rename = "try")]
    pub once: Option<Slot>,
    /// The slot that was booted by `once` and has not reported healthy yet.
    pub tried: Option<Slot>,
    /// Boots since one of them last reported healthy.
    pub starts: u32,
    /// What is known of slot a.
    pub a: Mark,
    /// What is known of slot b.
    pub b: Mark,
}

/// Why a copy does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// It has not [`SECTOR`] bytes.
    #[error("it is {0} bytes long, not {SECTOR}")]
    Length(usize),
    /// It does not begin as a record does.
    #[error("it does not begin with `{FIRST}`")]
    NoRecord,
    /// A line is not the one that belongs there.
    #[error("line {line} is `{found}`, where {expected} belongs")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is there, shortened.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// The checksum is another one.
    #[error("its checksum is {found}, but that of its contents is {right}")]
    Sum {
        /// What is there.
        found: String,
        /// What belongs there.
        right: String,
    },
    /// Something other than newlines follows the last line.
    #[error("something follows the checksum")]
    Rest,
}

impl State {
    /// The record of a disk that was just made: slot a is there, slot b is empty.
    #[must_use]
    pub fn fresh() -> Self {
        Self {
            seq: 1,
            boot: Slot::A,
            once: None,
            tried: None,
            starts: 0,
            a: Mark::Good,
            b: Mark::Empty,
        }
    }

    /// What is known of a slot.
    #[must_use]
    pub fn mark(&self, slot: Slot) -> Mark {
        match slot {
            Slot::A => self.a,
            Slot::B => self.b,
        }
    }

    /// The same with that known of a slot.
    #[must_use]
    pub fn with(mut self, slot: Slot, mark: Mark) -> Self {
        match slot {
            Slot::A => self.a = mark,
            Slot::B => self.b = mark,
        }
        self
    }

    /// One copy, as it lies on the disk.
    #[must_use]
    pub fn print(&self) -> [u8; SECTOR] {
        let dash = |slot: Option<Slot>| slot.map_or("-".to_owned(), |slot| slot.to_string());
        let summed = format!(
            "{FIRST}\nseq={}\nboot={}\ntry={}\ntried={}\nstarts={}\na={}\nb={}\n",
            self.seq,
            self.boot,
            dash(self.once),
            dash(self.tried),
            self.starts,
            self.a,
            self.b
        );
        let text = format!("{summed}sum={:08x}\n", crc32fast::hash(summed.as_bytes()));
        let mut sector = [b'\n'; SECTOR];
        sector[..text.len()].copy_from_slice(text.as_bytes());
        sector
    }

    /// Reads one copy.
    ///
    /// # Errors
    /// It is not exactly what [`State::print`] makes of some state.
    pub fn parse(sector: &[u8]) -> Result<Self, Fault> {
        if sector.len() != SECTOR {
            return Err(Fault::Length(sector.len()));
        }
        let end = sector
            .iter()
            .rposition(|byte| *byte != b'\n')
            .map_or(0, |last| last + 1);
        let text = std::str::from_utf8(&sector[..end]).map_err(|_| Fault::NoRecord)?;
        let mut lines = Lines { text, line: 0 };
        if lines.next() != FIRST {
            return Err(Fault::NoRecord);
        }
        let state = Self {
            seq: lines.field("`seq=` and a number of at most 9 digits", "seq=", number)?,
            boot: lines.field("`boot=a` or `boot=b`", "boot=", |text| text.parse().ok())?,
            once: lines.field("`try=a`, `try=b` or `try=-`", "try=", perhaps)?,
            tried: lines.field("`tried=a`, `tried=b` or `tried=-`", "tried=", perhaps)?,
            starts: lines.field("`starts=` and a number of at most 9 digits", "starts=", count)?,
            a: lines.field("`a=good`, `a=new`, `a=empty` or `a=bad`", "a=", mark)?,
            b: lines.field("`b=good`, `b=new`, `b=empty` or `b=bad`", "b=", mark)?,
        };
        check_sum(text, lines)?;
        Ok(state)
    }
}

/// What is left of a record.
struct Lines<'a> {
    text: &'a str,
    line: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> &'a str {
        let (line, rest) = self.text.split_once('\n').unwrap_or((self.text, ""));
        (self.text, self.line) = (rest, self.line + 1);
        line
    }

    fn field<T>(&mut self, expected: &'static str, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        let found = self.next();
        found.strip_prefix(name).and_then(read).ok_or_else(|| Fault::Line {
            line: self.line,
            found: found.chars().take(40).collect(),
            expected,
        })
    }
}

fn check_sum(text: &str, mut lines: Lines<'_>) -> Result<(), Fault> {
    let summed = &text[..text.len() - lines.text.len()];
    let right = format!("{:08x}", crc32fast::hash(summed.as_bytes()));
    let found = lines.field("`sum=` and eight digits", "sum=", |sum| Some(sum.to_owned()))?;
    if found != right {
        let found = found.chars().take(40).collect();
        return Err(Fault::Sum { found, right });
    }
    match lines.text {
        "" => Ok(()),
        _ => Err(Fault::Rest),
    }
}

/// A number as it is printed: no sign, no leading zero.
fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    (plain && text.len() <= DIGITS).then(|| text.parse().ok())?
}

fn count(text: &str) -> Option<u32> {
    number(text)?.try_into().ok()
}

fn perhaps(text: &str) -> Option<Option<Slot>> {
    match text {
        "-" => Some(None),
        _ => text.parse().ok().map(Some),
    }
}

fn mark(text: &str) -> Option<Mark> {
    Mark::ALL.into_iter().find(|mark| mark.to_string() == text)
}
