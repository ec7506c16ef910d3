//! Addresses: where a message goes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::names::{HookName, MAX_NAME, NodeId, NodeName};

/// The longest address in bytes: what `sockaddr_ng` can carry. Its length, at most 255, counts two bytes of head and a
/// terminating zero as well (netgraph/ng_socket.h).
///
/// The C implementation of ng_socket(4) takes at most [`STOCK_MAX_ADDRESS`] bytes; [`Socket`](crate::Socket) finds the node
/// of a longer one by itself there.
pub const MAX_ADDRESS: usize = 252;

/// The longest address in bytes that the ng_socket module of stock FreeBSD takes.
pub const STOCK_MAX_ADDRESS: usize = 31;

/// The address of a node, absolute or relative to the sender (netgraph(4), "Addressing").
///
/// `name:`, `[id]:`, `.:`, each with an optional path of hooks behind it (`name:hook.hook`), or a path alone, which starts
/// at the sending node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address(String);

/// Where an address starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The sender's own node.
    Here,
    /// The node with that ID.
    Id(NodeId),
    /// The node with that name.
    Name(String),
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// It is empty.
    #[error("an address must not be empty; `.` is this process's own node")]
    Empty,
    /// It is longer than [`MAX_ADDRESS`].
    #[error("the address has {0} bytes; {MAX_ADDRESS} is the most")]
    TooLong(usize),
    /// A component is longer than [`MAX_NAME`].
    #[error("`{0}` in the address is longer than {MAX_NAME} bytes")]
    LongName(String),
    /// The colons or dots are not where they can be.
    #[error("`{address}` is no address: {reason}")]
    Malformed {
        /// The text.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Address {
    /// The sender's own node.
    #[must_use]
    pub fn here() -> Self {
        Self(".".to_owned())
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The node that the path starts at.
    #[must_use]
    pub fn start(&self) -> Start {
        match self.0.split_once(':') {
            None | Some((".", _)) => Start::Here,
            Some((node, _)) => node.parse().map_or_else(|_| Start::Name(node.to_owned()), Start::Id),
        }
    }

    /// The hooks that lead from there to the node, in order.
    pub fn hops(&self) -> impl Iterator<Item = &str> {
        let path = self.0.split_once(':').map_or(self.0.as_str(), |(_, path)| path);
        path.split('.').filter(|hop| !hop.is_empty())
    }

    /// The node beyond one more hook.
    ///
    /// # Errors
    /// The address becomes too long.
    pub fn beyond(&self, hook: &HookName) -> Result<Self, AddressError> {
        let separator = match self.0.as_str() {
            "." => return hook.as_str().parse(),
            text if text.ends_with(':') => "",
            _ => ".",
        };
        format!("{}{separator}{hook}", self.0).parse()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let malformed = |reason| {
            let address = text.to_owned();
            Err(AddressError::Malformed { address, reason })
        };
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong(text.len()));
        }
        if text.contains('\0') {
            return malformed("it contains a zero byte");
        }
        let (node, path) = text
            .split_once(':')
            .map_or((None, text), |(node, path)| (Some(node), path));
        match node {
            Some("") => return malformed("there is no node name before the colon"),
            Some(node) if node != "." && node.contains('.') => {
                return malformed("a dot stands before the colon");
            }
            _ => {}
        }
        if path.contains(':') {
            return malformed("it has more than one colon");
        }
        if path.contains("..") {
            return malformed("two dots follow each other");
        }
        let long = path.split('.').chain(node).find(|name| name.len() > MAX_NAME);
        match long {
            Some(name) => Err(AddressError::LongName(name.to_owned())),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl From<NodeId> for Address {
    fn from(id: NodeId) -> Self {
        Self(format!("{id}:"))
    }
}

impl From<&NodeName> for Address {
    fn from(name: &NodeName) -> Self {
        Self(format!("{name}:"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn start_and_hops() {
        let rows: [(&str, Start, &[&str]); 7] = [
            (".", Start::Here, &[]),
            (".:", Start::Here, &[]),
            ("debug", Start::Here, &["debug"]),
            (".:a.b", Start::Here, &["a", "b"]),
            ("br0:", Start::Name("br0".into()), &[]),
            ("br0:link0.left", Start::Name("br0".into()), &["link0", "left"]),
            ("[1f]:x", Start::Id(NodeId(0x1f)), &["x"]),
        ];
        for (text, start, hops) in rows {
            assert_eq!(address(text).start(), start, "{text}");
            assert_eq!(address(text).hops().collect::<Vec<_>>(), hops, "{text}");
        }
    }

    #[test]
    fn malformed_ones_are_refused() {
        let long = "x".repeat(253);
        for bad in ["", ":", ":a", "a.b:", "a:b:", "a:b..c", &long, "x\0y"] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?}");
        }
        assert!(format!("{}:", "x".repeat(32)).parse::<Address>().is_err());
    }

    #[test]
    fn a_path_of_252_bytes_is_allowed() {
        let path = format!("n:{}", vec!["abcde"; 42].join("."));
        assert_eq!(path[..252].parse::<Address>().unwrap().as_str().len(), 252);
    }

    #[test]
    fn one_hook_further() {
        let hook: HookName = "left".parse().unwrap();
        let rows = [
            (".", "left"),
            ("br0:", "br0:left"),
            ("br0:link0", "br0:link0.left"),
            ("a", "a.left"),
        ];
        for (from, to) in rows {
            assert_eq!(address(from).beyond(&hook).unwrap(), address(to));
        }
    }
}
