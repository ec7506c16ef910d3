//! Node types written in Rust.

use core::ffi::{CStr, c_char, c_int};
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use kpi::raw::netgraph::{ng_cmdlist, ng_hook, ng_item, ng_node, ng_node_method_t};

use super::ascii::list::END;
use super::errors::{EINVAL, EISCONN, ENOMEM, ENXIO, Result, to_c};
use super::hook::{Hook, HookRef};
use super::item::Item;
use super::kind::{self, Kind};
use super::message::Message;
use super::node::{self, Node, NodeRef};
use super::reference::Ref;
use super::{connect, generic, send, state};
use crate::thread;

/// What becomes of a node that has lost a hook, or was shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// It lives on.
    Stay,
    /// It is removed.
    Remove,
}

/// A type of nodes; a value of it is what one node knows.
pub(crate) trait NodeType: Send + Sync + 'static {
    /// The type's name.
    const NAME: &'static CStr;

    /// Its messages, for their conversion; the last one is [`END`].
    const COMMANDS: &'static [ng_cmdlist] = &[END];

    /// The name that a hook gets which is asked for by this one.
    fn hook_name(asked: &CStr) -> &CStr {
        asked
    }

    /// Whether the node may have a hook of this name.
    fn new_hook(&self, _node: &NodeRef, _name: &[u8]) -> Result {
        Ok(())
    }

    /// Takes a packet that came in by `hook`.
    fn receive(&self, node: &NodeRef, hook: &HookRef, item: Item) -> Result;

    /// Answers a message that is not generic, and may have come in by a hook; `None` is no answer.
    fn message(&self, _node: &NodeRef, _hook: Option<&HookRef>, _message: &Message) -> Result<Option<Vec<u8>>> {
        Err(EINVAL)
    }

    /// A hook is gone; it is off the list already.
    fn disconnected(&self, node: &NodeRef, _hook: &HookRef) -> Afterwards {
        leave_with_last_hook(node)
    }

    /// The node is about to lose its hooks and to be shut down.
    fn closing(&self, _node: &NodeRef) {}

    /// The node was shut down: it has no hooks any more.
    fn shut_down(&self) -> Afterwards {
        Afterwards::Remove
    }
}

/// What a new node of a type knows.
pub(crate) trait Construct: NodeType {
    /// Makes what a node knows that has been made just now.
    fn construct(node: &NodeRef) -> Self;
}

impl<T: NodeType + Default> Construct for T {
    fn construct(_node: &NodeRef) -> Self {
        Self::default()
    }
}

/// Most nodes go when they have no hooks any more.
pub(crate) fn leave_with_last_hook(node: &NodeRef) -> Afterwards {
    if node.hook_count.load(Ordering::Acquire) == 0 {
        Afterwards::Remove
    } else {
        Afterwards::Stay
    }
}

/// A registered type.
pub(crate) struct Registration(NonNull<Kind>);

// SAFETY: the box of a type, which is only read but for its counter.
unsafe impl Send for Registration {}

impl Registration {
    /// Registers a type whose nodes everybody may make.
    pub(crate) fn new<T: Construct>() -> Result<Self> {
        Self::register::<T>(Some(construct::<T>))
    }

    /// Registers a type whose nodes are made by [`make`] only.
    pub(crate) fn reserved<T: NodeType>() -> Result<Self> {
        Self::register::<T>(None)
    }

    fn register<T: NodeType>(constructor: Option<ng_node_method_t>) -> Result<Self> {
        let kind = NonNull::from(Box::leak(Box::new(Kind {
            constructor,
            close: Some(close::<T>),
            shutdown: Some(shut_down::<T>),
            newhook: Some(new_hook::<T>),
            rcvdata: Some(receive::<T>),
            rcvmsg: Some(message::<T>),
            disconnect: Some(disconnected::<T>),
            cmdlist: T::COMMANDS.as_ptr(),
            ..Kind::named(T::NAME)
        })));
        let registration = Self(kind);
        // SAFETY: the box stays until end.
        match unsafe { kind::register(kind) } {
            Ok(()) => Ok(registration),
            Err(error) => {
                registration.free();
                Err(error)
            }
        }
    }

