//! Memory of the host's allocator, with room around the block that is checked.

use std::alloc::{Layout, alloc, dealloc};

use super::block::ALIGN;

/// Bytes in front of a block.
const FRONT: usize = 32;
/// Bytes behind it, at least.
const BEHIND: usize = 16;

/// Memory of the host's allocator; given back when dropped.
#[derive(Debug)]
pub(super) struct Memory {
    start: usize,
    layout: Layout,
}

impl Memory {
    /// Room for `size` bytes; `None` if the host gives no more.
    pub(super) fn new(size: usize) -> Option<Self> {
        let length = size.checked_add(FRONT + BEHIND)?;
        let layout = Layout::from_size_align(length, ALIGN).ok()?;
        // SAFETY: the size is not 0.
        let start = unsafe { alloc(layout) };
        (!start.is_null()).then(|| Self {
            start: start.expose_provenance(),
            layout,
        })
    }

    /// Where the block begins.
    pub(super) fn block(&self) -> usize {
        self.start + FRONT
    }

    pub(super) fn bounds(&self) -> (usize, usize) {
        (self.start, self.start + self.layout.size())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        super::sanitizer::show((self.start, self.layout.size()));
        // SAFETY: allocated with this layout, and its block is forgotten.
        unsafe { dealloc(std::ptr::with_exposed_provenance_mut(self.start), self.layout) };
    }
}
