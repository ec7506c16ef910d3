//! One allocation, and the two ways to lay it out.

use std::fmt;

use super::{Content, Owner, guarded, plain, sanitizer};

/// What free(9) writes all over memory, 32 bits at a time.
pub(super) const POISON: u32 = 0xdead_c0de;
/// Fills what is not the caller's around a block.
const REDZONE: u8 = 0xfd;
/// What blocks are aligned to: malloc(9) promises no more for any size.
pub(super) const ALIGN: usize = 16;

/// Where a block lies.
#[derive(Debug)]
pub(super) enum Place {
    /// At the end of pages of its own.
    Guarded(guarded::Pages),
    /// Amid other memory.
    Plain(plain::Memory),
}

/// An allocation, live or freed.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) address: usize,
    pub(super) size: usize,
    pub(super) owner: Owner,
    /// The thread that allocated it.
    allocated_by: String,
    /// The thread that freed it.
    freed_by: Option<String>,
    pub(super) place: Place,
}

impl Block {
    /// Lays out a block and fills it; `None` if the host has no memory.
    pub(super) fn new(place: Place, owner: Owner, size: usize, content: Content, thread: String) -> Self {
        let address = place.address(size);
        let block = Self {
            address,
            size,
            owner,
            allocated_by: thread,
            freed_by: None,
            place,
        };
        for (start, length) in block.redzones() {
            fill(start, length, REDZONE);
        }
        fill(address, size, content.byte());
        block.hide_surroundings();
        block
    }

    /// The memory around the block that nobody may write, as pairs of address and length.
    fn redzones(&self) -> [(usize, usize); 2] {
        let (start, end) = self.place.bounds();
        // No more than this in front: pages are large, and checked at each free.
        let front = (self.address - start).min(64);
        let behind = self.address + self.size;
        [(self.address - front, front), (behind, end - behind)]
    }

    /// What is wrong with the memory around a live block.
    pub(super) fn overrun(&self) -> Option<String> {
        let [front, behind] = self.redzones();
        sanitizer::show(front);
        sanitizer::show(behind);
        let what = if is_filled(behind.0, behind.1, |_| REDZONE) {
            (!is_filled(front.0, front.1, |_| REDZONE)).then_some("before the beginning")
        } else {
            Some("behind the end")
        };
        self.hide_surroundings();
        what.map(|what| format!("a write {what} of {self}"))
    }

    /// Makes the block unusable.
    pub(super) fn free(&mut self, thread: String) {
        self.freed_by = Some(thread);
        match &self.place {
            Place::Guarded(pages) => pages.close(),
            Place::Plain(_) => {
                poison(self.address, self.size);
                sanitizer::hide((self.address, self.size));
            }
        }
    }

    /// Has the address sanitizer, if there is one, report whoever reads or writes around the block.
    fn hide_surroundings(&self) {
        if matches!(self.place, Place::Plain(_)) {
            self.redzones().into_iter().for_each(sanitizer::hide);
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.freed_by.is_none()
    }

    /// What is wrong with a freed block that is about to be forgotten.
    pub(super) fn written_after_free(&self) -> Option<String> {
        sanitizer::show((self.address, self.size));
        let is_intact = match self.place {
            Place::Guarded(_) => true,
            Place::Plain(_) => is_filled(self.address, self.size, poison_byte),
        };
        (!is_intact).then(|| format!("a write after free to {self}"))
    }

    /// Says where `address` lies, if near the block: `None` if it has nothing to do with it.
    pub(super) fn relation(&self, address: usize) -> Option<String> {
        let (start, end) = self.place.reach();
        if !(start..end).contains(&address) {
            return None;
        }
        let after = address.wrapping_sub(self.address);
        Some(if address < self.address {
            format!("{} bytes before {self}", self.address - address)
        } else if after >= self.size {
            format!("{} bytes behind the end of {self}", after - self.size)
        } else if self.is_live() {
            format!("{after} bytes into {self}")
        } else {
            format!("use after free: {after} bytes into {self}")
        })
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address, size, owner, ..
        } = self;
        write!(
            f,
            "{size} bytes of {owner} at {address:#x}, allocated by thread {}",
            self.allocated_by
        )?;
        match &self.freed_by {
            Some(thread) => write!(f, ", freed by thread {thread}"),
            None => Ok(()),
        }
    }
}

impl Place {
    /// Where a block of `size` bytes begins.
    fn address(&self, size: usize) -> usize {
        match self {
            Self::Guarded(pages) => pages.end() - size.next_multiple_of(ALIGN),
            Self::Plain(memory) => memory.block(),
        }
    }

    /// The memory that can be written, block and all.
    fn bounds(&self) -> (usize, usize) {
        match self {
            Self::Guarded(pages) => (pages.start(), pages.end()),
            Self::Plain(memory) => memory.bounds(),
        }
    }

    /// The addresses that are nobody else's.
    fn reach(&self) -> (usize, usize) {
        match self {
            Self::Guarded(pages) => (pages.start(), pages.end_of_guard()),
            Self::Plain(memory) => memory.bounds(),
        }
    }
}

fn poison_byte(index: usize) -> u8 {
    POISON.to_le_bytes()[index % size_of_val(&POISON)]
}

fn poison(address: usize, size: usize) {
    for index in 0..size {
        // SAFETY: the block is ours, writable, and nobody uses it any more, who is not to be found out.
        unsafe { std::ptr::with_exposed_provenance_mut::<u8>(address + index).write(poison_byte(index)) };
    }
}

fn fill(address: usize, size: usize, byte: u8) {
    // SAFETY: memory of a block that is being made, which is writable and nobody else's yet.
    unsafe { std::ptr::with_exposed_provenance_mut::<u8>(address).write_bytes(byte, size) };
}

fn is_filled(address: usize, size: usize, byte: impl Fn(usize) -> u8) -> bool {
    (0..size).all(|index| {
        // SAFETY: memory of a block, which is readable; volatile, since a stray writer is what is looked for.
        let found = unsafe { std::ptr::with_exposed_provenance::<u8>(address + index).read_volatile() };
        found == byte(index)
    })
}
