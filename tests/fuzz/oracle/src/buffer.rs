//! A receive buffer: datagrams in their order, and how much more there is room for.

use std::collections::VecDeque;

use crate::errno::{Errno, Result};

/// The most that any buffer may charge, `kern.ipc.maxsockbuf` of FreeBSD 14.
const MOST: u64 = 2 << 20;
/// An mbuf, and a cluster.
const MBUF: u64 = 256;
const CLUSTER: u64 = 2048;
/// How many bytes of data fit into an mbuf that begins a packet.
const INSIDE: u64 = 160;
/// A buffer may charge so many bytes of mbufs for one byte of data.
const EFFICIENCY: u64 = 8;

/// One datagram, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The whole `sockaddr`.
    pub from: Vec<u8>,
    /// What was sent.
    pub bytes: Vec<u8>,
}

impl Datagram {
    fn length(&self) -> u64 {
        size(&self.from) + size(&self.bytes)
    }

    fn charge(&self) -> u64 {
        MBUF + charge(size(&self.bytes))
    }
}

pub(crate) fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("lengths are 64 bits wide")
}

/// What the mbufs of so many bytes are charged: clusters while there is much left, then one mbuf.
fn charge(bytes: u64) -> u64 {
    let (mut left, mut charge) = (bytes, 0);
    loop {
        if left <= INSIDE {
            return charge + if left > 0 || charge == 0 { MBUF } else { 0 };
        }
        charge += MBUF + CLUSTER;
        left = left.saturating_sub(CLUSTER);
    }
}

/// Limits a buffer to so many bytes.
///
/// # Errors
/// `EINVAL`: not even one. `ENOBUFS`: more than the system allows.
pub fn limit(bytes: i32) -> Result<u64> {
    let bytes = u64::try_from(bytes)
        .ok()
        .filter(|bytes| *bytes > 0)
        .ok_or(Errno::EINVAL)?;
    if bytes > MOST * CLUSTER / (MBUF + CLUSTER) {
        return Err(Errno::ENOBUFS);
    }
    Ok(bytes)
}

/// A receive buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buffer {
    queue: VecDeque<Datagram>,
    limit: u64,
}

impl Buffer {
    /// An empty buffer for so many bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self {
            queue: VecDeque::new(),
            limit,
        }
    }

    /// How many bytes it may ever hold.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Sets how many bytes it may hold; what it holds stays.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Whether a datagram fits: its bytes and its address's, both into what is left of the limit and of what may be
    /// charged.
    #[must_use]
    pub fn fits(&self, datagram: &Datagram) -> bool {
        let held: u64 = self.queue.iter().map(Datagram::length).sum();
        let charged: u64 = self.queue.iter().map(Datagram::charge).sum();
        let most = (self.limit * EFFICIENCY).min(MOST);
        held + datagram.length() <= self.limit && charged + datagram.length() <= most
    }

    /// Adds a datagram.
    ///
    /// # Errors
    /// `ENOBUFS`: it does not fit.
    pub fn add(&mut self, datagram: Datagram) -> Result {
        if !self.fits(&datagram) {
            return Err(Errno::ENOBUFS);
        }
        self.queue.push_back(datagram);
        Ok(())
    }

    /// The next datagram, if there is one.
    #[must_use]
    pub fn first(&self) -> Option<&Datagram> {
        self.queue.front()
    }

    /// Takes the next datagram out.
    pub fn take(&mut self) -> Option<Datagram> {
        self.queue.pop_front()
    }

    /// Throws everything away.
    pub fn clear(&mut self) {
        self.queue.clear();
    }

    /// How many datagrams there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(bytes: usize) -> Datagram {
        Datagram {
            from: vec![0; 16],
            bytes: vec![0; bytes],
        }
    }

    #[test]
    fn the_limit_is_in_bytes() {
        let mut buffer = Buffer::new(200);
        assert_eq!(buffer.add(datagram(185)), Err(Errno::ENOBUFS));
        assert_eq!(buffer.add(datagram(184)), Ok(()));
        assert_eq!(buffer.add(datagram(0)), Err(Errno::ENOBUFS));
        buffer.take();
        assert_eq!(buffer.add(datagram(0)), Ok(()));
    }

    #[test]
    fn small_datagrams_are_charged_for_their_mbufs() {
        let mut buffer = Buffer::new(1000);
        // 16 bytes each and 512 charged, of 8000.
        let count = (0..100).take_while(|_| buffer.add(datagram(0)).is_ok()).count();
        assert_eq!(count, 16);
    }

    #[test]
    fn charges_go_by_mbuf_and_cluster() {
        for (bytes, expected) in [
            (0, 256),
            (160, 256),
            (161, 2304),
            (2048, 2304),
            (2049, 2560),
            (2300, 4608),
        ] {
            assert_eq!(charge(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn limits_have_limits() {
        assert_eq!(limit(0), Err(Errno::EINVAL));
        assert_eq!(limit(1), Ok(1));
        assert_eq!(limit(1_864_135), Ok(1_864_135));
        assert_eq!(limit(1_864_136), Err(Errno::ENOBUFS));
    }
}
