//! Packets that were watched: what is in them, which ones are wanted, how they are shown and kept.

pub mod facts;
pub mod filter;
pub mod link;
pub mod pcapng;
pub mod summary;

use std::time::Duration;

/// Which way along a watched edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Out of the end that was named.
    Outbound,
    /// Towards it.
    Inbound,
}

/// A packet as it came.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// When it was received by this process, since 1970.
    pub time: Duration,
    /// Which way it went.
    pub direction: Direction,
    /// All of its bytes.
    pub bytes: &'a [u8],
}
