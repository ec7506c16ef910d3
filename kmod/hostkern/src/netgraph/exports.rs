//! What modules call.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::{NonNull, null_mut};

use kpi::raw::kernel::{MOD_LOAD, MOD_UNLOAD};
use kpi::raw::mbuf::mbuf;
use kpi::raw::netgraph::{NG_WAITOK, ng_hook, ng_item, ng_node, ng_type};
use kpi::raw::ng_message::ng_mesg;

use super::errors::{EBUSY, EINVAL, ENETDOWN, EOPNOTSUPP, Result, check, to_c};
use super::hook::HookRef;
use super::item::Item;
use super::kind::{self, Kind};
use super::message::Message;
use super::node::{Node, NodeRef};
use super::reference::Ref;
use super::{connect, generic, path, send, state};
use crate::sync::yield_point;
use crate::{report, thread};

/// The type behind a pointer that C passes.
fn kind_at(kind: *mut ng_type) -> NonNull<Kind> {
    match NonNull::new(kind.cast()) {
        Some(kind) => kind,
        None => report::panic("a node type is null"),
    }
}

/// Makes a reference to a node that C passes; `None` for null and for the dead node.
///
/// # Safety
/// The node is null or alive.
unsafe fn borrowed_node(node: *mut ng_node) -> Option<NodeRef> {
    let node = NonNull::new(node.cast::<Node>()).filter(|node| !state().is_dead_node(*node))?;
    // SAFETY: alive (caller).
    let node = unsafe { Ref::acquire(node) };
    if node.is_none() {
        report::panic("a node is used whose last reference was dropped");
    }
    node
}

/// As [`borrowed_node`], where FreeBSD reads the node at once, so that null is a fault.
///
/// # Safety
/// The node is null or alive.
unsafe fn needed_node(node: *mut ng_node, caller: &str) -> Option<NodeRef> {
    if node.is_null() {
        report::panic(&format!("{caller}: the node is a null pointer"));
    }
    // SAFETY: as the caller says.
    unsafe { borrowed_node(node) }
}

/// Takes an item over that C passes.
///
/// # Safety
/// The item is valid, and the caller's no more.
unsafe fn owned_item(item: *mut ng_item) -> Item {
    match NonNull::new(item) {
        // SAFETY: as the caller says.
        Some(item) => unsafe { Item::from_raw(item) },
        None => report::panic("an item is null"),
    }
}

/// Makes a node of a registered type, in the caller's vnet, with one reference.
///
/// # Safety
/// As netgraph(9): `kind` is valid, `node` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_make_node_common(kind: *mut ng_type, node: *mut *mut ng_node) -> c_int {
    yield_point();
    // SAFETY: valid (caller).
    let name = unsafe { kind_at(kind).as_ref() }.name();
    let made = kind::find(name)
        .ok_or(EINVAL)
        .and_then(|kind| Node::create(&kind, thread::vnet()));
    match made {
        Ok(made) => {
            // SAFETY: the caller's variable.
            unsafe { node.write(made.into_raw().cast()) };
            0
        }
        Err(error) => error,
    }
}

/// Names a node.
///
/// # Safety
/// As netgraph(9): both are valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_name_node(node: *mut ng_node, name: *const c_char) -> c_int {
    yield_point();
    // SAFETY: valid (caller).
    let name = unsafe { CStr::from_ptr(name) };
    // SAFETY: valid (caller).
    let node = unsafe { needed_node(node, "ng_name_node") };
    to_c(node.ok_or(EINVAL).and_then(|node| generic::name(&node, name)))
}

/// Has a node removed, as its writer.
///
/// # Safety
/// As netgraph(9): the node is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_rmnode_self(node: *mut ng_node) -> c_int {
    yield_point();
    // SAFETY: valid (caller).
    let node = unsafe { needed_node(node, "ng_rmnode_self") };
    node.map_or(0, |node| connect::remove_later(&node))
}

/// Has a hook removed, by the writer of its node.
///
/// # Safety
/// As netgraph(9): the hook is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_rmhook_self(hook: *mut ng_hook) -> c_int {
    connect::borrowed_hook(hook.cast()).map_or(0, |hook| connect::remove_hook_later(&hook))
}

