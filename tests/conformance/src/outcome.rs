//! How a test ends, and the few words in which tests say what they expect.

use std::fmt::Debug;

use netgraph::Errno;

/// Why a test did not pass.
#[derive(Debug)]
pub enum Stop {
    /// `expected ..., got ...`.
    Failed(String),
    /// This system lacks what the test needs; said in words.
    NotHere(String),
}

/// How a test ends.
pub type Outcome<T = ()> = Result<T, Stop>;

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        failure("success on the way", format!("{errno:?}"))
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        failure("success on the way", error.to_string())
    }
}

fn failure(expected: impl AsRef<str>, got: impl AsRef<str>) -> Stop {
    Stop::Failed(format!("expected {}, got {}", expected.as_ref(), got.as_ref()))
}

/// Ends a test that this system cannot run.
pub fn not_here<T>(reason: impl Into<String>) -> Outcome<T> {
    Err(Stop::NotHere(reason.into()))
}

/// `what` must be refused with one of `codes`.
pub fn refused_with<T: Debug>(what: &str, result: Result<T, Errno>, codes: &[Errno]) -> Outcome {
    let got = match result {
        Err(errno) if codes.contains(&errno) => return Ok(()),
        Err(errno) => format!("{errno:?}"),
        Ok(value) => format!("success ({value:?})"),
    };
    let names: Vec<String> = codes.iter().map(|code| format!("{code:?}")).collect();
    Err(failure(format!("{} for {what}", names.join(" or ")), got))
}

/// `what` must be refused with this error.
pub fn refused<T: Debug>(what: &str, result: Result<T, Errno>, code: Errno) -> Outcome {
    refused_with(what, result, &[code])
}

/// `what` must work.
pub fn works<T>(what: &str, result: Result<T, Errno>) -> Outcome<T> {
    result.map_err(|errno| failure(format!("success for {what}"), format!("{errno:?}")))
}

/// `what` must be equal to `expected`.
pub fn same<T: PartialEq + Debug>(what: &str, got: T, expected: T) -> Outcome {
    if got == expected {
        return Ok(());
    }
    Err(failure(format!("{expected:?} as {what}"), format!("{got:?}")))
}

/// `what` must hold.
pub fn holds(what: &str, is_so: bool) -> Outcome {
    if is_so {
        Ok(())
    } else {
        Err(failure(what, "the opposite"))
    }
}
