//! How nodes and hooks come and go.
//!
//! Two hooks of two nodes are connected in three steps: the first node makes its hook; the second, as its own writer,
//! takes the other hook and is told that it is connected; and the first is told likewise. Until then the hooks are invalid.

use core::ffi::CStr;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::errors::{EEXIST, EINVAL, ENOENT, ENXIO, Result, check};
use super::hook::{self, Hook, HookRef};
use super::item::Item;
use super::kind;
use super::node::{self, Node, NodeRef};
use super::reference::Ref;
use super::step::{self, Step};
use super::{send, state};
use crate::{report, thread};

/// `ng_findhook`: asks the type if it wants to be asked, else goes through the list of valid hooks.
pub(super) fn find_hook(node: &NodeRef, name: &CStr) -> Option<HookRef> {
    let Some(find) = node.kind().findhook else {
        let hooks = state().topology().hooks_of(node);
        return hooks
            .into_iter()
            .find(|hook| hook.is_valid() && hook.name() == name.to_bytes());
    };
    // SAFETY: the type's method and its own node.
    let found = unsafe { find(node.as_raw(), name.as_ptr()) };
    state().topology().hook(found.cast())
}

/// Makes a node of a type that makes its nodes itself.
pub(super) fn make_node(kind: &CStr) -> Result<NodeRef> {
    let kind = kind::find(kind).ok_or(ENXIO)?;
    let constructor = kind.constructor.ok_or(EINVAL)?;
    let node = Node::create(&kind, thread::vnet())?;
    // SAFETY: the type's method and its new node.
    check(unsafe { constructor(node.as_raw()) })?;
    Ok(node)
}

/// Makes an unconnected hook of a node, if its type agrees.
fn add_hook(node: &NodeRef, name: &CStr) -> Result<HookRef> {
    if find_hook(node, name).is_some() {
        return Err(EEXIST);
    }
    let hook = Hook::create(Some(node), name.to_bytes())?;
    announce(node, &hook, name)?;
    state().topology().link(node, &hook);
    Ok(hook)
}

/// Tells the type about a new hook; it may refuse.
fn announce(node: &NodeRef, hook: &HookRef, name: &CStr) -> Result {
    match node.kind().newhook {
        // SAFETY: the type's method, its own node, and a hook that is not on its list yet.
        Some(announce) => check(unsafe { announce(node.as_raw(), hook.as_raw(), name.as_ptr()) }),
        None => Ok(()),
    }
}

/// Tells a hook's node that the hook is connected; it may refuse.
fn confirm(node: &NodeRef, hook: &HookRef) -> Result {
    match node.kind().connect {
        // SAFETY: the type's method and a hook of its node.
        Some(confirm) => check(unsafe { confirm(hook.as_raw()) }),
        None => Ok(()),
    }
}

/// `NGM_MKPEER`, by the writer of `node`.
pub(super) fn make_peer(node: &NodeRef, kind: &CStr, our_name: &CStr, their_name: &CStr) -> Result {
    let peer = make_node(kind)?;
    let connected = connect_new(node, &peer, our_name, their_name);
    if connected.is_err() {
        remove_node(&peer);
    }
    // The reference of a node to itself, which its removal drops.
    peer.into_raw();
    connected
}

fn connect_new(node: &NodeRef, peer: &NodeRef, our_name: &CStr, their_name: &CStr) -> Result {
    let ours = add_hook(node, our_name)?;
    let theirs = add_hook(peer, their_name).inspect_err(|_| destroy_hook(&ours))?;
    state().topology().join(&ours, &theirs);
    let agreed = confirm(node, &ours).and_then(|()| confirm(peer, &theirs));
    if agreed.is_ok() {
        ours.make_valid();
        theirs.make_valid();
    } else {
        destroy_hook(&theirs);
    }
    agreed
}

/// `NGM_CONNECT`, by the writer of `node`: the first step.
pub(super) fn connect(node: &NodeRef, other: &NodeRef, our_name: &CStr, their_name: &CStr, item: &Item) -> Result {
    if find_hook(other, their_name).is_some() {
        return Err(EEXIST);
    }
    let ours = add_hook(node, our_name)?;
    let theirs = Hook::create(None, their_name.to_bytes()).inspect_err(|_| destroy_hook(&ours))?;
    state().topology().join(&ours, &theirs);
    let sent = check(step::send(Step::ConnectSecond, other, Some(&theirs), Some(item)));
    if sent.is_err() {
        destroy_hook(&ours);
    }
    sent
}

/// The second step, by the writer of the other node; `hook` is its own.
pub(super) fn connect_second(node: &NodeRef, hook: &HookRef, item: Item) -> Result {
    let result = attach(node, hook);
    let first = result.and_then(|()| {
        let peer = hook.peer().ok_or(ENOENT)?;
        let node = peer.node().ok_or(ENOENT)?;
        Ok((peer, node))
    });
    let sent = first.and_then(|(peer, first)| check(step::resend(item, Step::ConnectFirst, &first, &peer)));
    match sent {
        Ok(()) => hook.make_valid(),
        Err(_) => destroy_hook(hook),
    }
    sent
}

