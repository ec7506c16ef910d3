//! What a node of type `socket` knows: its sockets, which hooks it accepts, what it has counted, what it tells.

use crate::address::{NAME, until_nul};
use crate::errno::{Errno, Result};
use crate::message::{Message, SOCKET, field};

/// What a node tells its control socket; numbers of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A hook can be used.
    HookConnected = 32,
    /// A hook is gone.
    HookRemoved = 33,
    /// A hook was refused.
    HookRefused = 34,
    /// The node has another name.
    Renamed = 35,
    /// The data socket came or went.
    DataSocket = 36,
    /// The node is going.
    ShuttingDown = 38,
    /// Events were lost.
    Overflow = 39,
}

impl Event {
    /// All bits that a mask may have; that of drops, 0x20, is about time, which the model does not know.
    pub const ALL: u32 = 0x7f;
    /// The bit that the model does not know.
    pub const DROPS: u32 = 0x20;

    /// The bit in the mask.
    #[must_use]
    pub fn bit(self) -> u32 {
        1 << (self as u32 - 32)
    }
}

/// Which hooks are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    accept: u32,
    limit: u32,
    names: Vec<Vec<u8>>,
}

impl Policy {
    const NAMES: usize = 16;
    /// How long the arguments are.
    pub const LENGTH: usize = 8 + NAME * Self::NAMES;

    /// Every hook is.
    #[must_use]
    pub fn open() -> Self {
        Self {
            accept: 0,
            limit: 0,
            names: vec![Vec::new(); Self::NAMES],
        }
    }

    /// Reads arguments.
    ///
    /// # Errors
    /// `EINVAL`: another length, another policy, a name without its NUL.
    pub fn read(arguments: &[u8]) -> Result<Self> {
        let (accept, rest) = arguments.split_first_chunk::<4>().ok_or(Errno::EINVAL)?;
        let (limit, names) = rest.split_first_chunk::<4>().ok_or(Errno::EINVAL)?;
        let accept = u32::from_le_bytes(*accept);
        let terminated = names.chunks(NAME).all(|name| name.contains(&0));
        if arguments.len() != Self::LENGTH || accept > 3 || !terminated {
            return Err(Errno::EINVAL);
        }
        Ok(Self {
            accept,
            limit: u32::from_le_bytes(*limit),
            names: names.chunks(NAME).map(|name| until_nul(name).to_vec()).collect(),
        })
    }

    /// The arguments.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut arguments = [self.accept.to_le_bytes(), self.limit.to_le_bytes()].concat();
        arguments.extend(self.names.iter().flat_map(|name| field(name, NAME)));
        arguments
    }

    /// Why a hook of this name is refused when there are `count` already: 1 none is accepted, 2 too many, 3 its name.
    #[must_use]
    pub fn refusal(&self, name: &[u8], count: usize) -> Option<u32> {
        let mut listed = self.names.iter().filter(|listed| !listed.is_empty());
        let named = match self.accept {
            0 => true,
            1 => return Some(1),
            2 => listed.any(|listed| listed == name),
            _ => listed.any(|listed| name.starts_with(listed)),
        };
        if !named {
            return Some(3);
        }
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        (limit > 0 && count >= limit).then_some(2)
    }
}

/// What is counted, in the order of the answer to `getstats`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Statistics {
    pub control_in: u64,
    pub control_out: u64,
    pub data_in: u64,
    pub data_out: u64,
    pub no_listener: u64,
    pub full: u64,
    pub no_header: u64,
    pub control_lost: u64,
    pub events_lost: u64,
    pub refused: u64,
}

impl Statistics {
    /// The arguments of the answer.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let traffic = [self.control_in, self.control_out, self.data_in, self.data_out];
        let drops = [self.no_listener, self.full, self.no_header, self.control_lost];
        let rest = [self.events_lost, self.refused];
        let all = traffic.into_iter().chain(drops).chain(rest);
        all.flat_map(u64::to_le_bytes).collect()
    }
}

/// What is left of the node's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It goes on.
    Running,
    /// It is ending.
    Closing,
    /// It is over; sockets may be left.
    Over,
}

/// Why a hook is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The node shut down.
    Shutdown = 1,
    /// A process asked the node to.
    Removed = 2,
    /// Something else.
    Peer = 3,
}

/// A socket node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketNode {
    /// Its ID.
    pub id: u32,
    /// Its control socket, while it is open.
    pub control: Option<usize>,
    /// Its data socket, while it is open.
    pub data: Option<usize>,
    /// It outlives its last hook.
    pub lingers: bool,
    /// Which hooks it accepts.
    pub policy: Policy,
    /// What it has counted.
    pub statistics: Statistics,
    /// Which events are wanted.
    pub mask: u32,
    /// How many events there were.
    pub sequence: u32,
    /// How many were lost and not told of.
    pub missed: u64,
    /// The name that was told last.
    pub told_name: Vec<u8>,
    /// What is left.
    pub life: Life,
    /// The token of the message on its way.
    pub awaited: u32,
    /// The answer to it was lost.
    pub answer_lost: bool,
}

impl SocketNode {
    /// A node for a control socket.
    #[must_use]
    pub fn new(id: u32, control: usize) -> Self {
        Self {
            id,
            control: Some(control),
            data: None,
            lingers: true,
            policy: Policy::open(),
            statistics: Statistics::default(),
            mask: 0,
            sequence: 0,
            missed: 0,
            told_name: Vec::new(),
            life: Life::Running,
            awaited: 0,
            answer_lost: false,
        }
    }

    /// Whether `event` is to be told.
    #[must_use]
    pub fn wants(&self, event: Event) -> bool {
        self.mask & event.bit() != 0 && self.life != Life::Over
    }

    /// An event as a message.
    #[must_use]
    pub fn event(&self, event: Event, arguments: &[u8]) -> Message {
        Message::new(SOCKET, event as u32, self.sequence, arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(accept: u8, limit: u8, name: &str) -> Policy {
        let mut arguments = vec![accept, 0, 0, 0, limit, 0, 0, 0];
        arguments.extend(field(name.as_bytes(), NAME));
        arguments.resize(Policy::LENGTH, 0);
        let policy = Policy::read(&arguments).expect("a policy");
        assert_eq!(policy.write(), arguments);
        policy
    }

    #[test]
    fn policies_refuse() {
        assert_eq!(policy(0, 0, "").refusal(b"x", 99), None);
        assert_eq!(policy(0, 1, "").refusal(b"x", 1), Some(2));
        assert_eq!(policy(1, 0, "x").refusal(b"x", 0), Some(1));
        assert_eq!(policy(2, 0, "lan").refusal(b"lan0", 0), Some(3));
        assert_eq!(policy(3, 0, "lan").refusal(b"lan0", 0), None);
        assert_eq!(policy(3, 0, "").refusal(b"lan0", 0), Some(3));
    }

    #[test]
    fn other_arguments_are_no_policy() {
        assert!(Policy::read(&Policy::open().write()[1..]).is_err());
        let mut arguments = Policy::open().write();
        arguments[0] = 4;
        assert!(Policy::read(&arguments).is_err());
        arguments[0] = 0;
        arguments[8..40].fill(1);
        assert!(Policy::read(&arguments).is_err());
    }

    #[test]
    fn bits_follow_the_numbers() {
        assert_eq!(Event::HookConnected.bit(), 1);
        assert_eq!(Event::ShuttingDown.bit(), 0x40);
    }
}
