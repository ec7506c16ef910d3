//! What FreeBSD's linker and module loader read: node type, protocols, domain, sysctls, module metadata.
//!
//! The kernel finds all of it by section name (`set_…`, `sys/linker_set.h`); nothing here is called from Rust.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_int, c_void};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use kpi::counter::Counter;
use kpi::memory::MEMORY;
use kpi::netgraph::{descriptor, register, unregister};
use kpi::raw::domain::{PF_NETGRAPH, domain as raw_domain};
use kpi::raw::kernel::{
    MDT_DEPEND, MDT_MODULE, MDT_STRUCT_VERSION, MDT_VERSION, MOD_LOAD, MOD_QUIESCE, MOD_UNLOAD, SI_ORDER_ANY,
    SI_ORDER_THIRD, SI_SUB_KMEM, SI_SUB_PROTO_DOMAIN, mod_depend, mod_metadata, mod_version, module_register_init,
    moduledata, sysinit,
};
use kpi::raw::malloc::{malloc_init, malloc_uninit};
use kpi::raw::netgraph::{NG_ABI_INVARIANTS, NG_ABI_VERSION, ng_type};
use kpi::raw::ng_socket::{NG_CONTROL, NG_DATA};
use kpi::raw::protosw::protosw as raw_protosw;
use kpi::raw::sysctl::{
    CTLFLAG_MPSAFE, CTLFLAG_RD, CTLFLAG_RW, CTLFLAG_STATS, CTLTYPE_INT, CTLTYPE_NODE, CTLTYPE_U64, CTLTYPE_ULONG,
    OID_AUTO, sysctl___net_graph, sysctl_handle_counter_u64, sysctl_handle_int, sysctl_handle_long, sysctl_handler,
    sysctl_oid,
};
use kpi::shared::{SyncCell, SyncConst};
use kpi::socket::{Drained, SocketList, domain, install, protosw, socket_count};
use kpi::thread::log;
use kpi::{Errno, Result};

use crate::ascii::commands;
use crate::control::Control;
use crate::counters::{self, NODES};
use crate::data::Data;
use crate::node::SocketType;

/// The node type, for [`SocketType`].
pub(crate) static NODE_TYPE: SyncCell<ng_type> = SyncCell::new(descriptor::<SocketType>(c"socket", commands()));

// SAFETY: a control socket lets go of its socket when it is detached: see its implementation.
static CONTROL: SyncCell<raw_protosw> = SyncCell::new(unsafe { protosw::<Control>() });
// SAFETY: so does a data socket.
static DATA: SyncCell<raw_protosw> = SyncCell::new(unsafe { protosw::<Data>() });
// A protocol number of 0 finds the first: control.
static DOMAIN: SyncCell<raw_domain> = SyncCell::new(domain(c"netgraph", [CONTROL.get(), DATA.get()]));

/// netstat(1) reads this through the kernel's symbols.
// SAFETY: the module's only symbol of this name, which the C module has as well.
#[cfg_attr(target_os = "none", unsafe(export_name = "ngsocklist"))]
static SOCKETS: SocketList = SocketList::new();

/// The list both kinds of sockets are in.
pub(crate) fn sockets() -> &'static SocketList {
    &SOCKETS
}

/// `modeventhand_t`
unsafe extern "C" fn module_event(module: *mut c_void, event: c_int, _: *mut c_void) -> c_int {
    let done = match event {
        // SAFETY: the module system passes the module, and sends the event once.
        MOD_LOAD => unsafe { load(module) },
        MOD_QUIESCE if in_use() => Err(Errno::EBUSY),
        MOD_QUIESCE => Ok(()),
        // SAFETY: as above; it follows a load that succeeded.
        MOD_UNLOAD => unsafe { unload(module) },
        _ => Err(Errno::EOPNOTSUPP),
    };
    done.err().map_or(0, Errno::get)
}

/// Type first, sockets last, so that a load that fails leaves nothing behind.
///
/// # Errors
/// netgraph refuses the node type; a line in the message buffer says so.
///
/// # Safety
/// `module` is the module that is being loaded.
unsafe fn load(module: *mut c_void) -> Result {
    SOCKETS.init();
    for counter in counters::ALL {
        counter.init();
    }
    // SAFETY: the caller passes the module.
    if let Err(errno) = unsafe { register::<SocketType>(module) } {
        log(
            c"not loaded: netgraph refuses the node type \"socket\"; is another ng_socket in the kernel, or is the \
              kernel built with other netgraph options?",
        );
        // SAFETY: the domain is not installed yet, so that no socket can be made.
        unsafe { destroy() };
        return Err(errno);
    }
    // SAFETY: all of it are statics of the module; sysinits and kldload(2) run in the host's virtual network, and a module is
    // loaded once.
    unsafe { install(DOMAIN.get()) };
    log(CStr::from_bytes_until_nul(GREETING.as_bytes()).unwrap_or(c"ng_socket"));
    Ok(())
}