/// Drops a reference to a node.
///
/// # Safety
/// The reference is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_unref_node(node: *mut ng_node) {
    yield_point();
    let node = NonNull::new(node.cast::<Node>()).filter(|node| !state().is_dead_node(*node));
    // SAFETY: the caller's reference.
    drop(node.map(|node| unsafe { NodeRef::from_counted(node) }));
}

/// Drops a reference to a hook.
///
/// # Safety
/// The reference is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_unref_hook(hook: *mut ng_hook) {
    yield_point();
    let hook = NonNull::new(hook.cast()).filter(|hook| hook.as_ptr() != state().dead_hook());
    // SAFETY: the caller's reference.
    drop(hook.map(|hook| unsafe { HookRef::from_counted(hook) }));
}

/// A node's hook by name, without a reference.
///
/// # Safety
/// As netgraph(9): both are valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_findhook(node: *mut ng_node, name: *const c_char) -> *mut ng_hook {
    // SAFETY: valid (caller).
    let name = unsafe { CStr::from_ptr(name) };
    // SAFETY: valid (caller).
    let hook = unsafe { needed_node(node, "ng_findhook") }.and_then(|node| connect::find_hook(&node, name));
    hook.map_or(null_mut(), |hook| hook.as_raw())
}

/// A registered type by name.
///
/// # Safety
/// The name is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_findtype(name: *const c_char) -> *mut ng_type {
    // SAFETY: valid (caller).
    let name = unsafe { CStr::from_ptr(name) };
    // The reference goes before the lock does, so that nobody sees the type in use meanwhile.
    let topology = state().topology();
    let kind = topology.kind(name).map_or(null_mut(), |kind| kind.as_ptr());
    kind.cast()
}

/// Registers a type.
///
/// # Safety
/// The type stays in place until it is unregistered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_newtype(kind: *mut ng_type) -> c_int {
    yield_point();
    // SAFETY: as the caller says.
    to_c(unsafe { kind::register(kind_at(kind)) })
}

/// Unregisters a type without nodes.
///
/// # Safety
/// The type is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_rmtype(kind: *mut ng_type) -> c_int {
    yield_point();
    // SAFETY: as the caller says.
    to_c(unsafe { kind::unregister(kind_at(kind)) })
}

/// The module event handler of node types: `data` is the type.
///
/// # Safety
/// `data` is an `ng_type` that stays in place while it is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_mod_event(module: *mut c_void, event: c_int, data: *mut c_void) -> c_int {
    let kind = kind_at(data.cast());
    // SAFETY: valid (caller).
    let own = unsafe { kind.as_ref() }.mod_event;
    let tell = |unhandled| match own {
        // SAFETY: the type's own handler.
        Some(own) => check(unsafe { own(module, event, data) }),
        None => unhandled,
    };
    to_c(match event {
        // SAFETY: as the caller says.
        MOD_LOAD => unsafe { load_kind(kind, || tell(Ok(()))) },
        // SAFETY: as the caller says.
        MOD_UNLOAD => unsafe { unload_kind(kind, || tell(Ok(()))) },
        _ => tell(Err(EOPNOTSUPP)),
    })
}

/// # Safety
/// As [`ng_mod_event`].
unsafe fn load_kind(kind: NonNull<Kind>, tell: impl FnOnce() -> Result) -> Result {
    // SAFETY: as the caller says.
    unsafe { kind::register(kind) }?;
    tell().inspect_err(|_| {
        // SAFETY: registered just now.
        let undone = unsafe { kind::unregister(kind) };
        if undone.is_err() {
            report::panic("a node type that could not be loaded has nodes");
        }
    })
}

/// # Safety
/// As [`ng_mod_event`].
unsafe fn unload_kind(kind: NonNull<Kind>, tell: impl FnOnce() -> Result) -> Result {
    // SAFETY: valid (caller).
    let this = unsafe { kind.as_ref() };
    if this.nodes() != 0 {
        return Err(EBUSY);
    }
    if !this.is_in_use() {
        return Ok(()); // It failed to load.
    }
    tell()?;
    // SAFETY: registered, since it is in use.
    unsafe { kind::unregister(kind) }
}

/// Makes an item with a packet; frees the packet when there is no item.
///
/// # Safety
/// The packet is a valid chain or null, and the caller's no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_package_data(packet: *mut mbuf, flags: c_int) -> *mut ng_item {
    // SAFETY: as the caller says.
    match unsafe { Item::with_data(packet, flags & NG_WAITOK != 0) } {
        Some(item) => item.into_raw(),
        None => {
            // SAFETY: as the caller says; no item has it.
            unsafe { crate::mbuf::free(packet) };
            null_mut()
        }
    }
}

