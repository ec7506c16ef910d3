//! What a socket node says and understands beyond the generic messages, all of it under `NGM_SOCKET_COOKIE`.
//!
//! Numbers are little-endian; there is no padding but what is named. A node that is sent a command with arguments of
//! another length than the one given here answers `EINVAL`. Every command has an ASCII form (the name in quotes), so
//! that `ngctl msg` can use it, and every event has one, so that `ngctl` can show it.
//!
//! # Commands, to a socket node from anywhere
//!
//! | number | name | arguments | answer |
//! |---|---|---|---|
//! | 1 | `nolinger` | | |
//! | 2 | `linger` | | |
//! | 3 | `events` | mask: u32 | |
//! | 4 | `getevents` | | mask: u32 |
//! | 5 | `hookpolicy` | [policy](Policy) | |
//! | 6 | `gethookpolicy` | | [policy](Policy) |
//! | 7 | `getstats` | | [statistics](Statistics) |
//! | 8 | `clrstats` | | |
//! | 9 | `getclrstats` | | [statistics](Statistics), which start from 0 again |
//!
//! # Events, from the node to its own control socket
//!
//! Commands 32 to 39, without `NGF_RESP`, sent by the node itself: recvfrom(2) gives its own `[id]:`. An event is sent
//! if the bit `1 << (number - 32)` of the mask is set; the mask is 0 until somebody sets it. `token` counts the events
//! of a node from 1, those that were lost included.
//!
//! | number | bit | name | arguments (offset: member) |
//! |---|---|---|---|
//! | 32 | 0x01 | `hookconnected` | 0: hook\[32\], 32: peerhook\[32\], 64: peertype\[32\], 96: peerid u32 (0 and no names: gone again) |
//! | 33 | 0x02 | `hookremoved` | 0: hook\[32\], 32: why u32 ([`Why`]) |
//! | 34 | 0x04 | `hookrefused` | 0: hook\[32\], 32: reason u32 ([`Reason`]) |
//! | 35 | 0x08 | `renamed` | 0: name\[32\], 32: old\[32\] |
//! | 36 | 0x10 | `datasocket` | 0: attached u32 (1 attached, 0 detached) |
//! | 37 | 0x20 | `dropped` | totals, u64 each: 0: nolistener, 8: full, 16: noheader, 24: controllost |
//! | 38 | 0x40 | `shuttingdown` | |
//! | 39 | | `overflow` | 0: missed u64 |
//!
//! `dropped` comes at most once a second. It carries what [`Statistics`] has at that time, so that a drop that was not
//! told of at once is in the next message. `overflow` comes whenever events were lost because they did not fit into the
//! receive buffer, as soon as there is room, before any other event; it needs no bit.

use kpi::netgraph::HookName;
use kpi::{Errno, Result};

/// Commands of `NGM_SOCKET_COOKIE` that FreeBSD's own module does not have.
pub mod command {
    /// Sets which events are sent.
    pub const SET_EVENTS: u32 = 3;
    /// Asks which events are sent.
    pub const GET_EVENTS: u32 = 4;
    /// Sets which hooks are accepted from now on; hooks that are there stay.
    pub const SET_HOOK_POLICY: u32 = 5;
    /// Asks which hooks are accepted.
    pub const GET_HOOK_POLICY: u32 = 6;
    /// Asks for the node's statistics.
    pub const GET_STATS: u32 = 7;
    /// Sets the node's statistics to 0.
    pub const CLR_STATS: u32 = 8;
    /// Asks for the node's statistics and sets them to 0.
    pub const GETCLR_STATS: u32 = 9;
}

/// What a node tells its control socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Event {
    /// A hook can be used.
    HookConnected = 32,
    /// A hook that had been connected is gone.
    HookRemoved = 33,
    /// The hook policy refused a hook.
    HookRefused = 34,
    /// The node has another name.
    Renamed = 35,
    /// The data socket was attached or detached.
    DataSocket = 36,
    /// Packets or messages were dropped.
    Dropped = 37,
    /// The node begins to shut down; its hooks are removed next.
    ShuttingDown = 38,
    /// Events were lost.
    Overflow = 39,
}

impl Event {
    /// The bits that a mask may have.
    pub const ALL: u32 = 0x7f;

    /// The event's bit in the mask; 0 for [`Event::Overflow`], which needs none.
    #[must_use]
    pub const fn bit(self) -> u32 {
        (1 << (self as u32 - Self::HookConnected as u32)) & Self::ALL
    }
}

/// Why a hook is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Why {
    /// The node itself shuts down.
    Shutdown = 1,
    /// A process had this node remove it (`NGM_RMHOOK`).
    Removed = 2,
    /// Anything else: its other end was removed, or the node there is gone.
    Peer = 3,
}

/// Why a hook was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// No hooks are accepted.
    Closed = 1,
    /// There are as many hooks as the limit allows.
    Limit = 2,
    /// Its name is none of those listed, and begins with none of the prefixes.
    Name = 3,
}

