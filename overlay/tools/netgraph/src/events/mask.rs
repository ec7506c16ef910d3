//! Which events are wanted.

use std::ops::{BitOr, BitOrAssign};

use crate::wire::{Malformed, Reader};

/// A set of events that a socket node is to tell; [`Event::Overflow`](crate::Event::Overflow) needs no bit.
///
/// ```
/// use netgraph::EventMask;
///
/// let hooks = EventMask::HOOK_CONNECTED | EventMask::HOOK_REMOVED;
/// assert!(hooks.contains(EventMask::HOOK_REMOVED));
/// assert!(!hooks.contains(EventMask::RENAMED));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct EventMask(u32);

impl EventMask {
    /// No events: what a node begins with.
    pub const NONE: Self = Self(0);
    /// [`Event::HookConnected`](crate::Event::HookConnected).
    pub const HOOK_CONNECTED: Self = Self(0x01);
    /// [`Event::HookRemoved`](crate::Event::HookRemoved).
    pub const HOOK_REMOVED: Self = Self(0x02);
    /// [`Event::HookRefused`](crate::Event::HookRefused).
    pub const HOOK_REFUSED: Self = Self(0x04);
    /// [`Event::Renamed`](crate::Event::Renamed).
    pub const RENAMED: Self = Self(0x08);
    /// [`Event::DataSocket`](crate::Event::DataSocket).
    pub const DATA_SOCKET: Self = Self(0x10);
    /// [`Event::Dropped`](crate::Event::Dropped).
    pub const DROPPED: Self = Self(0x20);
    /// [`Event::ShuttingDown`](crate::Event::ShuttingDown).
    pub const SHUTTING_DOWN: Self = Self(0x40);
    /// Every event there is.
    pub const ALL: Self = Self(0x7f);

    /// The set as the module takes it.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether every event of the other set is in this one.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Reads the answer to `getevents`; bits that a later module may know are kept.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        Reader::new("a mask of events", bytes).u32_le().map(Self)
    }
}

impl BitOr for EventMask {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for EventMask {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_each_of_them() {
        let each = [
            EventMask::HOOK_CONNECTED,
            EventMask::HOOK_REMOVED,
            EventMask::HOOK_REFUSED,
            EventMask::RENAMED,
            EventMask::DATA_SOCKET,
            EventMask::DROPPED,
            EventMask::SHUTTING_DOWN,
        ];
        let mut all = EventMask::NONE;
        for one in each {
            assert!(!all.contains(one), "{one:?} is another one's bit");
            all |= one;
        }
        assert_eq!(all, EventMask::ALL);
    }
}
