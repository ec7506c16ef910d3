//! `netgraph/netgraph.h`, for kernels without `NETGRAPH_DEBUG`.

use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};

use super::kernel::modeventhand_t;
use super::mbuf::mbuf;
use super::ng_message::ng_mesg;
use super::ng_parse::ng_parse_type;
use super::{constants, layout};

pub type ng_rcvmsg_t = unsafe extern "C" fn(*mut ng_node, *mut ng_item, *mut ng_hook) -> c_int;
pub type ng_rcvdata_t = unsafe extern "C" fn(*mut ng_hook, *mut ng_item) -> c_int;
pub type ng_node_method_t = unsafe extern "C" fn(*mut ng_node) -> c_int;
pub type ng_newhook_t = unsafe extern "C" fn(*mut ng_node, *mut ng_hook, *const c_char) -> c_int;
pub type ng_findhook_t = unsafe extern "C" fn(*mut ng_node, *const c_char) -> *mut ng_hook;
pub type ng_hook_method_t = unsafe extern "C" fn(*mut ng_hook) -> c_int;

#[repr(C)]
pub struct ng_node {
    pub nd_name: [u8; 32],
    pub nd_type: *mut ng_type,
    pub nd_flags: c_int,
    pub nd_numhooks: c_int,
    pub nd_private: *mut c_void,
    pub nd_ID: u32,
    pub nd_hooks: *mut ng_hook,
    pub nd_nodes: [usize; 2],
    pub nd_idnodes: [usize; 2],
    pub nd_input_queue: [u64; 8],
    pub nd_refs: c_uint,
    pub nd_vnet: *mut c_void,
}
layout!(NG_NODE: ng_node = "struct ng_node", size 184;
    nd_name = "nd_name" @ 0, nd_type = "nd_type" @ 32, nd_flags = "nd_flags" @ 40, nd_numhooks = "nd_numhooks" @ 44,
    nd_private = "nd_private" @ 48, nd_ID = "nd_ID" @ 56, nd_hooks = "nd_hooks" @ 64, nd_nodes = "nd_nodes" @ 72,
    nd_idnodes = "nd_idnodes" @ 88, nd_input_queue = "nd_input_queue" @ 104, nd_refs = "nd_refs" @ 168,
    nd_vnet = "nd_vnet" @ 176);

#[repr(C)]
pub struct ng_hook {
    pub hk_name: [u8; 32],
    pub hk_private: *mut c_void,
    pub hk_flags: c_int,
    pub hk_type: c_int,
    pub hk_peer: *mut ng_hook,
    pub hk_node: *mut ng_node,
    pub hk_hooks: [usize; 2],
    pub hk_rcvmsg: Option<ng_rcvmsg_t>,
    pub hk_rcvdata: Option<ng_rcvdata_t>,
    pub hk_refs: c_uint,
}
layout!(NG_HOOK: ng_hook = "struct ng_hook", size 104;
    hk_name = "hk_name" @ 0, hk_private = "hk_private" @ 32, hk_flags = "hk_flags" @ 40, hk_type = "hk_type" @ 44,
    hk_peer = "hk_peer" @ 48, hk_node = "hk_node" @ 56, hk_hooks = "hk_hooks" @ 64, hk_rcvmsg = "hk_rcvmsg" @ 80,
    hk_rcvdata = "hk_rcvdata" @ 88, hk_refs = "hk_refs" @ 96);

#[repr(C)]
pub struct ng_apply_info {
    pub apply: Option<unsafe extern "C" fn(*mut c_void, c_int)>,
    pub context: *mut c_void,
    pub refs: c_int,
    pub error: c_int,
}
layout!(NG_APPLY_INFO: ng_apply_info = "struct ng_apply_info", size 24;
    apply = "apply" @ 0, context = "context" @ 8, refs = "refs" @ 16, error = "error" @ 20);

#[repr(C)]
pub struct ng_item {
    pub el_flags: c_ulong,
    pub el_next: *mut ng_item,
    pub el_dest: *mut ng_node,
    pub el_hook: *mut ng_hook,
    /// `body.da_m` of a data item, `body.msg.msg_msg` of a message.
    pub body: *mut c_void,
    pub msg_retaddr: u32,
    pub body_rest: u64,
    pub apply: *mut ng_apply_info,
    pub depth: c_uint,
}
layout!(NG_ITEM: ng_item = "struct ng_item", size 72;
    el_flags = "el_flags" @ 0, el_next = "el_next" @ 8, el_dest = "el_dest" @ 16, el_hook = "el_hook" @ 24,
    body = "body.da_m" @ 32, msg_retaddr = "body.msg.msg_retaddr" @ 40, apply = "apply" @ 56, depth = "depth" @ 64);

