//! Node types: `struct ng_type`, and which of them are registered.

use core::ffi::{CStr, c_char};
use core::mem::offset_of;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use kpi::raw::kernel::modeventhand_t;
use kpi::raw::netgraph as raw;

use super::errors::{EBUSY, EEXIST, EINVAL, Result};
use super::reference::{Address, Counted, Ref};
use super::state;
use crate::faults::{self, Site};
use crate::report;

/// `struct ng_type`; it belongs to the module that registered it.
#[repr(C)]
pub(crate) struct Kind {
    pub(crate) version: u32,
    pub(super) name: *const c_char,
    pub(crate) mod_event: Option<modeventhand_t>,
    pub(crate) constructor: Option<raw::ng_node_method_t>,
    pub(crate) rcvmsg: Option<raw::ng_rcvmsg_t>,
    pub(crate) close: Option<raw::ng_node_method_t>,
    pub(crate) shutdown: Option<raw::ng_node_method_t>,
    pub(crate) newhook: Option<raw::ng_newhook_t>,
    pub(crate) findhook: Option<raw::ng_findhook_t>,
    pub(crate) connect: Option<raw::ng_hook_method_t>,
    pub(crate) rcvdata: Option<raw::ng_rcvdata_t>,
    pub(crate) disconnect: Option<raw::ng_hook_method_t>,
    pub(crate) cmdlist: *const raw::ng_cmdlist,
    pub(super) types: [usize; 2],
    pub(super) references: AtomicU32,
}

const _: () = {
    assert!(size_of::<Kind>() == size_of::<raw::ng_type>());
    assert!(offset_of!(Kind, name) == offset_of!(raw::ng_type, name));
    assert!(offset_of!(Kind, newhook) == offset_of!(raw::ng_type, newhook));
    assert!(offset_of!(Kind, cmdlist) == offset_of!(raw::ng_type, cmdlist));
    assert!(offset_of!(Kind, references) == offset_of!(raw::ng_type, refs));
};

impl Kind {
    /// A type without methods.
    pub(crate) const fn named(name: &'static CStr) -> Self {
        Self {
            version: raw::NG_ABI_VERSION,
            name: name.as_ptr(),
            mod_event: None,
            constructor: None,
            rcvmsg: None,
            close: None,
            shutdown: None,
            newhook: None,
            findhook: None,
            connect: None,
            rcvdata: None,
            disconnect: None,
            cmdlist: core::ptr::null(),
            types: [0; 2],
            references: AtomicU32::new(0),
        }
    }

    /// The name of the type.
    pub(crate) fn name(&self) -> &CStr {
        // SAFETY: a module's type has a name that lives as long as it does.
        unsafe { CStr::from_ptr(self.name) }
    }

    /// Nodes of this type, while it is registered.
    pub(crate) fn nodes(&self) -> u32 {
        self.references.load(Ordering::Acquire).saturating_sub(1)
    }

    /// Whether the type is registered, or still has nodes.
    pub(crate) fn is_in_use(&self) -> bool {
        self.references.load(Ordering::Acquire) != 0
    }
}

impl Counted for Kind {
    const WHAT: &'static str = "node type";

    fn references(&self) -> &AtomicU32 {
        &self.references
    }

    unsafe fn free(_this: NonNull<Self>) {
        // It is the module's. What unregisters it has taken it off the list before.
    }
}

/// Registers a type.
///
/// # Safety
/// The type stays in place until it is unregistered.
pub(crate) unsafe fn register(kind: NonNull<Kind>) -> Result {
    // SAFETY: valid (caller).
    let this = unsafe { kind.as_ref() };
    if this.version != state().abi_version() {
        report::note("Netgraph: Node type rejected. ABI mismatch. Suggest recompile");
        return Err(EINVAL);
    }
    if !(1..32).contains(&this.name().count_bytes()) {
        return Err(EINVAL);
    }
    let taken = faults::strikes(&Site::NewType, false);
    let mut topology = state().topology();
    if taken || topology.kind(this.name()).is_some() {
        return Err(EEXIST);
    }
    this.references.store(1, Ordering::Release);
    topology.kinds.insert(0, Address(kind));
    Ok(())
}

/// Unregisters a type that has no nodes.
///
/// # Safety
/// The type is valid.
pub(crate) unsafe fn unregister(kind: NonNull<Kind>) -> Result {
    let mut topology = state().topology();
    let Some(place) = topology.kinds.iter().position(|known| known.0 == kind) else {
        report::panic("a node type is unregistered that is not registered");
    };
    // SAFETY: valid (caller).
    let references = &unsafe { kind.as_ref() }.references;
    references
        .compare_exchange(1, 0, Ordering::AcqRel, Ordering::Acquire)
        .map_err(|_| EBUSY)?;
    topology.kinds.remove(place);
    Ok(())
}

/// Finds a registered type.
pub(crate) fn find(name: &CStr) -> Option<Ref<Kind>> {
    state().topology().kind(name)
}
