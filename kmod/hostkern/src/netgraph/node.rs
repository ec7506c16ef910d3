//! Nodes, laid out as FreeBSD lays them out: compiled modules read and change them in place.

use core::ffi::c_void;
use core::mem::offset_of;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU8, AtomicU32, Ordering};

use kpi::raw::netgraph as raw;

use super::errors::{ENOMEM, Result};
use super::gate::Gate;
use super::hook::Hook;
use super::kind::Kind;
use super::reference::{Counted, Ref};
use super::state;
use crate::memory::{self, Zone};
use crate::sync::yield_point;
use crate::thread::{Vnet, vnet_pointer};

/// `nd_flags`: going away.
pub(crate) const INVALID: i32 = raw::NGF_INVALID;
/// `nd_flags`: every item is a writer.
pub(crate) const FORCE_WRITER: i32 = 0x4;
/// `nd_flags`: its removal is under way.
pub(crate) const CLOSING: i32 = 0x8;

/// `struct ng_node`
#[repr(C)]
pub(crate) struct Node {
    pub(crate) name: [AtomicU8; 32],
    kind: AtomicPtr<Kind>,
    pub(crate) flags: AtomicI32,
    pub(crate) hook_count: AtomicI32,
    pub(crate) private: AtomicPtr<c_void>,
    id: AtomicU32,
    pub(crate) first_hook: AtomicPtr<Hook>,
    nodes: [usize; 2],
    idnodes: [usize; 2],
    /// The first word of `nd_input_queue`, which modules leave alone.
    gate: AtomicPtr<Gate>,
    /// The second word: the number of the vnet.
    vnet_number: u32,
    input_queue: [u32; 13],
    references: AtomicU32,
    vnet: *mut c_void,
}

const _: () = {
    assert!(size_of::<Node>() == size_of::<raw::ng_node>());
    assert!(offset_of!(Node, kind) == offset_of!(raw::ng_node, nd_type));
    assert!(offset_of!(Node, flags) == offset_of!(raw::ng_node, nd_flags));
    assert!(offset_of!(Node, hook_count) == offset_of!(raw::ng_node, nd_numhooks));
    assert!(offset_of!(Node, private) == offset_of!(raw::ng_node, nd_private));
    assert!(offset_of!(Node, id) == offset_of!(raw::ng_node, nd_ID));
    assert!(offset_of!(Node, first_hook) == offset_of!(raw::ng_node, nd_hooks));
    assert!(offset_of!(Node, gate) == offset_of!(raw::ng_node, nd_input_queue));
    assert!(offset_of!(Node, references) == offset_of!(raw::ng_node, nd_refs));
    assert!(offset_of!(Node, vnet) == offset_of!(raw::ng_node, nd_vnet));
};

/// A reference to a node.
pub(crate) type NodeRef = Ref<Node>;

impl Node {
    /// A node that is nowhere, of a type that outlives it, with no references and no gate.
    pub(crate) fn blank(kind: *mut Kind, vnet: Vnet) -> Self {
        Self {
            name: [const { AtomicU8::new(0) }; 32],
            kind: AtomicPtr::new(kind),
            flags: AtomicI32::new(0),
            hook_count: AtomicI32::new(0),
            private: AtomicPtr::new(null_mut()),
            id: AtomicU32::new(0),
            first_hook: AtomicPtr::new(null_mut()),
            nodes: [0; 2],
            idnodes: [0; 2],
            gate: AtomicPtr::new(null_mut()),
            vnet_number: vnet.0,
            input_queue: [0; 13],
            references: AtomicU32::new(0),
            vnet: vnet_pointer(vnet),
        }
    }

    /// Makes a node of a registered type, in a vnet, with an ID and one reference.
    pub(crate) fn create(kind: &Ref<Kind>, vnet: Vnet) -> Result<NodeRef> {
        let memory = memory::allocate(Zone::Node, size_of::<Self>(), false).cast::<Self>();
        let memory = NonNull::new(memory).ok_or(ENOMEM)?;
        let node = Self::blank(kind.clone().into_raw(), vnet);
        node.references.store(1, Ordering::Relaxed);
        node.gate.store(Box::into_raw(Box::default()), Ordering::Relaxed);
        // SAFETY: new memory of this size, aligned as allocations are.
        unsafe { memory.write(node) };
        // SAFETY: the reference stored above.
        let node = unsafe { Ref::from_counted(memory) };
        state().topology().add_node(&node);
        Ok(node)
    }

    pub(crate) fn id(&self) -> u32 {
        self.id.load(Ordering::Relaxed)
    }

    pub(super) fn set_id(&self, id: u32) {
        self.id.store(id, Ordering::Relaxed);
    }

    pub(crate) fn vnet(&self) -> Vnet {
        Vnet(self.vnet_number)
    }

    /// The type.
    pub(crate) fn kind(&self) -> &Kind {
        // SAFETY: the node has a reference to its type until it is freed; the dead node's type lives as long as the state.
        unsafe { &*self.kind.load(Ordering::Relaxed) }
    }

    /// Who may work on the node.
    pub(crate) fn gate(&self) -> &Gate {
        // SAFETY: the box made in create, freed with the node; the dead node is never worked on.
        unsafe { &*self.gate.load(Ordering::Relaxed) }
    }

    pub(crate) fn is_valid(&self) -> bool {
        !self.has(INVALID)
    }

    /// Whether one of these flags is set.
    pub(crate) fn has(&self, flags: i32) -> bool {
        self.flags.load(Ordering::Acquire) & flags != 0
    }

    /// The name, empty if there is none.
    pub(crate) fn name(&self) -> Vec<u8> {
        read_name(&self.name)
    }

    /// How often the node is referred to.
    pub(crate) fn reference_count(&self) -> u32 {
        self.references.load(Ordering::Relaxed)
    }
}

impl NodeRef {
    /// The node as C knows it.
    pub(crate) fn as_raw(&self) -> *mut raw::ng_node {
        self.as_ptr().cast()
    }
}

impl Counted for Node {
    const WHAT: &'static str = "node";

    fn references(&self) -> &AtomicU32 {
        &self.references
    }

    unsafe fn free(this: NonNull<Self>) {
        // SAFETY: nobody has a reference any more (caller), and the memory is given back below.
        let node = unsafe { this.as_ref() };
        // Here others can still find the node: FreeBSD's window as well.
        yield_point();
        state().topology().remove_node(node);
        let kind = NonNull::new(node.kind.load(Ordering::Relaxed)).expect("a node has a type");
        // SAFETY: create leaked a reference to the type for the node.
        drop(unsafe { Ref::from_counted(kind) });
        // SAFETY: create leaked the box; items in its queue would have kept the node.
        drop(unsafe { Box::from_raw(node.gate.load(Ordering::Relaxed)) });
        // SAFETY: allocated in create, and no longer found by ID or name.
        unsafe { memory::release(Zone::Node, this.as_ptr().cast()) };
    }
}

/// The bytes of a C string that others may be writing.
pub(super) fn read_name(name: &[AtomicU8; 32]) -> Vec<u8> {
    let bytes = name.iter().map(|byte| byte.load(Ordering::Relaxed));
    bytes.take_while(|byte| *byte != 0).collect()
}

/// Writes a C string, cut to what fits.
pub(super) fn write_name(place: &[AtomicU8; 32], name: &[u8]) {
    let padded = name.iter().copied().take(31).chain(core::iter::repeat(0));
    for (place, byte) in place.iter().zip(padded) {
        place.store(byte, Ordering::Relaxed);
    }
}
