//! Numbers of nodes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The kernel's number for a node: unique among the living nodes of a vnet, never 0. Written in hexadecimal.
///
/// It is read as the kernel does (ng_base.c, `ng_decodeidname`): `0x` may stand before the digits, and of a number of more
/// than 32 bits the low ones count.
///
/// ```
/// use netgraph::NodeId;
///
/// assert_eq!("[1f]".parse(), Ok(NodeId(31)));
/// assert_eq!(NodeId(31).to_string(), "[1f]");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// The text is no node ID: `[`, hexadecimal digits, `]`, not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a node ID is written [1f], in hexadecimal, and is not zero")]
pub struct NodeIdError;

impl fmt::Display for NodeId {
    /// `[1f]`, as it stands in paths before the colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:x}]", self.0)
    }
}

impl FromStr for NodeId {
    type Err = NodeIdError;

    fn from_str(text: &str) -> Result<Self, NodeIdError> {
        let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let inside = inside.ok_or(NodeIdError)?;
        let digits = inside.strip_prefix("0x").or_else(|| inside.strip_prefix("0X"));
        let digits = digits.unwrap_or(inside);
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NodeIdError);
        }
        let number = u64::from_str_radix(digits, 16).map_err(|_| NodeIdError)?;
        match u32::try_from(number & 0xffff_ffff) {
            Ok(id) if id != 0 && number != u64::MAX => Ok(Self(id)),
            _ => Err(NodeIdError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hexadecimal_in_brackets() {
        assert_eq!("[1F]".parse(), Ok(NodeId(0x1f)));
        assert_eq!(NodeId(0x1f).to_string(), "[1f]");
        for same in ["[0x1f]", "[0X1f]", "[0000000000000000001f]", "[10000001f]"] {
            assert_eq!(same.parse(), Ok(NodeId(0x1f)), "{same}");
        }
        for bad in [
            "1f",
            "[0]",
            "[]",
            "[g]",
            "[+1]",
            "[ 1]",
            "[0x]",
            "[0x0x1]",
            "[100000000]",
            "[ffffffffffffffff]",
            "[1ffffffffffffffff]",
        ] {
            assert_eq!(bad.parse::<NodeId>(), Err(NodeIdError), "{bad}");
        }
    }
}
