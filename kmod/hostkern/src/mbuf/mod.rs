//! mbuf(9).
//!
//! Each mbuf is an allocation of its own, and so is the cluster of an mbuf with `M_EXT`, so that what is wrong with them is
//! found where it happens. Clusters are never shared: a copy is a copy.

mod buffer;
mod c;

use std::ffi::c_int;

use kpi::raw::mbuf::mbuf;

pub use c::*;

use crate::report;
use buffer::{Buffer, Head};

/// The mbufs of a chain, in order.
///
/// # Invariants
/// The pointer is null, or the rest of a valid chain.
struct Chain(*const mbuf);

impl Chain {
    /// # Safety
    /// `chain` is a valid chain for as long as the value lives, or null.
    unsafe fn new(chain: *const mbuf) -> Self {
        // INVARIANT: the caller says so.
        Self(chain)
    }
}

impl Iterator for Chain {
    type Item = Buffer;

    fn next(&mut self) -> Option<Buffer> {
        // SAFETY: part of a valid chain (invariant).
        let buffer = unsafe { Buffer::at(self.0.cast_mut()) }?;
        // INVARIANT: the next of a valid chain, or null.
        self.0 = buffer.next();
        Some(buffer)
    }
}

/// A packet (with `M_PKTHDR`) that holds `bytes`; null when a fault strikes. Unlike m_devget, it makes one of no bytes.
pub fn packet(bytes: &[u8]) -> *mut mbuf {
    build(bytes, 0).map_or(std::ptr::null_mut(), Buffer::into_raw)
}

/// A packet that holds `bytes`, with `offset` bytes of room in front.
fn build(bytes: &[u8], offset: usize) -> Option<Buffer> {
    let mut first: Option<Buffer> = None;
    let mut last: Option<Buffer> = None;
    let mut rest = bytes;
    loop {
        let is_first = first.is_none();
        let (head, room) = if is_first {
            (Head::Packet, offset)
        } else {
            (Head::None, 0)
        };
        let Some(mut new) = Buffer::allocate(head, room, rest.len()) else {
            free_built(first);
            return None;
        };
        rest = new.append(rest);
        match &mut last {
            Some(last) => last.set_next(&new),
            None => new.set_packet_length(bytes.len()),
        }
        if is_first {
            first = Some(new.alias());
        }
        last = Some(new);
        if rest.is_empty() {
            return first;
        }
    }
}

/// Frees the beginning of a chain that was not finished.
fn free_built(first: Option<Buffer>) {
    if let Some(first) = first {
        // SAFETY: the chain was built here, and nobody else has it.
        unsafe { free(first.into_raw()) };
    }
}

/// How many bytes a chain holds.
///
/// # Safety
/// `chain` is a valid chain, or null.
pub unsafe fn length(chain: *const mbuf) -> usize {
    // SAFETY: the caller vouches for the chain.
    unsafe { Chain::new(chain) }.map(|buffer| buffer.bytes().len()).sum()
}

/// What a chain charges to a socket buffer (`sb_mbcnt`): `MSIZE` and the cluster of each mbuf.
///
/// # Safety
/// As [`length`].
pub unsafe fn charge(chain: *const mbuf) -> usize {
    // SAFETY: the caller vouches for the chain.
    unsafe { Chain::new(chain) }
        .map(|buffer| size_of::<mbuf>() + buffer.cluster_size())
        .sum()
}

/// The bytes of a chain.
///
/// # Safety
/// As [`length`].
pub unsafe fn bytes(chain: *const mbuf) -> Vec<u8> {
    // SAFETY: the caller vouches for the chain.
    unsafe { Chain::new(chain) }
        .flat_map(|buffer| buffer.bytes().to_vec())
        .collect()
}

/// A chain of its own with the same bytes, packet header and flags (such as `M_BCAST`); null when a fault strikes.
///
/// # Safety
/// `chain` is a packet.
pub unsafe fn copy(chain: *const mbuf) -> *mut mbuf {
    // SAFETY: the caller vouches for the chain.
    let bytes = unsafe { bytes(chain) };
    // SAFETY: as above.
    let (Some(from), Some(mut to)) = (unsafe { Buffer::at(chain.cast_mut()) }, build(&bytes, 0)) else {
        return std::ptr::null_mut();
    };
    to.copy_header(&from);
    to.into_raw()
}

/// Frees a chain.
///
/// # Safety
/// `chain` is a valid chain that nobody uses any more, or null.
pub unsafe fn free(chain: *mut mbuf) {
    let mut next = chain;
    // SAFETY: a valid chain that the caller gives up.
    while let Some(buffer) = unsafe { Buffer::at(next) } {
        next = buffer.next().cast_mut();
        buffer.release();
    }
}

/// Copies `to.len()` bytes from `offset` on; panics if the chain is too short.
///
/// # Safety
/// As [`length`].
unsafe fn copy_data(chain: *const mbuf, offset: usize, to: &mut [u8]) {
    let (mut skip, mut to) = (offset, to);
    // SAFETY: the caller vouches for the chain.
    for buffer in unsafe { Chain::new(chain) } {
        let bytes = buffer.bytes();
        let begin = skip.min(bytes.len());
        skip -= begin;
        let count = to.len().min(bytes.len() - begin);
        let (now, later) = to.split_at_mut(count);
        now.copy_from_slice(&bytes[begin..begin + count]);
        to = later;
    }
    if !to.is_empty() || skip > 0 {
        report::panic(&format!(
            "m_copydata: the chain ends {} bytes too early",
            to.len() + skip
        ));
    }
}

/// A length or an offset of C.
fn unsigned(number: c_int, what: &str) -> usize {
    usize::try_from(number).unwrap_or_else(|_| report::panic(&format!("{what}: {number}")))
}

#[cfg(test)]
mod tests;
