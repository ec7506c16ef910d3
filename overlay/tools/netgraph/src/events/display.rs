//! Events in words, for people.

use std::fmt;

use super::{Event, Peer, Refusal, Removal};
use crate::statistics::Drops;

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HookConnected { hook, peer: Some(peer) } => write!(f, "hook `{hook}` is connected to {peer}"),
            Self::HookConnected { hook, peer: None } => write!(f, "hook `{hook}` was connected, and its peer is gone"),
            Self::HookRemoved { hook, why } => write!(f, "hook `{hook}` is gone: {why}"),
            Self::HookRefused { hook, why } => write!(f, "hook `{hook}` was refused: {why}"),
            Self::Renamed { name, old: Some(old) } => write!(f, "the node `{old}` is named `{name}` now"),
            Self::Renamed { name, old: None } => write!(f, "the node is named `{name}` now"),
            Self::DataSocket { attached: true } => f.write_str("a data socket is attached"),
            Self::DataSocket { attached: false } => f.write_str("the data socket is gone"),
            Self::Dropped(drops) => write!(f, "lost so far: {drops}"),
            Self::ShuttingDown => f.write_str("the node shuts down"),
            Self::Overflow { missed } => write!(f, "{missed} events were lost"),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of {}: ({})", self.hook, self.id, self.type_name)
    }
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shutdown => "the node shuts down",
            Self::Removed => "a process removed it",
            Self::Peer => "its other end is gone",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the policy accepts no hooks",
            Self::Limit => "there are as many hooks as the policy allows",
            Self::Name => "the policy does not accept its name",
        })
    }
}

impl fmt::Display for Drops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            no_listener,
            full,
            no_header,
            control_lost,
        } = self;
        write!(
            f,
            "{no_listener} packets without a data socket, {full} packets and {control_lost} messages without room, \
             {no_header} packets without header"
        )
    }
}
