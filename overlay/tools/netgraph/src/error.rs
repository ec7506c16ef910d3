//! What can go wrong, with the path, the operation, and what the error number means there.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::address::AddressError;
use crate::errno::Errno;
use crate::names::NameError;
use crate::wire::Malformed;

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the message of that name, or says itself in Display")]
pub enum Operation {
    Open,
    Load,
    Bind,
    Attach,
    MakePeer,
    Connect,
    Name,
    RemoveHook,
    Shutdown,
    GetNodeInfo,
    ListHooks,
    ListNames,
    ListNodes,
    ListTypes,
    TextStatus,
    TextConfig,
    ToAscii,
    ToBinary,
    Send,
    Receive,
    SendData,
    ReceiveData,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open a netgraph socket",
            Self::Load => "load the kernel module",
            Self::Bind => "name the own node",
            Self::Attach => "attach the data socket to",
            Self::MakePeer => "make a peer (mkpeer) at",
            Self::Connect => "connect",
            Self::Name => "name",
            Self::RemoveHook => "remove a hook of",
            Self::Shutdown => "shut down",
            Self::GetNodeInfo => "ask about",
            Self::ListHooks => "list the hooks of",
            Self::ListNames => "list the named nodes by",
            Self::ListNodes => "list the nodes by",
            Self::ListTypes => "list the node types by",
            Self::TextStatus => "ask for the status of",
            Self::TextConfig => "configure",
            Self::ToAscii => "put a message into words by",
            Self::ToBinary => "convert the command by",
            Self::Send => "send a message to",
            Self::Receive => "receive a control message",
            Self::SendData => "send a packet through hook",
            Self::ReceiveData => "receive a packet",
        })
    }
}

/// Anything that this library can fail with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
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

/// What an error number means after that operation.
fn meaning(operation: Operation, errno: Errno) -> String {
    use Operation::{Attach, Bind, Connect, Load, MakePeer, Name, Open, SendData, TextConfig, TextStatus, ToBinary};
    let text = match (operation, errno) {
        (Open, Errno::EPERM) => "only root may open one",
        (Open, Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT) => {
            "this kernel has no netgraph sockets, and the module ng_socket is not there"
        }
        (Load, Errno::ENOENT) => "there is no such module",
        (Load, Errno::EPERM) => "only root may load modules, and none at all once securelevel is above 0",
        (Load, Errno::ENOEXEC) => "it was made for another kernel; the message buffer (dmesg) says more",
        (Bind | Name, Errno::EADDRINUSE) => "another node has that name",
        (Bind | Name, Errno::EINVAL) => "the kernel does not take that name",
        (Attach, Errno::EADDRINUSE) => "the node has a data socket already",
        (MakePeer | Connect, Errno::EEXIST) => "a hook of that name is there already",
        (MakePeer, Errno::ENXIO) => "there is no such node type",
        (MakePeer, Errno::ENOENT) => "there is no such node, or no module for that type",
        (MakePeer, Errno::EINVAL) => {
            "one of the types does not accept a hook of that name, or no node of that type can be made"
        }
        (Connect, Errno::EINVAL) => "one of the nodes does not accept a hook of that name",
        (TextStatus | TextConfig, Errno::EINVAL) => "the node's type has none",
        (ToBinary, Errno::ENOSYS) => "the node's type knows no such command",
        (ToBinary, Errno::EINVAL) => "the arguments are not of the form that the command takes",
        (SendData, Errno::EHOSTUNREACH | Errno::ENOENT) => "this process's node has no such hook",
        (SendData, Errno::EINVAL) => "a node that it came to does not take such a packet",
        (SendData, Errno::EDESTADDRREQ) => "the hook must be named unless there is exactly one",
        (_, Errno::ENOENT) => "there is no such node or hook",
        (_, Errno::ENOTCONN | Errno::EPIPE) => "this process's node has been shut down",
        (_, Errno::ENOBUFS) => "a socket buffer was too small for it",
        _ => return errno.to_string(),
    };
    match errno.name() {
        Some(name) => format!("{text} ({name})"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(operation: Operation, path: &str, errno: Errno) -> String {
        let path = path.to_owned();
        Error::Refused { operation, path, errno }.to_string()
    }

    #[test]
    fn the_same_number_means_different_things() {
        let rows = [
            (
                Operation::MakePeer,
                Errno::ENXIO,
                "could not make a peer (mkpeer) at `x`: there is no such node type (ENXIO)",
            ),
            (
                Operation::Send,
                Errno::ENXIO,
                "could not send a message to `x`: not configured (ENXIO)",
            ),
            (
                Operation::Name,
                Errno::EADDRINUSE,
                "could not name `x`: another node has that name (EADDRINUSE)",
            ),
        ];
        for (operation, errno, text) in rows {
            assert_eq!(refused(operation, "x", errno), text);
        }
    }
}
