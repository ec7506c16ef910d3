//! The hooks of a node by name, found in constant time however many there are.

use kpi::memory::{KArray, KBox, Wait};
use kpi::netgraph::{Hook, HookName};
use kpi::{Errno, Result};

/// Buckets of a table that has hooks.
const FIRST_SIZE: usize = 16;

type Chain = Option<KBox<Entry>>;

/// How far a hook has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Added, but not connected yet.
    Added,
    /// Connected.
    Connected,
    /// Connected, and a process has asked the node to remove it.
    Leaving,
}

struct Entry {
    name: HookName,
    hook: Hook,
    stage: Stage,
    next: Chain,
}

/// A chained hash table, as large as the number of hooks needs. If there is no memory to grow, it gets slower and goes
/// on.
pub(crate) struct HookTable {
    buckets: KArray<Chain>,
    count: usize,
}

impl HookTable {
    /// An empty table, without memory.
    pub(crate) const fn new() -> Self {
        Self {
            buckets: KArray::EMPTY,
            count: 0,
        }
    }

    /// How many hooks there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Adds a hook. Never sleeps.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub(crate) fn insert(&mut self, name: HookName, hook: Hook) -> Result {
        let entry = Entry {
            name,
            hook,
            stage: Stage::Added,
            next: None,
        };
        let entry = KBox::new(entry, Wait::Never)?;
        let buckets = self.buckets.as_slice().len();
        if self.count >= buckets {
            self.resize(buckets.saturating_mul(2).max(FIRST_SIZE));
        }
        if self.buckets.as_slice().is_empty() {
            return Err(Errno::ENOMEM);
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

    /// Takes note of how far the hook of this name has come.
    pub(crate) fn advance(&mut self, name: &HookName, stage: Stage) {
        let buckets = self.buckets.as_mut_slice();
        let index = bucket(name, buckets.len());
        let mut next = buckets.get_mut(index).and_then(Option::as_mut);
        while let Some(entry) = next {
            if entry.name == *name {
                entry.stage = stage;
                return;
            }
            next = entry.next.as_mut();
        }
    }

    /// Takes a hook out, with how far it had come. It comes back so that its reference can be given up without a lock.
    pub(crate) fn remove(&mut self, name: &HookName, hook: &Hook) -> Option<(Hook, Stage)> {
        let buckets = self.buckets.as_mut_slice();
        let size = buckets.len();
        let mut link = buckets.get_mut(bucket(name, size))?;
        while !link.as_ref()?.hook.is(hook) {
            link = &mut link.as_mut()?.next;
        }
        let entry = link.take()?.into_inner();
        *link = entry.next;
        self.count = self.count.saturating_sub(1);
        // Far fewer hooks than buckets: the memory goes back, and looking for the only one stays cheap.
        if size > FIRST_SIZE && self.count < size / 8 {
            self.resize(size / 2);
        }
        Some((entry.hook, entry.stage))
    }

    /// Moves everything to a table of `size` buckets, a power of two, if there is memory for it.
    fn resize(&mut self, size: usize) {
        let Ok(mut other) = KArray::new(size, Wait::Never) else {
            return;
        };
        for chain in self.buckets.as_mut_slice() {
            while let Some(mut entry) = chain.take() {
                *chain = entry.next.take();
                push(&mut other, entry);
            }
        }
        self.buckets = other;
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

/// Mixes the name, eight bytes at a time, and cuts the result to the number of buckets, which is a power of two or 0.
fn bucket(name: &HookName, buckets: usize) -> usize {
    let hash = name.words().into_iter().fold(0_u64, |hash, word| {
        let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 32)
    });
    usize::try_from(hash).unwrap_or(0) & buckets.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_count_spread_over_the_buckets() {
        let mut used = [0_u32; 1024];
        for number in 0_u32..1024 {
            let mut text = *b"hook0000";
            for (place, power) in text.iter_mut().skip(4).zip([1000, 100, 10, 1]) {
                *place = b'0' + u8::try_from(number / power % 10).expect("a digit");
            }
            used[bucket(&HookName::new(&text).expect("eight bytes"), used.len())] += 1;
        }
        // A random function leaves 1/e of the buckets empty and fills none with more than a handful.
        let empty = used.iter().filter(|count| **count == 0).count();
        assert!(empty < 1024 / 2, "{empty} of 1024 buckets are empty");
        assert!(used.iter().all(|count| *count < 12), "{used:?}");
    }
}
