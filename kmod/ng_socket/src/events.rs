//! What a node tells its control socket on its own, if it is asked to: [`Event`].

use core::sync::atomic::Ordering;

use kpi::mbuf::Mbuf;
use kpi::netgraph::{HookName, NodeName, Peer};
use kpi::raw::ng_message::NG_VERSION;
use kpi::raw::ng_socket::NGM_SOCKET_COOKIE;
use kpi::socket::OwnAddress;
use kpi::thread::uptime;
use kpi::{Errno, Result};

use crate::counters::{CONTROL_IN, EVENTS_LOST};
use crate::messages::{Arguments, Event, EventArguments};
use crate::node::{SocketNode, State};

/// The longest event: a header and its arguments.
const LONGEST: usize = 56 + 100;

/// Which events are wanted, and what has not been told yet.
pub(crate) struct Events {
    mask: u32,
    /// Events so far, those included that were lost.
    sequence: u32,
    /// Events lost since the last [`Event::Overflow`].
    missed: u64,
    /// When drops were told of last, in seconds of uptime.
    told: i64,
    /// Drops happened since.
    untold: bool,
    /// The name that was told, or that the node had when events were turned on.
    name: NodeName,
}

impl Events {
    /// None are wanted.
    pub(crate) const fn new() -> Self {
        Self {
            mask: 0,
            sequence: 0,
            missed: 0,
            told: -1,
            untold: false,
            name: NodeName::EMPTY,
        }
    }

    /// Which are wanted.
    pub(crate) const fn mask(&self) -> u32 {
        self.mask
    }

    /// Whether `event` is wanted.
    pub(crate) const fn wants(&self, event: Event) -> bool {
        self.mask & event.bit() != 0
    }

    const fn is_behind(&self) -> bool {
        self.missed > 0 || self.untold
    }
}

/// `event` and its arguments as one message.
fn message(event: Event, token: u32, arguments: &EventArguments) -> Arguments<LONGEST> {
    let length = u32::try_from(arguments.as_bytes().len()).unwrap_or(0);
    let mut message = Arguments::new();
    for field in [u32::from(NG_VERSION), length, event as u32, 0, token, NGM_SOCKET_COOKIE] {
        message.number(field);
    }
    // The command's name is for whoever turns the message into text.
    message.name(&HookName::EMPTY);
    message.bytes(arguments.as_bytes());
    message
}

impl State {
    fn post(&mut self, event: Event, arguments: &EventArguments) -> Result {
        let control = self.control.ok_or(Errno::ENOTCONN)?;
        let message = message(event, self.events.sequence, arguments);
        let packet = Mbuf::from_bytes(message.as_bytes())?;
        control
            .receive_buffer()
            .append(&OwnAddress::of_sender(self.id), packet)?;
        self.statistics.control_in = self.statistics.control_in.wrapping_add(1);
        CONTROL_IN.count();
        Ok(())
    }

    /// Tells of lost events, if there are any; whether there is none left to tell of.
    fn catch_up(&mut self) -> bool {
        if self.events.missed > 0 {
            let mut arguments = Arguments::new();
            arguments.count(self.events.missed);
            if self.post(Event::Overflow, &arguments).is_ok() {
                self.events.missed = 0;
            }
        }
        self.events.missed == 0
    }

    fn tell_now(&mut self, event: Event, arguments: &EventArguments) {
        let caught_up = self.catch_up();
        self.events.sequence = self.events.sequence.wrapping_add(1);
        if !caught_up || self.post(event, arguments).is_err() {
            self.events.missed = self.events.missed.saturating_add(1);
            self.statistics.events_lost = self.statistics.events_lost.wrapping_add(1);
            EVENTS_LOST.count();
        }
    }
}

impl SocketNode {
    /// Sets which events are sent from now on; one that was missed is still told of, unless none are wanted any more.
    pub(crate) fn want_events(&self, state: &mut State, mask: u32) {
        let renamed = Event::Renamed.bit();
        if state.events.mask & renamed == 0 && mask & renamed != 0 {
            state.events.name = state.node.as_ref().map_or(NodeName::EMPTY, kpi::netgraph::Node::name);
        }
        state.events.mask = mask;
        if mask == 0 {
            state.events.missed = 0;
            state.events.untold = false;
        }
        self.note(state);
    }

