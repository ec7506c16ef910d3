//! Names of nodes, hooks and types, and IDs of nodes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use id::{NodeId, NodeIdError};

mod id;

/// The longest name of a node, hook or type in bytes, without the terminating zero (`NG_NODESIZ`, `NG_HOOKSIZ`,
/// `NG_TYPESIZ` of netgraph/ng_message.h, each 32).
pub const MAX_NAME: usize = 31;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// It is empty.
    #[error("a {kind} name must not be empty")]
    Empty {
        /// `node`, `hook` or `type`.
        kind: &'static str,
    },
    /// It is longer than [`MAX_NAME`].
    #[error("the {kind} name `{name}` has {} bytes; {MAX_NAME} is the most", name.len())]
    TooLong {
        /// `node`, `hook` or `type`.
        kind: &'static str,
        /// The text.
        name: String,
    },
    /// It contains a character that has a meaning in paths, or that a kernel module's name cannot have.
    #[error("the {kind} name `{name}` contains {character:?}, which a {kind} name cannot")]
    Character {
        /// `node`, `hook` or `type`.
        kind: &'static str,
        /// The text.
        name: String,
        /// The first such character.
        character: char,
    },
    /// It reads as a node ID.
    #[error("the node name `{name}` reads as a node ID")]
    LooksLikeId {
        /// The text.
        name: String,
    },
}

fn check(kind: &'static str, name: &str, allowed: impl Fn(char) -> bool) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if name.len() > MAX_NAME {
        let name = name.to_owned();
        return Err(NameError::TooLong { kind, name });
    }
    match name.chars().find(|&character| !allowed(character)) {
        Some(character) => Err(NameError::Character {
            kind,
            name: name.to_owned(),
            character,
        }),
        None => Ok(()),
    }
}

/// What a name in a path may consist of: anything but separators and the terminating zero.
fn in_a_path(character: char) -> bool {
    !matches!(character, '.' | ':' | '\0')
}

/// What the name of a type may consist of: it becomes the name of a kernel module.
fn in_a_module(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

macro_rules! name_type {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = NameError;

            fn try_from(name: &str) -> Result<Self, NameError> {
                name.parse()
            }
        }
    };
}

name_type!(
    /// The name of a hook: 1 to 31 bytes without `.`, `:` and zero bytes (netgraph(4), "Hooks").
    ///
    /// The kernel itself takes dots and colons too (ng_base.c, `ng_add_hook`), but such a hook cannot be part of a path.
    ///
    /// ```
    /// use netgraph::HookName;
    ///
    /// assert!("link0".parse::<HookName>().is_ok());
    /// assert!("link.0".parse::<HookName>().is_err());
    /// ```
    HookName
);
name_type!(
    /// The global name of a node: 1 to 31 bytes without `.`, `:` and zero bytes, and nothing that the kernel reads as an
    /// ID, such as `[1f]` (netgraph(4), "Nodes"; ng_base.c, `ng_name_node`).
    ///
    /// ```
    /// use netgraph::NodeName;
    ///
    /// assert!("br0".parse::<NodeName>().is_ok());
    /// assert!("br0:".parse::<NodeName>().is_err());
    /// assert!("[1f]".parse::<NodeName>().is_err());
    /// ```
    NodeName
);
name_type!(
    /// The name of a node type: 1 to 31 of `A-Z a-z 0-9 _ -`, since the module `ng_<type>` is loaded by it.
    ///
    /// The kernel checks the length only (ng_base.c, `ng_newtype`); all types of FreeBSD have such names.
    TypeName
);

impl FromStr for HookName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        check("hook", name, in_a_path).map(|()| Self(name.to_owned()))
    }
}

impl FromStr for TypeName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        check("type", name, in_a_module).map(|()| Self(name.to_owned()))
    }
}

impl FromStr for NodeName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        check("node", name, in_a_path)?;
        let name = name.to_owned();
        if name.parse::<NodeId>().is_ok() {
            return Err(NameError::LooksLikeId { name });
        }
        Ok(Self(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let long = "x".repeat(32);
        let rows: [(&str, bool, bool, bool); 14] = [
            // text, hook, node, type
            ("link0", true, true, true),
            ("", false, false, false),
            (&long, false, false, false),
            (&long[..31], true, true, true),
            ("a.b", false, false, false),
            ("a:", false, false, false),
            ("a\0", false, false, false),
            ("a b", true, true, false),
            ("h\u{fc}b", true, true, false),
            ("[1f]", true, false, false),
            ("[0x1F]", true, false, false),
            ("[10000001f]", true, false, false),
            ("[0]", true, true, false),
            ("up/down", true, true, false),
        ];
        for (text, hook, node, kind) in rows {
            assert_eq!(text.parse::<HookName>().is_ok(), hook, "hook {text:?}");
            assert_eq!(text.parse::<NodeName>().is_ok(), node, "node {text:?}");
            assert_eq!(text.parse::<TypeName>().is_ok(), kind, "type {text:?}");
        }
    }

    #[test]
    fn the_reason_is_told() {
        let error = "a.b".parse::<NodeName>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the node name `a.b` contains '.', which a node name cannot"
        );
    }
}
