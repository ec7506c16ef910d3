//! Pages of their own for each allocation, with one behind that cannot be touched.

use std::ptr::with_exposed_provenance_mut;

const PAGE: usize = 4096;

/// A mapping: pages, and the guard behind them. Unmapped when dropped.
#[derive(Debug)]
pub(super) struct Pages {
    start: usize,
    /// Bytes, without the guard.
    length: usize,
}

impl Pages {
    /// Room for `size` bytes; `None` if the host gives no more.
    pub(super) fn map(size: usize) -> Option<Self> {
        let length = size.max(1).checked_next_multiple_of(PAGE)?;
        let start = map(0, length.checked_add(PAGE)?, libc::MAP_PRIVATE)?;
        let pages = Self { start, length };
        // SAFETY: pages of the mapping just made.
        let opened = unsafe {
            libc::mprotect(
                with_exposed_provenance_mut(start),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
            )
        };
        (opened == 0).then_some(pages)
    }

    pub(super) fn start(&self) -> usize {
        self.start
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.length
    }

    pub(super) fn end_of_guard(&self) -> usize {
        self.end() + PAGE
    }

    /// Bytes of address space.
    pub(super) fn span(&self) -> usize {
        self.length + PAGE
    }

    /// Has every access fault from now on, and gives the memory back to the host. A fresh mapping, unlike a change of
    /// protection, becomes one with its neighbours, of which the host allows 65,530 only.
    pub(super) fn close(&self) {
        map(self.start, self.span(), libc::MAP_PRIVATE | libc::MAP_FIXED).expect("pages can be mapped anew");
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and its block is forgotten.
        let result = unsafe { libc::munmap(with_exposed_provenance_mut(self.start), self.span()) };
        debug_assert_eq!(result, 0, "munmap of a mapping");
    }
}

/// Maps pages that cannot be touched.
fn map(at: usize, length: usize, flags: i32) -> Option<usize> {
    let flags = flags | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping, or (MAP_FIXED) one over pages of ours that nobody uses any more.
    let address = unsafe { libc::mmap(with_exposed_provenance_mut(at), length, libc::PROT_NONE, flags, -1, 0) };
    (address != libc::MAP_FAILED).then(|| address.expose_provenance())
}