/// Whether anything would call into the module, or be missed, if it were gone.
fn in_use() -> bool {
    socket_count() != 0 || NODES.load(Ordering::SeqCst) != 0
}

/// Takes everything back: first the door is closed to new sockets, and opened again if it turns out that the module is
/// needed.
///
/// A node's data outlives its sockets while a message it sent is on its way, whose callback is ours; so it counts, too.
///
/// # Errors
/// `EBUSY`: there are sockets or nodes.
///
/// # Safety
/// `module` is the module that is being unloaded.
unsafe fn unload(module: *mut c_void) -> Result {
    let drained = Drained::new()?;
    if in_use() {
        return Err(Errno::EBUSY);
    }
    // SAFETY: the caller passes the module; without sockets nobody makes nodes.
    unsafe { unregister::<SocketType>(module) }?;
    // SAFETY: load installed the domain, and only its sockets call the protocols.
    unsafe { drained.uninstall(DOMAIN.get()) };
    // SAFETY: there are no nodes of the type, and uninstall waited for those who were on their way out.
    unsafe { kpi::netgraph::forget() };
    // SAFETY: as above.
    unsafe { destroy() };
    Ok(())
}

/// Gives up what [`load`] made first.
///
/// # Safety
/// There are no sockets and no nodes, and there will be none.
unsafe fn destroy() {
    // SAFETY: without sockets nobody uses the list (caller).
    unsafe { SOCKETS.destroy() };
    for counter in counters::ALL {
        // SAFETY: nobody counts (caller), and the sysctls of a module that is not loaded are not served.
        unsafe { counter.destroy() };
    }
}

/// The line that says who is there, and for which ABI.
#[cfg(not(feature = "freebsd15"))]
const GREETING: &str = concat!("ngforge ", env!("CARGO_PKG_VERSION"), ", in Rust, for FreeBSD 14\0");
/// The line that says who is there, and for which ABI.
#[cfg(feature = "freebsd15")]
const GREETING: &str = concat!("ngforge ", env!("CARGO_PKG_VERSION"), ", in Rust, for FreeBSD 15\0");

static MODULE: SyncCell<moduledata> = SyncCell::new(moduledata {
    name: c"ng_socket".as_ptr(),
    evhand: Some(module_event),
    private: core::ptr::null_mut(),
});

/// Puts a pointer to a static into a linker set; `$list` is the same set for the hosted kernel, which links the module.
macro_rules! linker_set {
    ($list:ident = $set:literal: $($entry:ident => $kind:ty = $value:expr;)*) => {
        $(
            static $entry: SyncCell<$kind> = SyncCell::new($value);
            const _: () = {
                // SAFETY: the section is the linker set that holds pointers to this kind of structure.
                #[cfg_attr(target_os = "none", unsafe(link_section = $set), used)]
                static MEMBER: SyncCell<*mut $kind> = SyncCell::new($entry.get());
            };
        )*
        #[cfg(not(target_os = "none"))]
        #[doc = concat!("The linker set `", $set, "`.")]
        pub static $list: SyncCell<[*mut c_void; [$(stringify!($entry)),*].len()]> =
            SyncCell::new([$($entry.get().cast::<c_void>()),*]);
    };
}

/// What a kernel changes in the module's own statics, other than through its methods: address and length in bytes. Loaded
/// from a file, all of it is new each time; linked into a program, it is to be set back.
#[cfg(not(target_os = "none"))]
pub static WRITTEN_BY_KERNEL: SyncConst<[(*mut c_void, usize); 5]> = SyncConst([
    (NODE_TYPE.get().cast(), size_of::<ng_type>()),
    (CONTROL.get().cast(), size_of::<raw_protosw>()),
    (DATA.get().cast(), size_of::<raw_protosw>()),
    (DOMAIN.get().cast(), size_of::<raw_domain>()),
    (MEMORY.get().cast(), size_of::<kpi::raw::malloc::malloc_type>()),
]);

const fn init(subsystem: u32, order: u32, func: unsafe extern "C" fn(*const c_void), udata: *const c_void) -> sysinit {
    sysinit {
        subsystem,
        order,
        next: core::ptr::null_mut(),
        func: Some(func),
        udata,
    }
}

linker_set! { SYSINITS = "set_sysinit_set":
    MALLOC_INIT => sysinit = init(SI_SUB_KMEM, SI_ORDER_THIRD, malloc_init, MEMORY.get().cast());
    MODULE_INIT => sysinit = init(SI_SUB_PROTO_DOMAIN, SI_ORDER_ANY, module_register_init, MODULE.get().cast());
}

