//! What the kernel answers when it refuses, and what a check says when it was not as expected.

use std::fmt;

/// An error of a system call.
#[derive(Debug, Clone, Copy)]
pub struct Errno {
    call: &'static str,
    /// The number, as in errno(2).
    pub code: i32,
}

/// The errors the checks expect, by name.
const NAMES: [(i32, &str); 22] = [
    (libc::EPERM, "EPERM"),
    (libc::ENOENT, "ENOENT"),
    (libc::EINTR, "EINTR"),
    (libc::EIO, "EIO"),
    (libc::ENXIO, "ENXIO"),
    (libc::EBADF, "EBADF"),
    (libc::ENOMEM, "ENOMEM"),
    (libc::EACCES, "EACCES"),
    (libc::EEXIST, "EEXIST"),
    (libc::EINVAL, "EINVAL"),
    (libc::EPIPE, "EPIPE"),
    (libc::EAGAIN, "EAGAIN"),
    (libc::EINPROGRESS, "EINPROGRESS"),
    (libc::EDESTADDRREQ, "EDESTADDRREQ"),
    (libc::EMSGSIZE, "EMSGSIZE"),
    (libc::EOPNOTSUPP, "EOPNOTSUPP"),
    (libc::EADDRINUSE, "EADDRINUSE"),
    (libc::ENOBUFS, "ENOBUFS"),
    (libc::EISCONN, "EISCONN"),
    (libc::ENOTCONN, "ENOTCONN"),
    (libc::EHOSTUNREACH, "EHOSTUNREACH"),
    (libc::EAFNOSUPPORT, "EAFNOSUPPORT"),
];

/// An error's name, or its number.
pub fn name(code: i32) -> String {
    let known = NAMES.iter().find(|(number, _)| *number == code);
    known.map_or_else(|| format!("error {code}"), |(_, name)| (*name).to_owned())
}

impl Errno {
    /// The calling thread's last error, which `call` has just ended in.
    pub fn last(call: &'static str) -> Self {
        let code = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        Self { call, code }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", name(self.code), self.call)
    }
}

/// Why a check failed: `expected ..., got ...`.
#[derive(Debug)]
pub struct Failure(pub String);

/// How a check ends.
pub type Outcome = Result<(), Failure>;

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self(format!("expected success on the way, got {errno}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(format!("expected success on the way, got {error}"))
    }
}

/// `what` must be refused with one of `codes`.
pub fn refused_with<T: fmt::Debug>(what: &str, result: Result<T, Errno>, codes: &[i32]) -> Outcome {
    let got = match result {
        Err(errno) if codes.contains(&errno.code) => return Ok(()),
        Err(errno) => errno.to_string(),
        Ok(value) => format!("success ({value:?})"),
    };
    let names: Vec<String> = codes.iter().map(|code| name(*code)).collect();
    Err(Failure(format!(
        "expected {} for {what}, got {got}",
        names.join(" or ")
    )))
}

/// `what` must be refused with this error.
pub fn refused<T: fmt::Debug>(what: &str, result: Result<T, Errno>, code: i32) -> Outcome {
    refused_with(what, result, &[code])
}

/// `what` must work.
pub fn works<T>(what: &str, result: Result<T, Errno>) -> Result<T, Failure> {
    result.map_err(|errno| Failure(format!("expected success for {what}, got {errno}")))
}

/// `what` must be equal to `expected`.
pub fn same<T: PartialEq + fmt::Debug>(what: &str, got: T, expected: T) -> Outcome {
    if got == expected {
        return Ok(());
    }
    Err(Failure(format!("expected {expected:?} as {what}, got {got:?}")))
}

/// `what` must hold.
pub fn holds(what: &str, is_so: bool) -> Outcome {
    if is_so {
        Ok(())
    } else {
        Err(Failure(format!("expected {what}, got the opposite")))
    }
}
