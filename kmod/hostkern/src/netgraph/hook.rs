//! Hooks, laid out as FreeBSD lays them out: compiled modules read and change them in place.

use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU8, AtomicU32, Ordering};

use kpi::raw::netgraph as raw;

use super::errors::{ENOMEM, Result};
use super::node::{Node, NodeRef, read_name, write_name};
use super::reference::{Counted, Ref};
use super::state;
use crate::memory::{self, Zone};

/// `hk_flags`: not to be used, or not yet.
pub(crate) const INVALID: i32 = 0x1;
/// `hk_flags`: what arrives here is queued.
pub(crate) const QUEUE: i32 = 0x2;
/// `hk_flags`: data that arrives here are writers.
pub(crate) const FORCE_WRITER: i32 = 0x4;
/// `hk_flags`: the hook that unconnected hooks are connected to.
pub(crate) const DEAD: i32 = 0x8;

/// `struct ng_hook`
#[repr(C)]
pub(crate) struct Hook {
    name: [AtomicU8; 32],
    private: AtomicPtr<c_void>,
    pub(crate) flags: AtomicI32,
    link_type: c_int,
    pub(super) peer: AtomicPtr<Hook>,
    pub(super) node: AtomicPtr<Node>,
    /// `LIST_ENTRY`: the next hook of the node.
    pub(super) next: AtomicPtr<Hook>,
    /// `LIST_ENTRY`: the pointer that points here; null while the hook is on no list.
    pub(super) previous: AtomicPtr<AtomicPtr<Hook>>,
    pub(super) receive_message: Cell<Option<raw::ng_rcvmsg_t>>,
    pub(super) receive_data: Cell<Option<raw::ng_rcvdata_t>>,
    references: AtomicU32,
}

const _: () = {
    assert!(size_of::<Hook>() == size_of::<raw::ng_hook>());
    assert!(offset_of!(Hook, private) == offset_of!(raw::ng_hook, hk_private));
    assert!(offset_of!(Hook, flags) == offset_of!(raw::ng_hook, hk_flags));
    assert!(offset_of!(Hook, peer) == offset_of!(raw::ng_hook, hk_peer));
    assert!(offset_of!(Hook, node) == offset_of!(raw::ng_hook, hk_node));
    assert!(offset_of!(Hook, next) == offset_of!(raw::ng_hook, hk_hooks));
    assert!(offset_of!(Hook, receive_message) == offset_of!(raw::ng_hook, hk_rcvmsg));
    assert!(offset_of!(Hook, receive_data) == offset_of!(raw::ng_hook, hk_rcvdata));
    assert!(offset_of!(Hook, references) == offset_of!(raw::ng_hook, hk_refs));
};

/// A reference to a hook.
pub(crate) type HookRef = Ref<Hook>;

impl Hook {
    /// The hook that stands in for the peer of unconnected hooks.
    pub(super) fn dead(node: *mut Node) -> Box<Self> {
        let hook = Box::new(Self::blank(b"dead", null_mut(), node));
        hook.flags.store(INVALID | DEAD, Ordering::Relaxed);
        hook.peer.store((&raw const *hook).cast_mut(), Ordering::Relaxed);
        hook
    }

    fn blank(name: &[u8], peer: *mut Self, node: *mut Node) -> Self {
        let hook = Self {
            name: [const { AtomicU8::new(0) }; 32],
            private: AtomicPtr::new(null_mut()),
            flags: AtomicI32::new(INVALID),
            link_type: 0,
            peer: AtomicPtr::new(peer),
            node: AtomicPtr::new(node),
            next: AtomicPtr::new(null_mut()),
            previous: AtomicPtr::new(null_mut()),
            receive_message: Cell::new(None),
            receive_data: Cell::new(None),
            references: AtomicU32::new(1),
        };
        write_name(&hook.name, name);
        hook
    }

    /// Makes an invalid, unconnected hook with one reference; it refers to `node`, or else to the dead node.
    pub(crate) fn create(node: Option<&NodeRef>, name: &[u8]) -> Result<HookRef> {
        let memory = memory::allocate(Zone::Hook, size_of::<Self>(), false).cast::<Self>();
        let memory = NonNull::new(memory).ok_or(ENOMEM)?;
        let node = node.map_or(state().dead_node(), |node| node.clone().into_raw());
        // SAFETY: new memory of this size, aligned as allocations are.
        unsafe { memory.write(Self::blank(name, state().dead_hook(), node)) };
        // SAFETY: the one reference blank counts.
        let hook = unsafe { Ref::from_counted(memory) };
        state().topology().add_hook(&hook);
        Ok(hook)
    }

    pub(crate) fn is_valid(&self) -> bool {
        !self.has(INVALID)
    }

    /// Whether one of these flags is set.
    pub(crate) fn has(&self, flags: i32) -> bool {
        self.flags.load(Ordering::Acquire) & flags != 0
    }

    /// The name.
    pub(crate) fn name(&self) -> Vec<u8> {
        read_name(&self.name)
    }

    /// Gives a hook that is on no list yet another name.
    pub(super) fn rename(&self, name: &[u8]) {
        write_name(&self.name, name);
    }

    /// Both sides are connected, or at least this one agrees to be.
    pub(crate) fn make_valid(&self) {
        self.flags.fetch_and(!INVALID, Ordering::Release);
    }
}

impl HookRef {
    /// The hook as C knows it.
    pub(crate) fn as_raw(&self) -> *mut raw::ng_hook {
        self.as_ptr().cast()
    }

    /// The node, `None` once the hook is off it.
    pub(crate) fn node(&self) -> Option<NodeRef> {
        state().topology().node_of(self)
    }

    /// The other end, `None` if there is none.
    pub(crate) fn peer(&self) -> Option<HookRef> {
        state().topology().peer_of(self)
    }
}

impl Counted for Hook {
    const WHAT: &'static str = "hook";

    fn references(&self) -> &AtomicU32 {
        &self.references
    }

    unsafe fn free(this: NonNull<Self>) {
        let node = state().topology().remove_hook(this);
        drop(node);
        // SAFETY: allocated in create, not referred to any more (caller), and no longer found.
        unsafe { memory::release(Zone::Hook, this.as_ptr().cast()) };
    }
}