#[repr(C)]
pub struct ng_cmdlist {
    pub cookie: u32,
    pub cmd: c_int,
    pub name: *const c_char,
    pub mesgType: *const ng_parse_type,
    pub respType: *const ng_parse_type,
}
layout!(NG_CMDLIST: ng_cmdlist = "struct ng_cmdlist", size 32;
    cookie = "cookie" @ 0, cmd = "cmd" @ 4, name = "name" @ 8, mesgType = "mesgType" @ 16, respType = "respType" @ 24);

#[repr(C)]
pub struct ng_type {
    pub version: u32,
    pub name: *const c_char,
    pub mod_event: Option<modeventhand_t>,
    pub constructor: Option<ng_node_method_t>,
    pub rcvmsg: Option<ng_rcvmsg_t>,
    pub close: Option<ng_node_method_t>,
    pub shutdown: Option<ng_node_method_t>,
    pub newhook: Option<ng_newhook_t>,
    pub findhook: Option<ng_findhook_t>,
    pub connect: Option<ng_hook_method_t>,
    pub rcvdata: Option<ng_rcvdata_t>,
    pub disconnect: Option<ng_hook_method_t>,
    pub cmdlist: *const ng_cmdlist,
    pub types: [usize; 2],
    pub refs: c_int,
}
layout!(NG_TYPE: ng_type = "struct ng_type", size 128;
    version = "version" @ 0, name = "name" @ 8, mod_event = "mod_event" @ 16, constructor = "constructor" @ 24,
    rcvmsg = "rcvmsg" @ 32, close = "close" @ 40, shutdown = "shutdown" @ 48, newhook = "newhook" @ 56,
    findhook = "findhook" @ 64, connect = "connect" @ 72, rcvdata = "rcvdata" @ 80, disconnect = "disconnect" @ 88,
    cmdlist = "cmdlist" @ 96, types = "types" @ 104, refs = "refs" @ 120);

constants! {
    NG_ABI_VERSION: u32 = 12;
    NGF_INVALID: c_int = 1;
    HK_INVALID: c_int = 1;
    NG_NOFLAGS: c_int = 0;
    NG_QUEUE: c_int = 1;
    NG_WAITOK: c_int = 2;
    NG_PROGRESS: c_int = 4;
}

/// What FreeBSD 15 adds to [`NG_ABI_VERSION`] when the kernel is built with `INVARIANTS`; the structures are the same.
pub const NG_ABI_INVARIANTS: u32 = 0x2_0000;

unsafe extern "C" {
    pub fn ng_make_node_common(kind: *mut ng_type, nodepp: *mut *mut ng_node) -> c_int;
    pub fn ng_name_node(node: *mut ng_node, name: *const c_char) -> c_int;
    pub fn ng_rmnode_self(node: *mut ng_node) -> c_int;
    pub fn ng_unref_node(node: *mut ng_node);
    pub fn ng_unref_hook(hook: *mut ng_hook);
    pub fn ng_findtype(name: *const c_char) -> *mut ng_type;
    pub fn ng_mod_event(module: *mut c_void, event: c_int, data: *mut c_void) -> c_int;
    /// Frees `m` when there is no item to be had.
    pub fn ng_package_data(m: *mut mbuf, flags: c_int) -> *mut ng_item;
    /// Frees `msg` when there is no item to be had.
    pub fn ng_package_msg(msg: *mut ng_mesg, flags: c_int) -> *mut ng_item;
    /// Frees `item` when it fails.
    pub fn ng_address_path(here: *mut ng_node, item: *mut ng_item, address: *const c_char, retaddr: u32) -> c_int;
    /// Frees `item` when it fails.
    pub fn ng_address_ID(here: *mut ng_node, item: *mut ng_item, id: u32, retaddr: u32) -> c_int;
    /// Frees `item` when it fails.
    pub fn ng_address_hook(here: *mut ng_node, item: *mut ng_item, hook: *mut ng_hook, retaddr: u32) -> c_int;
    /// Consumes `item` whatever it returns.
    pub fn ng_snd_item(item: *mut ng_item, flags: c_int) -> c_int;
    pub fn ng_free_item(item: *mut ng_item);
}