    /// Sends `event`, if it is wanted. If it does not fit, it is counted, and the count told as soon as there is room.
    pub(crate) fn tell(&self, state: &mut State, event: Event, arguments: &EventArguments) {
        self.tell_name(state);
        // Nobody can be told any more without a control socket; and once the node is gone, its sockets' ends are no news.
        if state.events.wants(event) && state.control.is_some() && state.node.is_some() {
            state.tell_now(event, arguments);
            self.note(state);
        }
    }

    /// Tells of the node's name, if it has another one than was told.
    ///
    /// netgraph does not tell a node that it is renamed. A name can only be given by bind(2) or by a message from a
    /// process, and all of those pass through this module, which calls this when they have been applied. Should another
    /// part of the kernel rename the node, that is noticed with the next event.
    pub(crate) fn tell_name(&self, state: &mut State) {
        if !state.events.wants(Event::Renamed) || state.control.is_none() {
            return;
        }
        let Some(name) = state.node.as_ref().map(kpi::netgraph::Node::name) else {
            return;
        };
        let old = core::mem::replace(&mut state.events.name, name);
        if old != name {
            let mut arguments = Arguments::new();
            arguments.name(&name);
            arguments.name(&old);
            state.tell_now(Event::Renamed, &arguments);
            self.note(state);
        }
    }

    /// Tells of a hook that can be used now.
    pub(crate) fn tell_connected(&self, state: &mut State, hook: &HookName, peer: Option<Peer>) {
        let peer = peer.unwrap_or(Peer {
            hook: HookName::EMPTY,
            id: 0,
            kind: HookName::EMPTY,
        });
        let mut arguments = Arguments::new();
        for name in [hook, &peer.hook, &peer.kind] {
            arguments.name(name);
        }
        arguments.number(peer.id);
        self.tell(state, Event::HookConnected, &arguments);
    }

    /// Tells of something that happened to a hook, and why.
    pub(crate) fn tell_hook(&self, state: &mut State, event: Event, hook: &HookName, why: u32) {
        let mut arguments = Arguments::new();
        arguments.name(hook);
        arguments.number(why);
        self.tell(state, event, &arguments);
    }

    /// Tells that a data socket came (1) or went (0).
    pub(crate) fn tell_data_socket(&self, state: &mut State, attached: u32) {
        let mut arguments = Arguments::new();
        arguments.number(attached);
        self.tell(state, Event::DataSocket, &arguments);
    }

    /// Tells of drops, which have been counted already, at most once a second.
    pub(crate) fn tell_drops(&self, state: &mut State) {
        if !state.events.wants(Event::Dropped) {
            return;
        }
        let now = uptime();
        state.events.untold = state.events.told == now;
        if !state.events.untold {
            state.events.told = now;
            let drops = state.statistics.write_drops();
            self.tell(state, Event::Dropped, &drops);
        }
        self.note(state);
    }

    /// The process has read: there may be room for what was not told yet.
    pub(crate) fn make_up(&self) {
        if !self.behind.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state();
        state.catch_up();
        if state.events.untold {
            self.tell_drops(&mut state);
        }
        self.note(&state);
    }

    /// Leaves word for [`SocketNode::make_up`].
    fn note(&self, state: &State) {
        self.behind.store(state.events.is_behind(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_message_of_the_node_s_own() {
        let mut arguments = Arguments::new();
        arguments.number(1);
        let message = message(Event::DataSocket, 7, &arguments);
        let bytes = message.as_bytes();
        assert_eq!(bytes.len(), 60);
        assert_eq!(bytes[..8], [8, 0, 0, 0, 4, 0, 0, 0], "version and arglen");
        assert_eq!(bytes[8..20], [36, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0], "cmd, flags, token");
        assert_eq!(bytes[20..24], 851_601_233_u32.to_le_bytes(), "cookie");
        assert_eq!(bytes[56..], [1, 0, 0, 0]);
    }
}
