//! What a socket node tells its process on its own: ng_socket's events.
//!
//! FreeBSD's own module ng_socket has none; the module of ngforge has (kmod/ng_socket/src/messages.rs there).

use crate::names::NodeId;
use crate::statistics::Drops;
use crate::wire::{Malformed, Message, Reader, SOCKET_COOKIE};
pub use mask::EventMask;

mod display;
mod mask;
#[cfg(test)]
mod tests;

/// Size of a name field with its terminating zero (`NG_HOOKSIZ` and the like).
const NAME: usize = 32;

/// The numbers of events as commands.
const NUMBERS: std::ops::RangeInclusive<u32> = 32..=39;

/// Something that happened to a socket node. Names are as the kernel gave them, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A hook can be used.
    HookConnected {
        /// The hook of the own node.
        hook: String,
        /// The other end; None if it was gone again before it could be told.
        peer: Option<Peer>,
    },
    /// A hook that had been connected is gone.
    HookRemoved {
        /// The hook of the own node.
        hook: String,
        /// Why it is gone.
        why: Removal,
    },
    /// The [policy](crate::HookPolicy) refused a hook.
    HookRefused {
        /// The name that the hook was to have.
        hook: String,
        /// Why it was refused.
        why: Refusal,
    },
    /// The node has another name.
    Renamed {
        /// The name it has now.
        name: String,
        /// The name it had; None if it had none.
        old: Option<String>,
    },
    /// The data socket was attached or detached.
    DataSocket {
        /// Whether there is one now.
        attached: bool,
    },
    /// Packets or messages were lost; told at most once a second.
    Dropped(Drops),
    /// The node begins to shut down; its hooks are removed next.
    ShuttingDown,
    /// Events were lost since they did not fit into the control socket's receive buffer; it comes unasked.
    Overflow {
        /// How many.
        missed: u64,
    },
}

/// The other end of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The node there.
    pub id: NodeId,
    /// The name of the node's type.
    pub type_name: String,
    /// The hook there.
    pub hook: String,
}

/// Why a hook is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The own node shuts down.
    Shutdown,
    /// A process had the own node remove it ([`RemoveHook`](crate::RemoveHook)).
    Removed,
    /// Anything else: its other end was removed, or the node there is gone.
    Peer,
}

/// Why a hook was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No hooks are accepted.
    Closed,
    /// There are as many hooks as the limit allows.
    Limit,
    /// Its name is none of those listed, and begins with none of the prefixes.
    Name,
}

impl Event {
    /// Whether a message is an event, by its cookie, number and flags. Only a socket's own node sends such messages.
    #[must_use]
    pub fn is_event(message: &Message) -> bool {
        message.cookie == SOCKET_COOKIE && !message.is_reply() && NUMBERS.contains(&message.command)
    }

    /// Reads a message that [is an event](Self::is_event).
    ///
    /// # Errors
    /// It is none, or its arguments are not of the layout that belongs to it.
    pub fn read(message: &Message) -> Result<Self, Malformed> {
        let mut reader = Reader::new("an event", &message.data);
        let event = match message.command {
            _ if !Self::is_event(message) => return Err(unknown("event", message.command)),
            32 => Self::read_connected(&mut reader)?,
            33 => Self::HookRemoved {
                hook: reader.text::<NAME>()?,
                why: Removal::read(reader.u32_le()?)?,
            },
            34 => Self::HookRefused {
                hook: reader.text::<NAME>()?,
                why: Refusal::read(reader.u32_le()?)?,
            },
            35 => Self::Renamed {
                name: reader.text::<NAME>()?,
                old: Some(reader.text::<NAME>()?).filter(|name| !name.is_empty()),
            },
            36 => Self::DataSocket {
                attached: reader.u32_le()? != 0,
            },
            37 => Self::Dropped(Drops::read(&mut reader)?),
            38 => Self::ShuttingDown,
            _ => Self::Overflow {
                missed: reader.u64_le()?,
            },
        };
        Ok(event)
    }

    fn read_connected(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let hook = reader.text::<NAME>()?;
        let peer = Peer {
            hook: reader.text::<NAME>()?,
            type_name: reader.text::<NAME>()?,
            id: NodeId(reader.u32_le()?),
        };
        let peer = Some(peer).filter(|peer| peer.id != NodeId(0));
        Ok(Self::HookConnected { hook, peer })
    }
}

fn unknown(what: &'static str, value: u32) -> Malformed {
    Malformed::Value { what, value }
}

impl Removal {
    fn read(number: u32) -> Result<Self, Malformed> {
        match number {
            1 => Ok(Self::Shutdown),
            2 => Ok(Self::Removed),
            3 => Ok(Self::Peer),
            other => Err(unknown("reason for a hook's end", other)),
        }
    }
}

impl Refusal {
    fn read(number: u32) -> Result<Self, Malformed> {
        match number {
            1 => Ok(Self::Closed),
            2 => Ok(Self::Limit),
            3 => Ok(Self::Name),
            other => Err(unknown("reason to refuse a hook", other)),
        }
    }
}
