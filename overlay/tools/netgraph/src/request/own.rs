//! What a node of type `socket` understands beyond the generic messages: its own, under [`SOCKET_COOKIE`].
//!
//! The node that is asked is usually the process's own one ([`Address::here`](crate::Address::here)), but any may be.
//! FreeBSD's own module ng_socket knows [`Linger`] and [`NoLinger`] only (netgraph/ng_socket.h) and answers the others with
//! EINVAL; the module of ngforge knows them all (kmod/ng_socket/src/messages.rs there).

use crate::error::Operation;
use crate::events::EventMask;
use crate::policy::HookPolicy;
use crate::request::{Request, nothing};
use crate::statistics::Statistics;
use crate::wire::{Malformed, Reader, SOCKET_COOKIE};

without_arguments! { SOCKET_COOKIE;
    /// `NGM_SOCK_CMD_NOLINGER`: the node goes with its last hook (ng_socket(4)).
    NoLinger = 1, "nolinger", false -> (): nothing;
    /// `NGM_SOCK_CMD_LINGER`: the node stays when its last hook is gone, which is the default (ng_socket(4)).
    Linger = 2, "linger", false -> (): nothing;
    /// Which events the node tells its control socket.
    GetEvents = 4, "getevents", true -> EventMask: EventMask::read;
    /// Which hooks the node accepts.
    GetHookPolicy = 6, "gethookpolicy", true -> HookPolicy: HookPolicy::read;
    /// What the node has counted since it was made, or since the counters were cleared.
    GetStatistics = 7, "getstats", true -> Statistics: statistics;
    /// Sets the node's counters to 0.
    ClearStatistics = 8, "clrstats", false -> (): nothing;
    /// What the node has counted, and sets its counters to 0 in the same moment: nothing is counted twice or not at all.
    TakeStatistics = 9, "getclrstats", true -> Statistics: statistics;
}

fn statistics(bytes: &[u8]) -> Result<Statistics, Malformed> {
    Statistics::read(&mut Reader::new("a socket node's statistics", bytes))
}

/// Sets which events the node tells its control socket from now on.
///
/// [`Socket::events`](crate::Socket::events) does it, and reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetEvents(pub EventMask);

impl Request for SetEvents {
    const COOKIE: u32 = SOCKET_COOKIE;
    const COMMAND: u32 = 3;
    const NAME: &'static str = "events";
    const OPERATION: Operation = Operation::SetEvents;
    type Reply = ();

    fn arguments(&self) -> Vec<u8> {
        self.0.bits().to_le_bytes().to_vec()
    }

    fn reply(_: &[u8]) -> Result<(), Malformed> {
        Ok(())
    }
}

/// Sets which hooks the node accepts from now on; those that are there stay.
///
/// A hook that is refused is EPERM for whoever wanted to connect it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetHookPolicy(pub HookPolicy);

impl Request for SetHookPolicy {
    const COOKIE: u32 = SOCKET_COOKIE;
    const COMMAND: u32 = 5;
    const NAME: &'static str = "hookpolicy";
    const OPERATION: Operation = Operation::SetHookPolicy;
    type Reply = ();

    fn arguments(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn reply(_: &[u8]) -> Result<(), Malformed> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_have_the_sizes_that_the_module_insists_on() {
        assert_eq!(SetEvents(EventMask::ALL).arguments(), [0x7f, 0, 0, 0]);
        assert_eq!(SetHookPolicy(HookPolicy::default()).arguments().len(), 520);
        assert!(GetStatistics.arguments().is_empty());
    }

    #[test]
    fn all_of_them_are_the_socket_type_s() {
        assert_eq!(
            (Linger::COOKIE, Linger::COMMAND, Linger::ANSWERED),
            (SOCKET_COOKIE, 2, false)
        );
        assert_eq!((TakeStatistics::COMMAND, TakeStatistics::ANSWERED), (9, true));
        assert_eq!(
            GetEvents::reply(&[0x41, 0, 0, 0]),
            Ok(EventMask::HOOK_CONNECTED | EventMask::SHUTTING_DOWN)
        );
        assert!(GetStatistics::reply(&[0; 79]).is_err());
    }
}
