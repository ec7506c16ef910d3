//! Nodes and hooks.

/// What kind of node it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What control sockets make.
    Socket,
    /// Sends what comes in by one hook out of all others.
    Hub {
        /// It outlives its last hook.
        persistent: bool,
    },
    /// Consumes what it gets, and refuses messages.
    Hole,
    /// Sends packets and messages back.
    Echo,
}

impl Kind {
    /// The kind that `mkpeer` makes of a type.
    #[must_use]
    pub fn of_type(name: &[u8]) -> Option<Self> {
        match name {
            b"hub" => Some(Self::Hub { persistent: false }),
            b"hole" => Some(Self::Hole),
            b"echo" => Some(Self::Echo),
            _ => None,
        }
    }

    /// Whether the kernel has a type of this name that is made otherwise (`socket`), or that the model does not know.
    #[must_use]
    pub fn is_known_otherwise(name: &[u8]) -> bool {
        [&b"socket"[..], b"bridge", b"capture", b"one2many", b"tee"].contains(&name)
    }

    /// The type's name.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Hub { .. } => "hub",
            Self::Hole => "hole",
            Self::Echo => "echo",
        }
    }
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its ID.
    pub id: u32,
    /// Its kind.
    pub kind: Kind,
    /// Its name, empty if it has none.
    pub name: Vec<u8>,
    /// Its hooks, the latest first.
    pub hooks: Vec<u64>,
    /// It is not going away.
    pub valid: bool,
}

/// A hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its name.
    pub name: Vec<u8>,
    /// Its node, unless it is off it, or not on it yet.
    pub node: Option<u32>,
    /// The hook at the other end.
    pub peer: Option<u64>,
    /// Both ends have agreed.
    pub connected: bool,
    /// A process has asked the node to remove it.
    pub leaving: bool,
}
