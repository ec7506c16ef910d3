//! mbuf(9).

use kpi::raw::mbuf::mbuf;

/// A packet (with `M_PKTHDR`) that holds `bytes`; null when a fault strikes.
pub fn packet(_bytes: &[u8]) -> *mut mbuf {
    todo!()
}

/// How many bytes a chain holds.
///
/// # Safety
/// `chain` is a valid chain, or null.
pub unsafe fn length(_chain: *const mbuf) -> usize {
    todo!()
}

/// What a chain charges to a socket buffer (`sb_mbcnt`): `MSIZE` and the cluster of each mbuf.
///
/// # Safety
/// As [`length`].
pub unsafe fn charge(_chain: *const mbuf) -> usize {
    todo!()
}

/// The bytes of a chain.
///
/// # Safety
/// As [`length`].
pub unsafe fn bytes(_chain: *const mbuf) -> Vec<u8> {
    todo!()
}

/// Frees a chain.
///
/// # Safety
/// `chain` is a valid chain that nobody uses any more, or null.
pub unsafe fn free(_chain: *mut mbuf) {
    todo!()
}