linker_set! { SYSUNINITS = "set_sysuninit_set":
    MALLOC_UNINIT => sysinit = init(SI_SUB_KMEM, SI_ORDER_ANY, malloc_uninit, MEMORY.get().cast());
}

/// The kernels this build is for: every one of a release series.
#[cfg(not(feature = "freebsd15"))]
const KERNELS: mod_depend = mod_depend {
    md_ver_minimum: 1_400_000,
    md_ver_preferred: 1_400_507,
    md_ver_maximum: 1_499_999,
};
/// The kernels this build is for: every one of a release series.
#[cfg(feature = "freebsd15")]
const KERNELS: mod_depend = mod_depend {
    md_ver_minimum: 1_500_000,
    md_ver_preferred: 1_500_068,
    md_ver_maximum: 1_599_999,
};

const NETGRAPH: c_int = NG_ABI_VERSION as c_int;

static DEPEND_KERNEL: SyncConst<mod_depend> = SyncConst(KERNELS);
/// The most that netgraph may say it is: 15 with `INVARIANTS` has another number, and the same structures.
const NETGRAPH_MAXIMUM: c_int = if cfg!(feature = "freebsd15") {
    (NG_ABI_VERSION | NG_ABI_INVARIANTS) as c_int
} else {
    NETGRAPH
};
static DEPEND_NETGRAPH: SyncConst<mod_depend> = SyncConst(mod_depend {
    md_ver_minimum: NETGRAPH,
    md_ver_preferred: NETGRAPH,
    md_ver_maximum: NETGRAPH_MAXIMUM,
});
static VERSION: SyncConst<mod_version> = SyncConst(mod_version { mv_version: 1 });

const fn metadata(kind: c_int, data: *const c_void, name: &'static CStr) -> mod_metadata {
    mod_metadata {
        md_version: MDT_STRUCT_VERSION,
        md_type: kind,
        md_data: data,
        md_cval: name.as_ptr(),
    }
}

linker_set! { METADATA = "set_modmetadata_set":
    MD_MODULE => mod_metadata = metadata(MDT_MODULE, MODULE.get().cast(), c"ng_socket");
    MD_VERSION => mod_metadata = metadata(MDT_VERSION, (&raw const VERSION.0).cast(), c"ng_socket");
    MD_KERNEL => mod_metadata = metadata(MDT_DEPEND, (&raw const DEPEND_KERNEL.0).cast(), c"kernel");
    MD_NETGRAPH => mod_metadata = metadata(MDT_DEPEND, (&raw const DEPEND_NETGRAPH.0).cast(), c"netgraph");
}

const fn oid(
    parent: *mut c_void,
    kind: u32,
    name: &'static CStr,
    handler: Option<sysctl_handler>,
    format: &'static CStr,
    description: &'static CStr,
) -> sysctl_oid {
    sysctl_oid {
        oid_children: core::ptr::null_mut(),
        oid_parent: parent,
        oid_link: [0; 3],
        oid_number: OID_AUTO,
        oid_kind: kind,
        oid_arg1: core::ptr::null_mut(),
        oid_arg2: 0,
        oid_name: name.as_ptr(),
        oid_handler: handler,
        oid_fmt: format.as_ptr(),
        oid_refcnt: 0,
        oid_running: 0,
        oid_descr: description.as_ptr(),
        oid_label: core::ptr::null(),
    }
}

/// A node below `parent`.
const fn node(parent: *mut c_void, name: &'static CStr, description: &'static CStr) -> sysctl_oid {
    oid(
        parent,
        CTLTYPE_NODE | CTLFLAG_RW | CTLFLAG_MPSAFE,
        name,
        None,
        c"N",
        description,
    )
}

/// A constant int.
const fn int(parent: *mut c_void, name: &'static CStr, value: c_int, description: &'static CStr) -> sysctl_oid {
    let kind = CTLTYPE_INT | CTLFLAG_RD | CTLFLAG_MPSAFE;
    let mut oid = oid(parent, kind, name, Some(sysctl_handle_int), c"I", description);
    // Without a variable the handler shows the second argument.
    oid.oid_arg2 = value as isize;
    oid
}

/// How many there are of something.
const fn gauge(
    parent: *mut c_void,
    name: &'static CStr,
    value: &'static AtomicU32,
    description: &'static CStr,
) -> sysctl_oid {
    let kind = CTLTYPE_INT | CTLFLAG_RD | CTLFLAG_MPSAFE;
    let mut oid = oid(parent, kind, name, Some(sysctl_handle_int), c"I", description);
    oid.oid_arg1 = value.as_ptr().cast();
    oid
}

