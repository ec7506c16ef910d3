//! mbuf(9): chains of buffers that hold one packet.

use core::ffi::c_int;
use core::ptr::NonNull;

use crate::errno::{Errno, Result};
use crate::raw::mbuf as raw;

/// An mbuf chain; freed when dropped.
///
/// # Invariants
/// The pointer is a valid chain that belongs to this value alone.
pub struct Mbuf(NonNull<raw::mbuf>);

// SAFETY: a chain has no tie to a thread.
unsafe impl Send for Mbuf {}

impl Mbuf {
    /// Takes a chain over from C; `None` for a null pointer.
    ///
    /// # Safety
    /// A chain behind `pointer` is valid and nobody else's any more.
    pub(crate) unsafe fn from_raw(pointer: *mut raw::mbuf) -> Option<Self> {
        // INVARIANT: the caller gives the chain away.
        NonNull::new(pointer).map(Self)
    }

    /// Leaves the chain to C.
    pub(crate) fn into_raw(self) -> *mut raw::mbuf {
        let pointer = self.0.as_ptr();
        core::mem::forget(self);
        pointer
    }

    /// A new packet that holds `bytes`. Never sleeps.
    ///
    /// # Errors
    /// `ENOBUFS`: no mbufs or clusters are free, or `bytes` is longer than 2³¹ - 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let length = c_int::try_from(bytes.len()).map_err(|_| Errno::ENOBUFS)?;
        // SAFETY: m_devget only reads `length` bytes from the buffer, without a copy function of ours.
        let chain = unsafe { raw::m_devget(bytes.as_ptr().cast_mut().cast(), length, 0, core::ptr::null_mut(), None) };
        // SAFETY: m_devget returns a new chain or null.
        unsafe { Self::from_raw(chain) }.ok_or(Errno::ENOBUFS)
    }

    /// How many bytes the chain holds.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut total = 0usize;
        let mut next = self.0.as_ptr();
        while !next.is_null() {
            // SAFETY: next is a member of the chain, which is valid (invariant).
            let mbuf = unsafe { &*next };
            total = total.saturating_add(usize::try_from(mbuf.m_len).unwrap_or(0));
            next = mbuf.m_next;
        }
        total
    }

    /// Whether the chain holds no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the chain begins with a packet header, as every packet must.
    #[must_use]
    pub fn is_packet(&self) -> bool {
        // SAFETY: the chain is valid (invariant).
        let head = unsafe { self.0.as_ref() };
        (head.m_type_flags >> raw::M_FLAGS_SHIFT) & raw::M_PKTHDR != 0
    }

    /// Copies the first bytes of the chain to `to`, which they fill.
    ///
    /// # Errors
    /// `EINVAL`: the chain is shorter than `to`, which is left as it was.
    pub fn copy_to(&self, to: &mut [u8]) -> Result {
        // SAFETY: `to` has room for its length.
        unsafe { self.copy_range(0, to.as_mut_ptr(), to.len()) }
    }

    /// Copies `length` bytes, from `offset` on, to `to`.
    ///
    /// # Errors
    /// `EINVAL`: the chain ends before; nothing is copied.
    ///
    /// # Safety
    /// `to` can be written to for `length` bytes.
    pub(crate) unsafe fn copy_range(&self, offset: usize, to: *mut u8, length: usize) -> Result {
        if offset.checked_add(length).is_none_or(|end| end > self.len()) {
            return Err(Errno::EINVAL);
        }
        let offset = c_int::try_from(offset).map_err(|_| Errno::EINVAL)?;
        let length = c_int::try_from(length).map_err(|_| Errno::EINVAL)?;
        // SAFETY: the chain holds as many bytes (just counted) and `to` has room for them (caller).
        unsafe { raw::m_copydata(self.0.as_ptr(), offset, length, to.cast()) };
        Ok(())
    }
}

impl Drop for Mbuf {
    fn drop(&mut self) {
        // SAFETY: the chain is ours alone (invariant).
        unsafe { raw::m_freem(self.0.as_ptr()) }
    }
}