/// Puts a hook that is on no node yet on this one.
fn attach(node: &NodeRef, hook: &HookRef) -> Result {
    let name = std::ffi::CString::new(hook.name()).expect("names end at their NUL");
    if find_hook(node, &name).is_some() {
        return Err(EEXIST);
    }
    announce(node, hook, &name)?;
    {
        let mut topology = state().topology();
        topology.attach(hook, node);
        topology.link(node, hook);
    }
    confirm(node, hook)
}

/// The third step, by the writer of the first node.
pub(super) fn connect_first(hook: &HookRef) -> Result {
    let node = hook.node().ok_or(ENOENT)?;
    confirm(&node, hook).inspect_err(|_| destroy_hook(hook))?;
    hook.make_valid();
    Ok(())
}

/// Removes a hook from its node, by the node's writer, and has the peer removed from its own.
pub(super) fn destroy_hook(hook: &HookRef) {
    hook.flags.fetch_or(hook::INVALID, Ordering::AcqRel);
    let (parted, node) = {
        let mut topology = state().topology();
        (topology.part(hook), topology.node_of(hook))
    };
    if let Some((peer, _back)) = parted {
        // As in FreeBSD, the peer stays behind, unconnected, when there is no item.
        let _ = remove_hook_later(&peer);
    }
    let Some(node) = node else { return };
    let listed = state().topology().unlink(&node, hook);
    if listed.is_none() {
        return;
    }
    if let Some(disconnect) = node.kind().disconnect {
        // SAFETY: the type's method and a hook of its node. It answers nothing that matters now.
        unsafe { disconnect(hook.as_raw()) };
    }
    let detached = state().topology().detach(hook);
    drop((detached, listed));
}

/// `ng_bypass`, by the writer of the node that has both hooks: connects their peers with each other and removes the hooks.
pub(super) fn bypass(first: &HookRef, second: &HookRef) -> Result {
    if !first.is_valid() || !second.is_valid() {
        return Err(EINVAL);
    }
    let parted = state().topology().bypass(first, second);
    drop(parted.ok_or(EINVAL)?);
    destroy_hook(first);
    destroy_hook(second);
    Ok(())
}

/// Has a hook removed by the writer of its node: 0, or an errno.
pub(super) fn remove_hook_later(hook: &HookRef) -> i32 {
    let node = hook.node();
    node.map_or(0, |node| step::send(Step::RemoveHook, &node, Some(hook), None))
}

/// Removes a node, by its writer: its hooks, what waits for it, and the node itself, unless its type brings it back.
pub(super) fn remove_node(node: &NodeRef) {
    let flags = node.flags.fetch_or(node::INVALID | node::CLOSING, Ordering::AcqRel);
    if flags & node::CLOSING != 0 {
        return;
    }
    let keep = node.clone();
    if let Some(close) = keep.kind().close {
        // SAFETY: the type's method and its own node.
        unsafe { close(keep.as_raw()) };
    }
    loop {
        let hooks = state().topology().hooks_of(&keep);
        if hooks.is_empty() {
            break;
        }
        hooks.iter().for_each(destroy_hook);
    }
    send::flush(&keep);
    shut_down(&keep);
}

/// The end of a node's removal: it drops the reference to itself.
fn shut_down(node: &NodeRef) {
    let Some(shutdown) = node.kind().shutdown else {
        let own = NonNull::from(&**node);
        // SAFETY: the reference that a node has to itself from the beginning; it is removed once.
        drop(unsafe { Ref::from_counted(own) });
        return;
    };
    // SAFETY: the type's method and its own node; it drops the node's reference to itself.
    unsafe { shutdown(node.as_raw()) };
    if node.is_valid() {
        node.flags.fetch_and(!(node::INVALID | node::CLOSING), Ordering::AcqRel);
    }
}

/// `ng_rmnode_self`: has a node removed as soon as nobody works on it.
pub(super) fn remove_later(node: &NodeRef) -> i32 {
    let flags = node.flags.fetch_or(node::INVALID, Ordering::AcqRel);
    if flags & node::CLOSING != 0 {
        return 0;
    }
    step::send(Step::RemoveNode, node, None, None)
}

/// Looks a hook up that C passes without a reference; one that has been freed is an error of the caller.
pub(super) fn borrowed_hook(hook: *mut Hook) -> Option<HookRef> {
    if hook.is_null() || hook == state().dead_hook() {
        return None;
    }
    let found = state().topology().hook(hook);
    if found.is_none() {
        report::panic("a hook is used that has been freed");
    }
    found
}
