//! Who is there: types, nodes by ID and name, hooks and what they are connected to. One lock, held for moments.
//!
//! References are taken under the lock, never dropped under it, since the last one takes the lock itself.

use core::ffi::CStr;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::errors::{EADDRINUSE, Result};
use super::hook::{Hook, HookRef};
use super::kind::Kind;
use super::node::{Node, NodeRef, write_name};
use super::reference::{Address, Ref};
use super::{Lookups, state};
use crate::thread::Vnet;

/// What the lock protects, and the links of nodes and hooks with it.
#[derive(Default)]
pub(super) struct Topology {
    /// The latest first.
    pub(super) kinds: Vec<Address<Kind>>,
    nodes: BTreeMap<(Vnet, u32), Address<Node>>,
    names: HashMap<(Vnet, Vec<u8>), Address<Node>>,
    last_id: HashMap<Vnet, u32>,
    hooks: HashSet<Address<Hook>>,
}

/// A reference to something that is on a list of the topology, which it leaves before it is freed.
fn reference<T: super::reference::Counted>(address: Address<T>) -> Option<Ref<T>> {
    // SAFETY: whoever frees it takes it off the list under the topology's lock first, which the caller has.
    unsafe { Ref::acquire(address.0) }
}

/// A reference to a node that is looked up, as exact as [`Lookups`] says.
fn found(node: Address<Node>) -> Option<NodeRef> {
    match state().lookups() {
        Lookups::Exact => reference(node),
        // SAFETY: whoever frees it takes it off the list under the topology's lock first, which the caller has.
        Lookups::AsFreeBsd => Some(unsafe { Ref::revive(node.0) }),
    }
}

impl Topology {
    pub(super) fn kind(&self, name: &CStr) -> Option<Ref<Kind>> {
        let kinds = self.kinds.iter().copied();
        kinds.filter_map(reference).find(|kind| kind.name() == name)
    }

    /// The names of the types, and how many nodes each has.
    pub(super) fn kind_list(&self) -> Vec<(Vec<u8>, u32)> {
        let kinds = self.kinds.iter().map(|kind| {
            // SAFETY: a type leaves the list, under this lock, before its module goes.
            unsafe { kind.0.as_ref() }
        });
        kinds
            .map(|kind| (kind.name().to_bytes().to_vec(), kind.nodes()))
            .collect()
    }

    /// Gives a new node its ID: the next one of its vnet, never 0.
    pub(super) fn add_node(&mut self, node: &NodeRef) {
        let vnet = node.vnet();
        let last = self.last_id.entry(vnet).or_insert(0);
        loop {
            *last = last.wrapping_add(1);
            if *last != 0 && !self.nodes.contains_key(&(vnet, *last)) {
                break;
            }
        }
        node.set_id(*last);
        self.nodes.insert((vnet, *last), node.address());
    }

    /// Has IDs begin at 1 again, except for those that are taken.
    pub(super) fn restart_ids(&mut self) {
        self.last_id.clear();
    }

    /// Forgets a node whose last reference is gone.
    pub(super) fn remove_node(&mut self, node: &Node) {
        self.nodes.remove(&(node.vnet(), node.id()));
        let key = (node.vnet(), node.name());
        if self
            .names
            .get(&key)
            .is_some_and(|named| core::ptr::eq(named.0.as_ptr(), node))
        {
            self.names.remove(&key);
        }
    }

    /// The node with an ID, be it valid or not.
    pub(super) fn by_id(&self, vnet: Vnet, id: u32) -> Option<NodeRef> {
        self.nodes.get(&(vnet, id)).copied().and_then(found)
    }

    /// The node that a name stands for: a valid one.
    pub(super) fn by_name(&self, vnet: Vnet, name: &[u8]) -> Option<NodeRef> {
        let named = *self.names.get(&(vnet, name.to_vec()))?;
        // SAFETY: a node leaves the list of names, under this lock, before it is freed.
        let is_valid = unsafe { named.0.as_ref() }.is_valid();
        is_valid.then(|| found(named)).flatten()
    }

    /// Names a node, if no valid node has the name.
    pub(super) fn name(&mut self, node: &NodeRef, name: &[u8]) -> Result {
        let key = (node.vnet(), name.to_vec());
        if let Some(other) = self.names.get(&key) {
            // SAFETY: a node leaves the list of names, under this lock, before it is freed.
            let other = unsafe { other.0.as_ref() };
            if other.is_valid() {
                return Err(EADDRINUSE);
            }
        }
        let old = (node.vnet(), node.name());
        if self.names.get(&old) == Some(&node.address()) {
            self.names.remove(&old);
        }
        write_name(&node.name, name);
        self.names.insert(key, node.address());
        Ok(())
    }

    /// All nodes, by vnet and ID.
    pub(super) fn nodes(&self) -> Vec<NodeRef> {
        self.nodes.values().copied().filter_map(reference).collect()
    }

    pub(super) fn add_hook(&mut self, hook: &HookRef) {
        self.hooks.insert(hook.address());
    }

    /// Forgets a hook whose last reference is gone; its reference to its node goes to the caller.
    pub(super) fn remove_hook(&mut self, hook: NonNull<Hook>) -> Option<NodeRef> {
        self.hooks.remove(&Address(hook));
        // SAFETY: the caller frees it after this call.
        let node = unsafe { hook.as_ref() }
            .node
            .swap(state().dead_node(), Ordering::AcqRel);
        counted_node(node)
    }

    /// How many hooks there are.
    pub(super) fn hook_count(&self) -> usize {
        self.hooks.len()
    }

