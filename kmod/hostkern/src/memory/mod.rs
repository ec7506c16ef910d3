//! malloc(9) and uma(9): every allocation is guarded and accounted for.

mod block;
mod guarded;
mod hash;
mod malloc;
mod plain;
mod sanitizer;
mod signal;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use hash::*;
pub use malloc::*;
pub(crate) use signal::AlternateStack;

use crate::faults::{self, Site};
use crate::kernel::Config;
use crate::slot::Slot;
use crate::sync::{Mutex, lock, yield_point};
use crate::{epoch, mutex, report};
use table::Table;

static STATE: Slot<State> = Slot::new();

struct State {
    table: Mutex<Table>,
    /// The short description of each malloc(9) type that is registered, by address.
    types: Mutex<BTreeMap<usize, Arc<str>>>,
    expected_version: AtomicU64,
    handlers: Option<signal::Handlers>,
}

/// What the kernel itself allocates, other than by malloc(9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Zone {
    /// `struct ng_node`
    Node,
    /// `struct ng_hook`
    Hook,
    /// `struct ng_item`
    Item,
    /// `struct socket`
    Socket,
    /// `struct mbuf`
    Mbuf,
    /// The 2 KiB behind an mbuf with `M_EXT`.
    Cluster,
    /// `struct thread`
    Thread,
}

/// What memory belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    /// A malloc(9) type, by its short description.
    Type(Arc<str>),
    Zone(Zone),
}

impl Owner {
    fn site(&self) -> Site {
        match self {
            Self::Type(name) => Site::Malloc(Some(name.to_string())),
            Self::Zone(zone) => Site::Zone(Some(*zone)),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(name) => write!(f, "{name}"),
            Self::Zone(zone) => write!(f, "zone {zone:?}"),
        }
    }
}

/// What is in use under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The short description of a malloc(9) type, or the name of a zone.
    pub name: String,
    /// Allocations that have not been freed.
    pub live: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Allocations so far.
    pub total: u64,
}

/// What new memory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Zeros,
    /// A pattern that no program expects: whoever reads it reads what nobody has written.
    Garbage,
}

impl Content {
    fn byte(self) -> u8 {
        match self {
            Self::Zeros => 0,
            Self::Garbage => 0xa5,
        }
    }
}

pub(crate) fn boot(config: &Config) {
    STATE.fill(State {
        table: Mutex::new(Table::new(config.guard_pages)),
        types: Mutex::new(malloc::own_types()),
        expected_version: AtomicU64::new(0),
        handlers: config.guard_pages.then(signal::Handlers::install),
    });
}

pub(crate) fn halt() -> Vec<String> {
    let Some(state) = STATE.empty() else { return Vec::new() };
    let State { table, handlers, .. } = *state;
    let mut table = table.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    table.check_freed();
    drop(handlers);
    table.live_groups()
}

/// Which `ks_version` malloc_init demands: that of the release booted; 0 for any.
pub fn expect_version(version: u64) {
    STATE.get().expected_version.store(version, Ordering::Relaxed);
}

/// Allocates zeroed memory from a zone; null only if `may_sleep` is false, or a fault is armed.
pub fn allocate(zone: Zone, size: usize, may_sleep: bool) -> *mut u8 {
    allocate_as(Owner::Zone(zone), size, may_sleep, Content::Zeros)
}

/// As [`allocate`], for memory that uma(9) does not zero.
pub(crate) fn allocate_garbage(zone: Zone, size: usize, may_sleep: bool) -> *mut u8 {
    allocate_as(Owner::Zone(zone), size, may_sleep, Content::Garbage)
}

fn allocate_as(owner: Owner, size: usize, may_sleep: bool, content: Content) -> *mut u8 {
    yield_point();
    if may_sleep {
        assert_may_sleep(&owner);
    }
    if faults::strikes(&owner.site(), may_sleep) {
        return std::ptr::null_mut();
    }
    let thread = crate::thread::name();
    lock(&STATE.get().table).allocate(owner, size, content, thread)
}

/// Panics where WITNESS would at an allocation that may sleep.
fn assert_may_sleep(owner: &Owner) {
    let what = format!("an allocation of {owner} that may sleep");
    mutex::assert_none_held_but(std::ptr::null_mut(), &what);
    if epoch::is_inside() {
        report::panic(&format!("{what} inside an epoch section"));
    }
}

/// Gives memory back.
///
/// # Safety
/// `memory` comes from [`allocate`] of the same zone and is not used any more. (What is not so is reported.)
pub unsafe fn release(zone: Zone, memory: *mut u8) {
    release_as(&Owner::Zone(zone), memory);
}

fn release_as(owner: &Owner, memory: *mut u8) {
    yield_point();
    let thread = crate::thread::name();
    let freed = lock(&STATE.get().table).free(memory.addr(), owner, thread);
    if let Err(wrong) = freed {
        report::panic(&wrong);
    }
}

/// What is in use, by name.
pub fn usage() -> Vec<Usage> {
    lock(&STATE.get().table).usage()
}

#[cfg(test)]
mod tests;
