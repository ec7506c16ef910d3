//! What a socket node counts.

use crate::wire::{Malformed, Reader};

/// What a socket node lost on the way to its process, in packets or messages since it was made or the counters were cleared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    /// Packets that came while the node had no data socket.
    pub no_listener: u64,
    /// Packets that did not fit into the data socket's receive buffer.
    pub full: u64,
    /// Packets without a packet header, which no socket can take.
    pub no_header: u64,
    /// Messages that did not fit into the control socket's receive buffer.
    pub control_lost: u64,
}

impl Drops {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            no_listener: reader.u64_le()?,
            full: reader.u64_le()?,
            no_header: reader.u64_le()?,
            control_lost: reader.u64_le()?,
        })
    }
}

/// What a socket node has counted since it was made or the counters were cleared: packets and messages, never bytes.
///
/// The layout is that of the answer to `getstats`, ten numbers of 64 bits (kmod/ng_socket/src/messages.rs).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages delivered to the control socket, events among them.
    pub control_in: u64,
    /// Messages that the control socket sent.
    pub control_out: u64,
    /// Packets delivered to the data socket.
    pub data_in: u64,
    /// Packets that the data socket sent.
    pub data_out: u64,
    /// What was lost.
    pub drops: Drops,
    /// Events that did not fit into the control socket's receive buffer.
    pub events_lost: u64,
    /// Hooks that the [policy](crate::HookPolicy) refused.
    pub refused: u64,
}

impl Statistics {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            control_in: reader.u64_le()?,
            control_out: reader.u64_le()?,
            data_in: reader.u64_le()?,
            data_out: reader.u64_le()?,
            drops: Drops::read(reader)?,
            events_lost: reader.u64_le()?,
            refused: reader.u64_le()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_numbers_in_the_order_of_the_module() {
        let bytes: Vec<u8> = (1..=10u64).flat_map(u64::to_le_bytes).collect();
        let read = Statistics::read(&mut Reader::new("statistics", &bytes)).unwrap();
        assert_eq!((read.control_in, read.data_out, read.refused), (1, 4, 10));
        assert_eq!((read.drops.no_listener, read.drops.control_lost), (5, 8));
        assert!(Statistics::read(&mut Reader::new("statistics", &bytes[..79])).is_err());
    }
}