/// Makes an item with a message; frees the message when there is no item.
///
/// # Safety
/// The message is valid, and the caller's no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_package_msg(message: *mut ng_mesg, flags: c_int) -> *mut ng_item {
    let Some(message) = NonNull::new(message) else {
        report::panic("a message is null");
    };
    // SAFETY: as the caller says.
    let message = unsafe { Message::from_raw(message) };
    Item::with_message(message, flags & NG_WAITOK != 0).map_or(null_mut(), Item::into_raw)
}

/// Addresses an item by a path; frees it when there is nothing there.
///
/// # Safety
/// `here` is a valid node or null, the item valid and the caller's no more if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_address_path(
    here: *mut ng_node,
    item: *mut ng_item,
    address: *const c_char,
    sender: u32,
) -> c_int {
    yield_point();
    // SAFETY: valid (caller).
    let address = unsafe { CStr::from_ptr(address) };
    // SAFETY: valid (caller).
    let here = unsafe { borrowed_node(here) };
    // SAFETY: as the caller says.
    let item = unsafe { owned_item(item) };
    addressed(
        item,
        here.as_ref(),
        sender,
        path::resolve(here.as_ref(), address.to_bytes()),
    )
}

/// Addresses an item to the other end of a hook; frees it when there is none.
///
/// # Safety
/// As [`ng_address_path`]; the hook is valid or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_address_hook(
    here: *mut ng_node,
    item: *mut ng_item,
    hook: *mut ng_hook,
    sender: u32,
) -> c_int {
    yield_point();
    // SAFETY: valid (caller).
    let here = unsafe { borrowed_node(here) };
    // SAFETY: as the caller says.
    let item = unsafe { owned_item(item) };
    let hook = connect::borrowed_hook(hook.cast());
    addressed(item, here.as_ref(), sender, across(hook.as_ref()))
}

/// The other end of a valid hook, if both it and its node are valid.
fn across(hook: Option<&HookRef>) -> Result<(NodeRef, Option<HookRef>)> {
    let hook = hook.filter(|hook| hook.is_valid()).ok_or(ENETDOWN)?;
    let peer = hook.peer().filter(|peer| peer.is_valid()).ok_or(ENETDOWN)?;
    let node = peer.node().filter(|node| node.is_valid()).ok_or(ENETDOWN)?;
    Ok((node, Some(peer)))
}

/// Addresses an item to the node with an ID; frees it when there is none.
///
/// # Safety
/// As [`ng_address_path`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_address_ID(here: *mut ng_node, item: *mut ng_item, id: u32, sender: u32) -> c_int {
    // SAFETY: valid (caller).
    let here = unsafe { borrowed_node(here) };
    // SAFETY: as the caller says.
    let item = unsafe { owned_item(item) };
    let node = state().topology().by_id(thread::vnet(), id);
    addressed(item, here.as_ref(), sender, node.map(|node| (node, None)).ok_or(EINVAL))
}

/// Writes an address into an item, which stays the caller's; or frees the item.
fn addressed(
    mut item: Item,
    here: Option<&NodeRef>,
    sender: u32,
    address: Result<(NodeRef, Option<HookRef>)>,
) -> c_int {
    let (node, hook) = match address {
        Ok(address) => address,
        Err(error) => return error,
    };
    item.set_destination(node);
    item.set_hook(hook);
    item.set_sender(sender, here);
    item.into_raw();
    0
}

/// Sends an item.
///
/// # Safety
/// The item is valid, addressed, and the caller's no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_snd_item(item: *mut ng_item, flags: c_int) -> c_int {
    yield_point();
    // SAFETY: as the caller says.
    send::send(unsafe { owned_item(item) }, flags)
}

/// Frees an item and what it carries.
///
/// # Safety
/// The item is valid, and the caller's no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_free_item(item: *mut ng_item) {
    // SAFETY: as the caller says.
    drop(unsafe { owned_item(item) });
}

/// A node's ID; 0 for null.
///
/// # Safety
/// The node is valid or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ng_node2ID(node: *const ng_node) -> u32 {
    // SAFETY: valid or null (caller); both types have the same layout.
    unsafe { node.cast::<Node>().as_ref() }.map_or(0, Node::id)
}
