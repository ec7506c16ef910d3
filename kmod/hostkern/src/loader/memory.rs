//! Memory in the low 2 GiB.

use std::io;
use std::ops::Range;
use std::ptr::NonNull;

/// What may be done with a page; never both writing and executing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    Execute,
    Read,
    Write,
    /// Any access faults.
    Nothing,
}

impl Protection {
    fn flags(self) -> libc::c_int {
        match self {
            Self::Execute => libc::PROT_READ | libc::PROT_EXEC,
            Self::Read => libc::PROT_READ,
            Self::Write => libc::PROT_READ | libc::PROT_WRITE,
            Self::Nothing => libc::PROT_NONE,
        }
    }
}

/// Whole pages of this program, below 2 GiB.
///
/// # Invariants
/// `start` and `size` are a mapping that nobody else unmaps; the pages after `protect` was first called are not written to
/// by us.
#[derive(Debug)]
pub(super) struct Region {
    start: NonNull<u8>,
    size: usize,
}

// SAFETY: the region owns its mapping; it is changed through &mut self only.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Zeroed memory that may be written to.
    pub(super) fn low(size: usize) -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
        // SAFETY: a new mapping at an address of the kernel's choice replaces nothing.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), size, Protection::Write.flags(), flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast::<u8>()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { start, size })
    }

    pub(super) fn address(&self) -> usize {
        self.start.as_ptr() as usize
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The bytes, before anything has been protected or run.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: mapped and writable (invariant); `&mut self` until the image is ready, so that nobody else looks.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.size) }
    }

    /// Changes what may be done with the pages of `range`, whole pages from the start of the region.
    pub(super) fn protect(&mut self, range: Range<usize>, protection: Protection) -> io::Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        assert!(range.end <= self.size, "the range lies in the region");
        let start = self.start.as_ptr().wrapping_add(range.start);
        // SAFETY: pages of this mapping only (just checked); who still uses what is taken away is to fault.
        let result = unsafe { libc::mprotect(start.cast(), range.len(), protection.flags()) };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: our mapping (invariant), and nobody has it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.size) };
    }
}
