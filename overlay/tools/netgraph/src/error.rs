//! What can go wrong, with the path, the operation, and what the error number means there.

use std::time::Duration;

use thiserror::Error;

use crate::address::AddressError;
use crate::errno::Errno;
use crate::names::NameError;
use crate::wire::Malformed;
use meaning::meaning;
pub use operation::Operation;

mod meaning;
mod operation;

/// Anything that this library can fail with.
///
/// ```
/// # #[cfg(feature = "fake")]
/// # fn main() -> netgraph::Result<()> {
/// use netgraph::{Errno, ListHooks, Socket, fake::Fake};
///
/// let mut socket = Socket::open_on(Fake::default(), None)?;
/// let error = socket.request(&"br0:".parse()?, &ListHooks).unwrap_err();
/// assert_eq!(error.errno(), Some(Errno::ENOENT));
/// assert_eq!(
///     error.to_string(),
///     "could not list the hooks of `br0:`: there is no such node or hook (ENOENT)"
/// );
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "fake"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel, or the node that was asked, said no.
    #[error("could not {operation}{}: {}", spaced(path), meaning(*operation, *errno))]
    Refused {
        /// What was tried.
        operation: Operation,
        /// The address, hook or module it was tried on; empty where there is none.
        path: String,
        /// Its answer.
        errno: Errno,
    },
    /// The answer did not come in time.
    #[error(
        "could not {operation}{}: no answer within {} s (it may have been larger than the socket's receive buffer)",
        spaced(path), waited.as_secs_f32()
    )]
    NoAnswer {
        /// What was tried.
        operation: Operation,
        /// The address it was tried on.
        path: String,
        /// How long was waited for it.
        waited: Duration,
    },
    /// The answer is not of the layout that belongs to it.
    #[error("could not {operation}{}: {source}", spaced(path))]
    Malformed {
        /// What was tried.
        operation: Operation,
        /// The address it was tried on.
        path: String,
        /// What is wrong with it.
        source: Malformed,
    },
    /// A text is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A text is no name.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// The result of this library's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The error number, when there is one.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused { errno, .. } => Some(*errno),
            _ => None,
        }
    }
}

fn spaced(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" `{path}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_operation_and_meaning_are_told() {
        let (operation, errno) = (Operation::Shutdown, Errno::ENOENT);
        let text = |path: &str| {
            let path = path.to_owned();
            Error::Refused { operation, path, errno }.to_string()
        };
        assert_eq!(
            text("x:"),
            "could not shut down `x:`: there is no such node or hook (ENOENT)"
        );
        assert_eq!(text(""), "could not shut down: there is no such node or hook (ENOENT)");
    }
}
