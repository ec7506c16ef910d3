//! What FreeBSD's linker and module loader read: node type, protocols, domain, sysctls, module metadata.
//!
//! The kernel finds all of it by section name (`set_…`, `sys/linker_set.h`); nothing here is called from Rust.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_int, c_void};
use core::sync::atomic::AtomicU64;

use kpi::Errno;
use kpi::memory::MEMORY;
use kpi::netgraph::{descriptor, register};
use kpi::raw::domain::{PF_NETGRAPH, domain as raw_domain};
use kpi::raw::kernel::{
    MDT_DEPEND, MDT_MODULE, MDT_STRUCT_VERSION, MDT_VERSION, MOD_LOAD, MOD_UNLOAD, SI_ORDER_ANY, SI_ORDER_THIRD,
    SI_SUB_KMEM, SI_SUB_PROTO_DOMAIN, mod_depend, mod_metadata, mod_version, module_register_init, moduledata, sysinit,
};
use kpi::raw::malloc::{malloc_init, malloc_uninit};
use kpi::raw::netgraph::{NG_ABI_VERSION, ng_cmdlist, ng_type};
use kpi::raw::ng_socket::{NG_CONTROL, NG_DATA, NGM_SOCK_CMD_LINGER, NGM_SOCK_CMD_NOLINGER, NGM_SOCKET_COOKIE};
use kpi::raw::protosw::protosw as raw_protosw;
use kpi::raw::sysctl::{
    CTLFLAG_MPSAFE, CTLFLAG_RD, CTLFLAG_RW, CTLTYPE_INT, CTLTYPE_NODE, CTLTYPE_ULONG, OID_AUTO, sysctl___net_graph,
    sysctl_handle_int, sysctl_handle_long, sysctl_handler, sysctl_oid,
};
use kpi::shared::{SyncCell, SyncConst};
use kpi::socket::{Protocol, domain, install, protosw};
use kpi::thread::log;

use crate::control::Control;
use crate::data::Data;
use crate::node::SocketType;

const fn command(cmd: u32, name: &'static CStr) -> ng_cmdlist {
    let no_arguments = core::ptr::null();
    let cookie = NGM_SOCKET_COOKIE;
    ng_cmdlist {
        cookie,
        cmd: cmd as c_int,
        name: name.as_ptr(),
        mesgType: no_arguments,
        respType: no_arguments,
    }
}

/// The commands' ASCII forms, so that `ngctl msg` knows them; an empty entry ends the list.
static COMMANDS: SyncConst<[ng_cmdlist; 3]> = SyncConst([
    command(NGM_SOCK_CMD_NOLINGER, c"nolinger"),
    command(NGM_SOCK_CMD_LINGER, c"linger"),
    ng_cmdlist {
        cookie: 0,
        cmd: 0,
        name: core::ptr::null(),
        mesgType: core::ptr::null(),
        respType: core::ptr::null(),
    },
]);

/// The node type, for [`SocketType`].
pub(crate) static NODE_TYPE: SyncCell<ng_type> =
    SyncCell::new(descriptor::<SocketType>(c"socket", (&raw const COMMANDS.0).cast()));

static CONTROL: SyncCell<raw_protosw> = SyncCell::new(protosw::<Control>());
static DATA: SyncCell<raw_protosw> = SyncCell::new(protosw::<Data>());
// A protocol number of 0 finds the first: control.
static DOMAIN: SyncCell<raw_domain> = SyncCell::new(domain(c"netgraph", [CONTROL.get(), DATA.get()]));

/// `modeventhand_t`: type first, sockets last, so that a load that fails leaves nothing behind.
unsafe extern "C" fn module_event(module: *mut c_void, event: c_int, _: *mut c_void) -> c_int {
    match event {
        MOD_LOAD => {
            <Control as Protocol>::sockets().init();
            // SAFETY: the module system passes the module.
            if let Err(errno) = unsafe { register::<SocketType>(module) } {
                log(
                    c"not loaded: netgraph refuses the node type \"socket\"; is another ng_socket in the kernel, or is the \
                      kernel built with other netgraph options?",
                );
                // SAFETY: the domain is not installed yet, so that no socket can be made.
                unsafe { <Control as Protocol>::sockets().destroy() };
                return errno.get();
            }
            // SAFETY: all of it are statics of the module, in the order Control, Data; sysinits and kldload(2) run in
            // the host's virtual network, and the module system sends MOD_LOAD once.
            unsafe { install::<Control, Data>(DOMAIN.get()) };
            log(CStr::from_bytes_until_nul(GREETING.as_bytes()).unwrap_or(c"ng_socket"));
            0
        }
        // A socket may be using the domain; there is no way to tell all of its users to stop.
        MOD_UNLOAD => Errno::EBUSY.get(),
        _ => Errno::EOPNOTSUPP.get(),
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
static DEPEND_NETGRAPH: SyncConst<mod_depend> = SyncConst(mod_depend {
    md_ver_minimum: NETGRAPH,
    md_ver_preferred: NETGRAPH,
    md_ver_maximum: NETGRAPH,
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

/// A writable unsigned long.
const fn ulong(name: &'static CStr, value: &'static AtomicU64, description: &'static CStr) -> sysctl_oid {
    let kind = CTLTYPE_ULONG | CTLFLAG_RW | CTLFLAG_MPSAFE;
    let mut oid = oid(NET_GRAPH, kind, name, Some(sysctl_handle_long), c"LU", description);
    oid.oid_arg1 = value.as_ptr().cast();
    oid
}

/// A parent's list of children is its first member, so that the two have the same address.
const NET_GRAPH: *mut c_void = (&raw mut sysctl___net_graph).cast();

linker_set! { SYSCTLS = "set_sysctl_set":
    SYSCTL_MAXDGRAM => sysctl_oid =
        ulong(c"maxdgram", &crate::MAX_DATAGRAM, c"Largest netgraph datagram that can be sent, in bytes");
    SYSCTL_RECVSPACE => sysctl_oid =
        ulong(c"recvspace", &crate::RECEIVE_SPACE, c"Room for received netgraph datagrams, in bytes");
    SYSCTL_FAMILY => sysctl_oid = int(NET_GRAPH, c"family", PF_NETGRAPH, c"PF_NETGRAPH");
    SYSCTL_DATA => sysctl_oid = node(NET_GRAPH, c"data", c"Data sockets");
    SYSCTL_DATA_PROTO => sysctl_oid = int(SYSCTL_DATA.get().cast(), c"proto", NG_DATA, c"NG_DATA");
    SYSCTL_CONTROL => sysctl_oid = node(NET_GRAPH, c"control", c"Control sockets");
    SYSCTL_CONTROL_PROTO => sysctl_oid = int(SYSCTL_CONTROL.get().cast(), c"proto", NG_CONTROL, c"NG_CONTROL");
}
