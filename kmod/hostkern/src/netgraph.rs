//! The netgraph core: nodes, hooks, items, paths, messages, and node types.
//!
//! Nodes, hooks, items and types have FreeBSD's layouts, since modules read and change them in place. What modules do not
//! look at is ours: [`topology`] (one lock for who is registered, named and connected), [`gate`] (readers, writer and queue
//! of a node) and [`worker`] (threads that apply what was queued).
//!
//! An item runs at once in the thread that sends it if the node's gate lets it in, else a worker applies it later
//! ([`send`]). Hooks are connected in steps, each of them an item for one of the two nodes ([`connect`]).
//!
//! References are exact: a lookup never brings back a node or hook whose last reference is gone ([`reference`]), unless a
//! test asks for FreeBSD's way ([`Lookups`]).

pub(crate) mod ascii;
mod commands;
mod connect;
mod errors;
pub(crate) mod exports;
mod gate;
mod generic;
mod hook;
mod inspect;
mod item;
mod kind;
mod message;
mod native;
mod node;
mod path;
mod reference;
mod send;
mod step;
#[cfg(test)]
mod tests;
mod topology;
mod types;
mod worker;

use core::ptr::{NonNull, addr_of};
use std::collections::HashMap;

use kpi::raw::netgraph::NG_ABI_VERSION;

use crate::kernel::Config;
use crate::slot::Slot;
use crate::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::thread::Vnet;

pub use inspect::{Held, HookView, NodeView, Target, hold, snapshot, start_over};
pub use types::{capture, ether, ifnet};
pub use types::{load_type, unload_type};
pub use worker::{settle, work_alone};

/// All that changes in netgraph.
struct State {
    topology: Mutex<topology::Topology>,
    work: worker::Work,
    /// Types of [`types`] that are registered, by name.
    loaded: Mutex<HashMap<&'static str, native::Registration>>,
    captured: Mutex<capture::Captured>,
    numbers: Mutex<ifnet::Taken>,
    /// Items that are alive, in or out of queues.
    items: AtomicI64,
    abi_version: AtomicU32,
    /// Whether lookups are [`Lookups::AsFreeBsd`].
    revives: AtomicBool,
    /// `ng_deadnode`: what hooks refer to that are off their node.
    dead_node: Box<node::Node>,
    /// `ng_deadhook`: what unconnected hooks are connected to.
    dead_hook: Box<hook::Hook>,
    /// The type of the dead node.
    _dead_kind: Box<kind::Kind>,
}

// SAFETY: the dead node, hook and type are only read, but for what is atomic in them.
unsafe impl Send for State {}
// SAFETY: as above; the rest is behind locks, or atomic.
unsafe impl Sync for State {}

static STATE: Slot<State> = Slot::new();

fn state() -> &'static State {
    STATE.get()
}

impl State {
    fn new() -> Self {
        let mut dead_kind = Box::new(kind::Kind::named(c"dead"));
        let dead_node = Box::new(node::Node::blank(&raw mut *dead_kind, Vnet(0)));
        dead_node.flags.store(node::INVALID, Ordering::Relaxed);
        let dead_hook = hook::Hook::dead((&raw const *dead_node).cast_mut());
        Self {
            topology: Mutex::default(),
            work: worker::Work::default(),
            loaded: Mutex::default(),
            captured: Mutex::default(),
            numbers: Mutex::default(),
            items: AtomicI64::new(0),
            abi_version: AtomicU32::new(NG_ABI_VERSION),
            revives: AtomicBool::new(false),
            dead_node,
            dead_hook,
            _dead_kind: dead_kind,
        }
    }

    fn topology(&self) -> MutexGuard<'_, topology::Topology> {
        lock(&self.topology)
    }

    fn dead_node(&self) -> *mut node::Node {
        addr_of!(*self.dead_node).cast_mut()
    }

    fn dead_hook(&self) -> *mut hook::Hook {
        addr_of!(*self.dead_hook).cast_mut()
    }

    fn is_dead_node(&self, node: NonNull<node::Node>) -> bool {
        node.as_ptr() == self.dead_node()
    }

    fn abi_version(&self) -> u32 {
        self.abi_version.load(Ordering::Relaxed)
    }

    fn lookups(&self) -> Lookups {
        if self.revives.load(Ordering::Relaxed) {
            Lookups::AsFreeBsd
        } else {
            Lookups::Exact
        }
    }
}

/// Has the kernel take node types of this `NG_ABI_VERSION` only: 12, or 0x2000c for a FreeBSD 15 with `INVARIANTS`.
pub fn require_abi(version: u32) {
    state().abi_version.store(version, Ordering::Relaxed);
}

/// What a lookup by name or ID does with a node whose last reference is gone, but which is still listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookups {
    /// Passes it over.
    Exact,
    /// Counts from 0 to 1 what is being freed, as `ng_ID2noderef` and `ng_name2noderef` do.
    AsFreeBsd,
}

/// Says which lookups the running kernel has; after boot, [`Lookups::Exact`].
pub fn set_lookups(lookups: Lookups) {
    state().revives.store(lookups == Lookups::AsFreeBsd, Ordering::Relaxed);
}

/// Starts netgraph: no types, no nodes, the workers waiting.
pub(crate) fn boot(_config: &Config) {
    STATE.fill(State::new());
    worker::start();
}

/// Stops the workers once their queues are empty, and says what is left over: nodes, hooks, items, types of modules.
pub(crate) fn halt() -> Vec<String> {
    if STATE.try_get().is_none() {
        return Vec::new();
    }
    worker::stop();
    let mut left = inspect::leftovers();
    types::forget();
    left.extend(STATE.empty().and_then(|state| inspect::lost_items(&state)));
    left
}
