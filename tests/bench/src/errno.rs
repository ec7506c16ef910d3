//! A system call's error.

use std::fmt;

/// FreeBSD's number of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a system call ended with errno {}", self.0)
    }
}

impl std::error::Error for Errno {}