/// A counter, which writing sets to 0.
const fn count(
    parent: *mut c_void,
    name: &'static CStr,
    value: &'static Counter,
    description: &'static CStr,
) -> sysctl_oid {
    let kind = CTLTYPE_U64 | CTLFLAG_RW | CTLFLAG_MPSAFE | CTLFLAG_STATS;
    let handler = Some(sysctl_handle_counter_u64 as sysctl_handler);
    let mut oid = oid(parent, kind, name, handler, c"QU", description);
    oid.oid_arg1 = value.place().cast();
    oid
}

/// A writable unsigned long.
const fn ulong(name: &'static CStr, value: &'static AtomicU64, description: &'static CStr) -> sysctl_oid {
    let kind = CTLTYPE_ULONG | CTLFLAG_RW | CTLFLAG_MPSAFE;
    let mut oid = oid(NET_GRAPH, kind, name, Some(sysctl_handle_long), c"LU", description);
    oid.oid_arg1 = value.as_ptr().cast();
    oid
}

/// A parent's list of children is its first member, so that the two have the same address.
const NET_GRAPH: *mut c_void = (&raw mut sysctl___net_graph).cast();

const SOCKET: *mut c_void = SYSCTL_SOCKET.get().cast();
const DROPS: *mut c_void = SYSCTL_DROPS.get().cast();

linker_set! { SYSCTLS = "set_sysctl_set":
    SYSCTL_MAXDGRAM => sysctl_oid =
        ulong(c"maxdgram", &crate::MAX_DATAGRAM, c"Largest netgraph datagram that can be sent, in bytes");
    SYSCTL_RECVSPACE => sysctl_oid =
        ulong(c"recvspace", &crate::RECEIVE_SPACE, c"Room for received netgraph datagrams, in bytes");
    SYSCTL_FAMILY => sysctl_oid = int(NET_GRAPH, c"family", PF_NETGRAPH, c"PF_NETGRAPH");
    SYSCTL_DATA => sysctl_oid = node(NET_GRAPH, c"data", c"Data sockets");
    SYSCTL_DATA_PROTO => sysctl_oid = int(SYSCTL_DATA.get().cast(), c"proto", NG_DATA, c"NG_DATA");
    SYSCTL_CONTROL => sysctl_oid = node(NET_GRAPH, c"control", c"Control sockets");
    SYSCTL_SOCKET => sysctl_oid = node(NET_GRAPH, c"socket", c"Socket nodes");
    SYSCTL_NODES => sysctl_oid = gauge(SOCKET, c"nodes", &NODES, c"Socket nodes there are");
    SYSCTL_CONTROL_IN => sysctl_oid =
        count(SOCKET, c"control_in", &counters::CONTROL_IN, c"Messages delivered to control sockets");
    SYSCTL_CONTROL_OUT => sysctl_oid =
        count(SOCKET, c"control_out", &counters::CONTROL_OUT, c"Messages that control sockets sent");
    SYSCTL_DATA_IN => sysctl_oid = count(SOCKET, c"data_in", &counters::DATA_IN, c"Packets delivered to data sockets");
    SYSCTL_DATA_OUT => sysctl_oid = count(SOCKET, c"data_out", &counters::DATA_OUT, c"Packets that data sockets sent");
    SYSCTL_REFUSED => sysctl_oid = count(SOCKET, c"refused", &counters::REFUSED, c"Hooks that policies refused");
    SYSCTL_DROPS => sysctl_oid = node(SOCKET, c"drops", c"What was dropped, and why");
    SYSCTL_NO_LISTENER => sysctl_oid =
        count(DROPS, c"no_listener", &counters::NO_LISTENER, c"Packets for nodes without a data socket");
    SYSCTL_FULL => sysctl_oid = count(DROPS, c"full", &counters::FULL, c"Packets that found the receive buffer full");
    SYSCTL_NO_HEADER => sysctl_oid =
        count(DROPS, c"no_header", &counters::NO_HEADER, c"Packets without a packet header");
    SYSCTL_CONTROL_LOST => sysctl_oid =
        count(DROPS, c"control", &counters::CONTROL_LOST, c"Messages that did not fit into the receive buffer");
    SYSCTL_EVENTS_LOST => sysctl_oid =
        count(DROPS, c"events", &counters::EVENTS_LOST, c"Events that did not fit into the receive buffer");
    SYSCTL_CONTROL_PROTO => sysctl_oid = int(SYSCTL_CONTROL.get().cast(), c"proto", NG_CONTROL, c"NG_CONTROL");
}

/// The panic handler calls what no kernel has. The build sees the undefined symbol and refuses the module.
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn ngforge_panic_is_reachable() -> !;
    }
    // SAFETY: never runs: an object with this symbol in it is not emitted.
    unsafe { ngforge_panic_is_reachable() }
}