    /// Unregisters the type, unless it has nodes.
    pub(crate) fn end(&self) -> Result {
        // SAFETY: registered.
        unsafe { kind::unregister(self.0) }
    }

    /// Frees a type that is not registered.
    pub(crate) fn free(self) {
        // SAFETY: leaked in new, and nobody has a pointer to it any more.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// Makes a node of a registered type, which knows this; the type decides when it goes.
pub(crate) fn make<T: NodeType>(knowledge: T) -> Result<NodeRef> {
    let kind = kind::find(T::NAME).ok_or(ENXIO)?;
    let node = Node::create(&kind, thread::vnet())?;
    node.private
        .store(Box::into_raw(Box::new(knowledge)).cast(), Ordering::Release);
    // The reference of a node to itself, which its shutdown drops.
    node.clone().into_raw();
    Ok(node)
}

/// Sends a packet that came in by an item on by another hook.
pub(crate) fn forward(mut item: Item, hook: &HookRef) -> Result {
    let Some(peer) = hook.peer().filter(|peer| hook.is_valid() && peer.is_valid()) else {
        return Err(super::errors::ENETDOWN);
    };
    let node = peer.node().filter(|node| node.is_valid());
    item.set_destination(node.ok_or(super::errors::ENETDOWN)?);
    item.set_hook(Some(peer));
    super::errors::check(send::send(item, 0))
}

/// Sends a packet of these bytes out of a hook.
pub(crate) fn send_bytes(bytes: &[u8], hook: &HookRef) -> Result {
    let packet = NonNull::new(crate::mbuf::packet(bytes)).ok_or(ENOMEM)?;
    // SAFETY: a new packet.
    if let Some(item) = unsafe { Item::with_data(packet.as_ptr(), false) } {
        return forward(item, hook);
    }
    // SAFETY: no item has it.
    unsafe { crate::mbuf::free(packet.as_ptr()) };
    Err(ENOMEM)
}

/// Takes the bytes out of an item.
pub(crate) fn take_bytes(mut item: Item) -> Vec<u8> {
    let packet = item.take_data();
    // SAFETY: the item's packet, ours now.
    let bytes = unsafe { crate::mbuf::bytes(packet) };
    // SAFETY: as above, and not used any more.
    unsafe { crate::mbuf::free(packet) };
    bytes
}

/// A valid hook of a node.
pub(crate) fn hook(node: &NodeRef, name: &CStr) -> Option<HookRef> {
    connect::find_hook(node, name)
}

/// The hooks of a node that can be sent out of.
pub(crate) fn hooks(node: &NodeRef) -> Vec<HookRef> {
    let mut hooks = state().topology().hooks_of(node);
    hooks.retain(|hook| hook.is_valid());
    hooks
}

/// Connects the peers of two hooks of a node that is closing with each other, in its place. Hooks that are not connected, or
/// only with each other, are left as they are.
pub(crate) fn bypass(first: &HookRef, second: &HookRef) {
    // What is refused goes as the other hooks do.
    let _ = connect::bypass(first, second);
}

/// What a node of type `T` knows; `None` for a node of another type, or one that has shut down.
pub(crate) fn knowledge<T: NodeType>(node: &NodeRef) -> Option<&T> {
    if node.kind().name() != T::NAME {
        return None;
    }
    let private = node.private.load(Ordering::Acquire).cast::<T>();
    // SAFETY: the box of construct::<T>, freed with the last reference but those to the node's memory.
    unsafe { private.as_ref() }
}

/// Makes a reference of our own to a node that the core passes.
fn borrow(node: *mut ng_node) -> NodeRef {
    let node = NonNull::new(node.cast::<Node>()).expect("a node method has a node");
    // SAFETY: the core has a reference during the call.
    unsafe { Ref::acquire(node) }.expect("the core has a reference")
}

fn borrow_hook(hook: *mut ng_hook) -> HookRef {
    let hook = NonNull::new(hook.cast::<Hook>()).expect("a hook method has a hook");
    // SAFETY: the core has a reference during the call.
    unsafe { Ref::acquire(hook) }.expect("the core has a reference")
}

unsafe extern "C" fn construct<T: Construct>(node: *mut ng_node) -> c_int {
    let node = borrow(node);
    let knowledge = Box::into_raw(Box::new(T::construct(&node)));
    node.private.store(knowledge.cast(), Ordering::Release);
    0
}

unsafe extern "C" fn close<T: NodeType>(node: *mut ng_node) -> c_int {
    let node = borrow(node);
    if let Some(known) = knowledge::<T>(&node) {
        known.closing(&node);
    }
    0
}

unsafe extern "C" fn shut_down<T: NodeType>(node: *mut ng_node) -> c_int {
    let node = borrow(node);
    if knowledge::<T>(&node).map(T::shut_down) == Some(Afterwards::Stay) {
        node.flags.fetch_and(!node::INVALID, Ordering::AcqRel);
        return 0;
    }
    let knowledge = node.private.swap(core::ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: the box of construct; as the writer of an invalid node without hooks we are the last who looks at it.
    drop(unsafe { Box::from_raw(knowledge.cast::<T>()) });
    // SAFETY: the node's reference to itself, which its shutdown drops.
    drop(unsafe { Ref::from_counted(NonNull::from(&*node)) });
    0
}

unsafe extern "C" fn new_hook<T: NodeType>(node: *mut ng_node, hook: *mut ng_hook, name: *const c_char) -> c_int {
    // SAFETY: the core passes a C string.
    let asked = unsafe { CStr::from_ptr(name) };
    to_c(admit::<T>(&borrow(node), &borrow_hook(hook), asked))
}

/// Asks the type about a new hook, which gets the name that the type has for it.
fn admit<T: NodeType>(node: &NodeRef, hook: &HookRef, asked: &CStr) -> Result {
    let known = knowledge::<T>(node).ok_or(EINVAL)?;
    let name = T::hook_name(asked);
    if name != asked && connect::find_hook(node, name).is_some() {
        return Err(EISCONN);
    }
    known.new_hook(node, name.to_bytes())?;
    if name != asked {
        hook.rename(name.to_bytes());
    }
    Ok(())
}

unsafe extern "C" fn receive<T: NodeType>(hook: *mut ng_hook, item: *mut ng_item) -> c_int {
    let hook = borrow_hook(hook);
    let item = NonNull::new(item).expect("rcvdata has an item");
    // SAFETY: the core gives the item away.
    let item = unsafe { Item::from_raw(item) };
    let Some(node) = hook.node() else { return 0 };
    to_c(match knowledge::<T>(&node) {
        Some(known) => known.receive(&node, &hook, item),
        None => Ok(()),
    })
}

unsafe extern "C" fn message<T: NodeType>(node: *mut ng_node, item: *mut ng_item, hook: *mut ng_hook) -> c_int {
    let node = borrow(node);
    let hook = (!hook.is_null()).then(|| borrow_hook(hook));
    let item = NonNull::new(item).expect("rcvmsg has an item");
    // SAFETY: the core gives the item away.
    let mut item = unsafe { Item::from_raw(item) };
    to_c(
        item.take_message()
            .map_or(Ok(()), |message| reply::<T>(&node, hook.as_ref(), item, &message)),
    )
}

fn reply<T: NodeType>(node: &NodeRef, hook: Option<&HookRef>, item: Item, message: &Message) -> Result {
    let known = knowledge::<T>(node).ok_or(EINVAL)?;
    match known.message(node, hook, message)? {
        Some(arguments) => generic::answer(node, item, message.reply(&arguments).ok_or(ENOMEM)?),
        None => Ok(()),
    }
}

unsafe extern "C" fn disconnected<T: NodeType>(hook: *mut ng_hook) -> c_int {
    let hook = borrow_hook(hook);
    let Some(node) = hook.node() else { return 0 };
    let afterwards = knowledge::<T>(&node).map(|known| known.disconnected(&node, &hook));
    if afterwards == Some(Afterwards::Remove) && node.is_valid() {
        return connect::remove_later(&node);
    }
    0
}