/// How a node judges names of new hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Accept {
    /// Every name: the default.
    All = 0,
    /// None.
    Nothing = 1,
    /// The names listed.
    Listed = 2,
    /// The names that begin with one of those listed.
    Prefixed = 3,
}

/// Which hooks a node accepts. The arguments of `hookpolicy`, 520 bytes:
///
/// | offset | member | |
/// |---|---|---|
/// | 0 | `policy` u32 | [`Accept`] |
/// | 4 | `limit` u32 | the most hooks the node may have, under any policy; 0 for no limit |
/// | 8 | `names` 16 × \[32\] | for [`Accept::Listed`] and [`Accept::Prefixed`]; empty ones do not count |
///
/// In text the names need their indices, since they are strings: `{ policy=2 names=[ 0="lan" 1="wan" ] }`.
///
/// `EINVAL`: another policy, or a name without its NUL. A refused hook is `EPERM` for whoever wanted to connect it.
pub struct Policy {
    accept: Accept,
    limit: u32,
    names: [HookName; Policy::NAMES],
}

/// A little-endian number in a message.
///
/// # Errors
/// `EINVAL`: the message ends before.
pub(crate) fn number(bytes: &[u8], offset: usize) -> Result<u32> {
    let field = bytes.get(offset..).and_then(<[u8]>::first_chunk::<4>);
    field.map(|field| u32::from_le_bytes(*field)).ok_or(Errno::EINVAL)
}

impl Policy {
    /// How many names there is room for.
    pub const NAMES: usize = 16;
    /// How long the arguments are, in bytes.
    pub const LENGTH: usize = 8 + 32 * Self::NAMES;

    /// What a node begins with: every hook is accepted.
    pub const OPEN: Self = Self {
        accept: Accept::All,
        limit: 0,
        names: [HookName::EMPTY; Self::NAMES],
    };

    /// Reads the arguments of `hookpolicy`.
    ///
    /// # Errors
    /// `EINVAL`, as above.
    pub fn read(arguments: &[u8]) -> Result<Self> {
        if arguments.len() != Self::LENGTH {
            return Err(Errno::EINVAL);
        }
        let accept = match number(arguments, 0)? {
            0 => Accept::All,
            1 => Accept::Nothing,
            2 => Accept::Listed,
            3 => Accept::Prefixed,
            _ => return Err(Errno::EINVAL),
        };
        let mut policy = Self {
            accept,
            limit: number(arguments, 4)?,
            ..Self::OPEN
        };
        let fields = arguments.get(8..).unwrap_or(&[]).chunks_exact(32);
        for (name, field) in policy.names.iter_mut().zip(fields) {
            // 32 bytes without a NUL do not fit into a name.
            *name = HookName::new(field)?;
        }
        Ok(policy)
    }

    /// The arguments of the answer to `gethookpolicy`.
    #[must_use]
    pub fn write(&self) -> Arguments<{ Self::LENGTH }> {
        let mut arguments = Arguments::new();
        arguments.number(self.accept as u32);
        arguments.number(self.limit);
        for name in &self.names {
            arguments.name(name);
        }
        arguments
    }

    /// Judges a hook that is to be added to the `count` there are.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn judge(&self, name: &HookName, count: usize) -> core::result::Result<(), Reason> {
        let listed = |fits: fn(&[u8], &[u8]) -> bool| {
            let mut names = self.names.iter().filter(|listed| !listed.is_empty());
            names.any(|listed| fits(name.as_bytes(), listed.as_bytes()))
        };
        match self.accept {
            Accept::All => {}
            Accept::Nothing => return Err(Reason::Closed),
            Accept::Listed if listed(|name, listed| name.iter().eq(listed)) => {}
            Accept::Prefixed if listed(begins_with) => {}
            Accept::Listed | Accept::Prefixed => return Err(Reason::Name),
        }
        match usize::try_from(self.limit) {
            Ok(limit) if limit > 0 && count >= limit => Err(Reason::Limit),
            _ => Ok(()),
        }
    }
}

/// Whether `name` begins with `prefix`; byte by byte, since slices compare by memcmp(9), which the module does not need
/// for anything else.
fn begins_with(name: &[u8], prefix: &[u8]) -> bool {
    name.len() >= prefix.len() && name.iter().zip(prefix).all(|(left, right)| left == right)
}

