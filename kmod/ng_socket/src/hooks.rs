//! The hooks of a node by name, found in constant time however many there are.

use kpi::memory::{KArray, KBox, Wait};
use kpi::netgraph::{Hook, HookName};
use kpi::{Errno, Result};

/// Buckets of a new table.
const FIRST_SIZE: usize = 16;

type Chain = Option<KBox<Entry>>;

struct Entry {
    name: HookName,
    hook: Hook,
    next: Chain,
}

/// A chained hash table. It grows when there are more hooks than buckets; if there is no memory to grow, it gets slower
/// and goes on.
pub(crate) struct HookTable {
    buckets: KArray<Chain>,
    count: usize,
}

impl HookTable {
    /// An empty table.
    ///
    /// # Errors
    /// `ENOMEM`, if `wait` forbids to sleep.
    pub(crate) fn new(wait: Wait) -> Result<Self> {
        Ok(Self {
            buckets: KArray::new(FIRST_SIZE, wait)?,
            count: 0,
        })
    }

    /// Adds a hook. Never sleeps.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub(crate) fn insert(&mut self, hook: Hook) -> Result {
        let entry = KBox::new(
            Entry {
                name: hook.name(),
                hook,
                next: None,
            },
            Wait::Never,
        )?;
        if self.count >= self.buckets.as_slice().len() {
            self.grow();
        }
        push(&mut self.buckets, entry);
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// The hook of this name.
    pub(crate) fn find(&self, name: &HookName) -> Option<&Hook> {
        let buckets = self.buckets.as_slice();
        let mut next = buckets.get(bucket(name, buckets.len()))?.as_ref();
        while let Some(entry) = next {
            if entry.name == *name {
                return Some(&entry.hook);
            }
            next = entry.next.as_ref();
        }
        None
    }

    /// The hook, if there is exactly one.
    pub(crate) fn only(&self) -> Option<&Hook> {
        if self.count != 1 {
            return None;
        }
        self.buckets.as_slice().iter().flatten().next().map(|entry| &entry.hook)
    }

    /// Takes a hook out; it comes back so that its reference can be given up without a lock.
    pub(crate) fn remove(&mut self, hook: &Hook) -> Option<Hook> {
        let buckets = self.buckets.as_mut_slice();
        let index = bucket(&hook.name(), buckets.len());
        let mut link = buckets.get_mut(index)?;
        while !link.as_ref()?.hook.is(hook) {
            link = &mut link.as_mut()?.next;
        }
        let entry = link.take()?.into_inner();
        *link = entry.next;
        self.count = self.count.saturating_sub(1);
        Some(entry.hook)
    }

    /// Moves everything to a table of twice the size, if there is memory for it.
    fn grow(&mut self) {
        let Some(size) = self.buckets.as_slice().len().checked_mul(2) else {
            return;
        };
        let Ok(mut larger) = KArray::new(size, Wait::Never) else {
            return;
        };
        for chain in self.buckets.as_mut_slice() {
            while let Some(mut entry) = chain.take() {
                *chain = entry.next.take();
                push(&mut larger, entry);
            }
        }
        self.buckets = larger;
    }
}

impl Drop for HookTable {
    /// Chain by chain: dropping a long chain as a whole would use the stack link by link.
    fn drop(&mut self) {
        for chain in self.buckets.as_mut_slice() {
            while let Some(mut entry) = chain.take() {
                *chain = entry.next.take();
            }
        }
    }
}

fn push(buckets: &mut KArray<Chain>, mut entry: KBox<Entry>) {
    let buckets = buckets.as_mut_slice();
    let index = bucket(&entry.name, buckets.len());
    // The index is below the length, so that there is always a place.
    if let Some(place) = buckets.get_mut(index) {
        entry.next = place.take();
        *place = Some(entry);
    }
}

/// FNV-1a of the name, cut to the number of buckets, which is a power of two.
fn bucket(name: &HookName, buckets: usize) -> usize {
    let hash = name.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash ^ (hash >> 32)).unwrap_or(0) & buckets.saturating_sub(1)
}

/// The hook a packet without an address goes to.
pub(crate) fn only_hook(table: Option<&HookTable>) -> Result<Hook> {
    table.and_then(HookTable::only).cloned().ok_or(Errno::EDESTADDRREQ)
}