    /// The hook at an address, if there is one.
    pub(super) fn hook(&self, hook: *mut Hook) -> Option<HookRef> {
        let address = Address(NonNull::new(hook)?);
        self.hooks.contains(&address).then(|| reference(address)).flatten()
    }

    pub(super) fn node_of(&self, hook: &Hook) -> Option<NodeRef> {
        let node = NonNull::new(hook.node.load(Ordering::Acquire))?;
        let dead = state().is_dead_node(node);
        // SAFETY: the hook refers to the node until it is taken off it, under this lock.
        (!dead).then(|| unsafe { Ref::acquire(node) }).flatten()
    }

    pub(super) fn peer_of(&self, hook: &Hook) -> Option<HookRef> {
        self.hook(hook.peer.load(Ordering::Acquire))
    }

    /// Puts a hook on its node's list, which has a reference to it.
    pub(super) fn link(&mut self, node: &NodeRef, hook: &HookRef) {
        let new = hook.clone().into_raw();
        let old = node.first_hook.swap(new, Ordering::AcqRel);
        hook.next.store(old, Ordering::Release);
        hook.previous
            .store((&raw const node.first_hook).cast_mut(), Ordering::Release);
        if let Some(old) = NonNull::new(old) {
            // SAFETY: hooks on the list are alive: it has a reference to each.
            let old = unsafe { old.as_ref() };
            old.previous.store((&raw const hook.next).cast_mut(), Ordering::Release);
        }
        node.hook_count.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes a hook off its node's list; the list's reference goes to the caller. `None` if it was on none.
    pub(super) fn unlink(&mut self, node: &NodeRef, hook: &HookRef) -> Option<HookRef> {
        let previous = NonNull::new(hook.previous.swap(null_mut(), Ordering::AcqRel))?;
        let next = hook.next.load(Ordering::Acquire);
        // SAFETY: the head in the node, or the link in the hook before, which is alive since it is on the list.
        unsafe { previous.as_ref() }.store(next, Ordering::Release);
        if let Some(next) = NonNull::new(next) {
            // SAFETY: hooks on the list are alive.
            unsafe { next.as_ref() }
                .previous
                .store(previous.as_ptr(), Ordering::Release);
        }
        node.hook_count.fetch_sub(1, Ordering::AcqRel);
        // SAFETY: the reference that link leaked.
        Some(unsafe { Ref::from_counted(NonNull::from(&**hook)) })
    }

    /// The hooks of a node, the latest first.
    pub(super) fn hooks_of(&self, node: &Node) -> Vec<HookRef> {
        let mut hooks = Vec::new();
        let mut next = self.hook(node.first_hook.load(Ordering::Acquire));
        while let Some(hook) = next {
            next = self.hook(hook.next.load(Ordering::Acquire));
            hooks.push(hook);
        }
        hooks
    }

    /// Connects two hooks; each has a reference to the other.
    pub(super) fn join(&mut self, first: &HookRef, second: &HookRef) {
        first.peer.store(second.clone().into_raw(), Ordering::Release);
        second.peer.store(first.clone().into_raw(), Ordering::Release);
    }

    /// Disconnects a hook from its peer; the references that both had to each other go to the caller.
    pub(super) fn part(&mut self, hook: &HookRef) -> Option<(HookRef, HookRef)> {
        let dead = state().dead_hook();
        let peer = hook.peer.swap(dead, Ordering::AcqRel);
        if peer == dead {
            return None;
        }
        let peer = NonNull::new(peer)?;
        // SAFETY: join counted a reference for the hook, taken out of it just now.
        let peer: HookRef = unsafe { Ref::from_counted(peer) };
        let back = NonNull::new(peer.peer.swap(dead, Ordering::AcqRel))?;
        // SAFETY: as above, for the peer.
        Some((peer, unsafe { Ref::from_counted(back) }))
    }

    /// Connects the peers of two hooks with each other instead; the references that the hooks and their peers had to each
    /// other go to the caller. `None`, and nothing is changed: the hooks are not connected, or only with each other.
    pub(super) fn bypass(&mut self, first: &HookRef, second: &HookRef) -> Option<[HookRef; 4]> {
        let (left, right) = (self.peer_of(first)?, self.peer_of(second)?);
        if left.address() == second.address() {
            return None;
        }
        let dead = state().dead_hook();
        let exchanges = [
            (&left, right.clone().into_raw()),
            (&right, left.clone().into_raw()),
            (first, dead),
            (second, dead),
        ];
        let old = exchanges.map(|(hook, peer)| hook.peer.swap(peer, Ordering::AcqRel));
        Some(old.map(|hook| {
            let hook = NonNull::new(hook).expect("hooks have a peer, be it the dead one");
            // SAFETY: join counted a reference for each of the four, which has just been taken out of its hook.
            unsafe { Ref::from_counted(hook) }
        }))
    }

    /// Attaches a hook that is on no node yet.
    pub(super) fn attach(&mut self, hook: &HookRef, node: &NodeRef) {
        hook.node.store(node.clone().into_raw(), Ordering::Release);
    }

    /// Has a hook refer to the dead node; its reference to its node goes to the caller.
    pub(super) fn detach(&mut self, hook: &HookRef) -> Option<NodeRef> {
        counted_node(hook.node.swap(state().dead_node(), Ordering::AcqRel))
    }
}

/// Takes over the reference of a hook to its node.
fn counted_node(node: *mut Node) -> Option<NodeRef> {
    let node = NonNull::new(node)?;
    let dead = state().is_dead_node(node);
    // SAFETY: a hook has a reference to its node, and the caller has just taken it out of the hook.
    (!dead).then(|| unsafe { Ref::from_counted(node) })
}