/// What a node counts. The arguments of the answer to `getstats`, 80 bytes, u64 each:
///
/// | offset | member | what |
/// |---|---|---|
/// | 0 | `controlin` | messages delivered to the control socket, events among them |
/// | 8 | `controlout` | messages the control socket sent |
/// | 16 | `datain` | packets delivered to the data socket |
/// | 24 | `dataout` | packets the data socket sent |
/// | 32 | `nolistener` | packets dropped since there was no data socket |
/// | 40 | `full` | packets dropped since the data socket's receive buffer was full |
/// | 48 | `noheader` | packets dropped since they had no packet header |
/// | 56 | `controllost` | messages dropped since they did not fit into the control socket's receive buffer |
/// | 64 | `eventslost` | events lost for the same reason |
/// | 72 | `refused` | hooks the policy refused |
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
    /// How long the arguments are, in bytes.
    pub const LENGTH: usize = 80;

    /// The arguments of the answer to `getstats`.
    #[must_use]
    pub fn write(&self) -> Arguments<{ Self::LENGTH }> {
        let mut arguments = Arguments::new();
        let traffic = [self.control_in, self.control_out, self.data_in, self.data_out];
        let drops = [self.no_listener, self.full, self.no_header, self.control_lost];
        for count in traffic.into_iter().chain(drops).chain([self.events_lost, self.refused]) {
            arguments.count(count);
        }
        arguments
    }

    /// The arguments of [`Event::Dropped`].
    #[must_use]
    pub fn write_drops(&self) -> EventArguments {
        let mut arguments = Arguments::new();
        for count in [self.no_listener, self.full, self.no_header, self.control_lost] {
            arguments.count(count);
        }
        arguments
    }
}

/// Arguments being written, up to `ROOM` bytes.
pub struct Arguments<const ROOM: usize> {
    bytes: [u8; ROOM],
    length: usize,
}

/// The arguments of any event.
pub type EventArguments = Arguments<100>;

impl<const ROOM: usize> Arguments<ROOM> {
    /// No arguments yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: [0; ROOM],
            length: 0,
        }
    }

    /// Appends bytes, as many as there is room for.
    #[inline(never)]
    pub fn bytes(&mut self, bytes: &[u8]) {
        for (place, byte) in self.bytes.iter_mut().skip(self.length).zip(bytes) {
            *place = *byte;
            self.length = self.length.saturating_add(1);
        }
    }

    /// Appends a u32.
    pub fn number(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    /// Appends a u64.
    pub fn count(&mut self, count: u64) {
        self.bytes(&count.to_le_bytes());
    }

    /// Appends a name in its 32 bytes.
    pub fn name(&mut self, name: &HookName) {
        self.bytes(&name.field());
    }

    /// What was written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

impl<const ROOM: usize> Default for Arguments<ROOM> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(accept: u32, limit: u32, names: &[&str]) -> Policy {
        let mut arguments = Arguments::<{ Policy::LENGTH }>::new();
        arguments.number(accept);
        arguments.number(limit);
        for place in 0..Policy::NAMES {
            arguments.name(&hook(names.get(place).copied().unwrap_or("")));
        }
        let policy = Policy::read(arguments.as_bytes()).expect("a policy");
        assert_eq!(policy.write().as_bytes(), arguments.as_bytes());
        policy
    }

    fn hook(name: &str) -> HookName {
        HookName::new(name.as_bytes()).expect("a short name")
    }

    #[test]
    fn policies_judge_by_name() {
        let judge = |policy: &Policy, name| policy.judge(&hook(name), 0).err();
        assert_eq!(judge(&policy(0, 0, &[]), "any"), None);
        assert_eq!(judge(&policy(1, 0, &["any"]), "any"), Some(Reason::Closed));
        let listed = policy(2, 0, &["lan", "wan"]);
        assert_eq!(judge(&listed, "wan"), None);
        assert_eq!(judge(&listed, "wan0"), Some(Reason::Name));
        let prefixed = policy(3, 0, &["lan", "wan"]);
        assert_eq!(judge(&prefixed, "wan0"), None);
        assert_eq!(judge(&prefixed, "wa"), Some(Reason::Name));
        assert_eq!(judge(&policy(3, 0, &[]), "any"), Some(Reason::Name));
    }

    #[test]
    fn a_limit_holds_under_any_policy() {
        for accept in [0, 2, 3] {
            let two = policy(accept, 2, &["h"]);
            assert_eq!(two.judge(&hook("h"), 1), Ok(()));
            assert_eq!(two.judge(&hook("h"), 2), Err(Reason::Limit));
        }
    }

    #[test]
    fn other_arguments_are_no_policy() {
        let open = Policy::OPEN.write();
        assert!(Policy::read(&open.as_bytes()[..519]).is_err());
        let mut bytes = [0; Policy::LENGTH];
        bytes[0] = 4;
        assert!(Policy::read(&bytes).is_err());
        bytes[0] = 2;
        bytes[8..40].fill(b'x');
        assert!(Policy::read(&bytes).is_err(), "a name without its NUL");
    }

    #[test]
    fn every_event_but_overflow_has_a_bit() {
        assert_eq!(Event::HookConnected.bit(), 1);
        assert_eq!(Event::ShuttingDown.bit(), 0x40);
        assert_eq!(Event::Overflow.bit(), 0);
    }

    #[test]
    fn statistics_are_ten_numbers() {
        let statistics = Statistics {
            refused: 3,
            ..Statistics::default()
        };
        let bytes = statistics.write();
        assert_eq!(bytes.as_bytes().len(), Statistics::LENGTH);
        assert_eq!(bytes.as_bytes()[72], 3);
        assert_eq!(statistics.write_drops().as_bytes().len(), 32);
    }
}
