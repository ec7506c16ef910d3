//! Every block there is, live and lately freed.

use std::collections::{BTreeMap, VecDeque};

use super::block::{Block, Place};
use super::{Content, Owner, Usage, guarded, plain};
use crate::report;

/// Live blocks in pages of their own; each takes two of the 65,530 mappings a process may have. More are only poisoned.
const MAX_GUARDED: usize = 15_000;
/// Freed blocks that are remembered, and the address space they may take.
const MAX_FREED: usize = 20_000;
const MAX_FREED_BYTES: usize = 256 << 20;
/// The same of poisoned blocks, which keep real memory.
const MAX_FREED_PLAIN: usize = 512;
const MAX_FREED_PLAIN_BYTES: usize = 4 << 20;

pub(super) struct Table {
    guard_pages: bool,
    /// By address.
    blocks: BTreeMap<usize, Block>,
    live_guarded: usize,
    freed: Quarantine,
    freed_plain: Quarantine,
    usage: BTreeMap<Owner, Counts>,
}

#[derive(Default)]
struct Counts {
    live: u64,
    bytes: u64,
    total: u64,
}

/// Freed blocks, by address, oldest first, which nobody gets again yet.
#[derive(Default)]
struct Quarantine {
    queue: VecDeque<(usize, usize)>,
    bytes: usize,
}

impl Quarantine {
    /// Adds a block; returns the address of the oldest one if there are too many now.
    fn push(&mut self, address: usize, bytes: usize, most: usize, most_bytes: usize) -> Option<usize> {
        self.queue.push_back((address, bytes));
        self.bytes += bytes;
        if self.queue.len() <= most && self.bytes <= most_bytes {
            return None;
        }
        let (oldest, bytes) = self.queue.pop_front()?;
        self.bytes -= bytes;
        Some(oldest)
    }
}

impl Table {
    pub(super) fn new(guard_pages: bool) -> Self {
        Self {
            guard_pages,
            blocks: BTreeMap::new(),
            live_guarded: 0,
            freed: Quarantine::default(),
            freed_plain: Quarantine::default(),
            usage: BTreeMap::new(),
        }
    }

    /// A new block; null if the host has no memory.
    pub(super) fn allocate(&mut self, owner: Owner, size: usize, content: Content, thread: String) -> *mut u8 {
        let Some(place) = self.place(size) else {
            return std::ptr::null_mut();
        };
        let counts = self.usage.entry(owner.clone()).or_default();
        counts.live += 1;
        counts.total += 1;
        counts.bytes += size as u64;
        let block = Block::new(place, owner, size, content, thread);
        let address = block.address;
        self.blocks.insert(address, block);
        std::ptr::with_exposed_provenance_mut(address)
    }

    fn place(&mut self, size: usize) -> Option<Place> {
        if self.guard_pages
            && self.live_guarded < MAX_GUARDED
            && let Some(pages) = guarded::Pages::map(size)
        {
            self.live_guarded += 1;
            return Some(Place::Guarded(pages));
        }
        plain::Memory::new(size).map(Place::Plain)
    }

    /// Frees a block, or says what is wrong.
    pub(super) fn free(&mut self, address: usize, owner: &Owner, thread: String) -> Result<(), String> {
        let Some(block) = self.blocks.get_mut(&address) else {
            return Err(format!("free of {owner} at {address:#x}, {}", self.describe(address)));
        };
        let wrong = if !block.is_live() {
            Some(format!("double free of {owner}: {block}"))
        } else if block.owner != *owner {
            Some(format!("free of {owner}, but it is {block}"))
        } else {
            block.overrun()
        };
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        block.free(thread);
        let size = block.size;
        if let Some(counts) = self.usage.get_mut(owner) {
            counts.live -= 1;
            counts.bytes -= size as u64;
        }
        self.quarantine(address)
    }

    /// Keeps a freed block for a while; says what is wrong with the one that is forgotten for it.
    fn quarantine(&mut self, address: usize) -> Result<(), String> {
        let oldest = match &self.blocks[&address].place {
            Place::Guarded(pages) => {
                self.live_guarded -= 1;
                self.freed.push(address, pages.span(), MAX_FREED, MAX_FREED_BYTES)
            }
            Place::Plain(_) => {
                let size = self.blocks[&address].size;
                self.freed_plain
                    .push(address, size, MAX_FREED_PLAIN, MAX_FREED_PLAIN_BYTES)
            }
        };
        let block = oldest.and_then(|oldest| self.blocks.remove(&oldest));
        block.and_then(|block| block.written_after_free()).map_or(Ok(()), Err)
    }

    /// What is known of an address.
    pub(super) fn describe(&self, address: usize) -> String {
        let before = self.blocks.range(..=address).next_back();
        let behind = self.blocks.range(address..).next();
        let near = |(_, block): (&usize, &Block)| block.relation(address);
        let found: Vec<_> = [before, behind].into_iter().flatten().filter_map(near).collect();
        if found.is_empty() {
            return "which is no memory that was allocated, or freed lately".to_owned();
        }
        found.join(", ")
    }

    pub(super) fn usage(&self) -> Vec<Usage> {
        let usage = |(owner, counts): (&Owner, &Counts)| Usage {
            name: match owner {
                Owner::Type(name) => name.to_string(),
                Owner::Zone(zone) => format!("{zone:?}"),
            },
            live: counts.live,
            bytes: counts.bytes,
            total: counts.total,
        };
        self.usage.iter().map(usage).collect()
    }

    /// What is in use under one name.
    pub(super) fn live(&self, owner: &Owner) -> (u64, u64) {
        self.usage
            .get(owner)
            .map_or((0, 0), |counts| (counts.live, counts.bytes))
    }

    /// What has not been freed: `3 × 96 bytes of netgraph_sock`.
    pub(super) fn live_groups(&self) -> Vec<String> {
        let mut groups: BTreeMap<(&Owner, usize), u64> = BTreeMap::new();
        for block in self.blocks.values().filter(|block| block.is_live()) {
            *groups.entry((&block.owner, block.size)).or_default() += 1;
        }
        let line = |((owner, size), count)| format!("{count} × {size} bytes of {owner}");
        groups.into_iter().map(line).collect()
    }

    /// Panics if a freed block was written, or the surroundings of a live one.
    pub(super) fn check_freed(&mut self) {
        let wrong = |block: &Block| {
            if block.is_live() {
                block.overrun()
            } else {
                block.written_after_free()
            }
        };
        if let Some(wrong) = self.blocks.values().find_map(wrong) {
            report::panic(&wrong);
        }
    }
}
