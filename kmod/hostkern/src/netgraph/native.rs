//! Node types written in Rust.

use core::ffi::{CStr, c_char, c_int};
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use kpi::raw::netgraph::{ng_hook, ng_item, ng_node};

use super::errors::{EINVAL, ENOMEM, Result, to_c};
use super::hook::{Hook, HookRef};
use super::item::Item;
use super::kind::{self, Kind};
use super::message::Message;
use super::node::{Node, NodeRef};
use super::reference::Ref;
use super::{connect, generic, send, state};

/// What becomes of a node that has lost a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// It lives on.
    Stay,
    /// It is removed.
    Remove,
}

/// A type of nodes; a value of it is what one node knows.
pub(crate) trait NodeType: Send + Sync + Default + 'static {
    /// The type's name.
    const NAME: &'static CStr;

    /// Whether the node may have a hook of this name.
    fn new_hook(&self, _name: &[u8]) -> Result {
        Ok(())
    }

    /// Takes a packet that came in by `hook`.
    fn receive(&self, node: &NodeRef, hook: &HookRef, item: Item) -> Result;

    /// Answers a message that is not generic; `None` is no answer.
    fn message(&self, _node: &NodeRef, _message: &Message) -> Result<Option<Vec<u8>>> {
        Err(EINVAL)
    }

    /// A hook is gone; it is off the list already.
    fn disconnected(&self, node: &NodeRef, _hook: &HookRef) -> Afterwards {
        if node.hook_count.load(Ordering::Acquire) == 0 {
            Afterwards::Remove
        } else {
            Afterwards::Stay
        }
    }
}

/// A registered type.
pub(crate) struct Registration(NonNull<Kind>);

// SAFETY: the box of a type, which is only read but for its counter.
unsafe impl Send for Registration {}

impl Registration {
    /// Registers a type.
    pub(crate) fn new<T: NodeType>() -> Result<Self> {
        let kind = NonNull::from(Box::leak(Box::new(Kind {
            constructor: Some(construct::<T>),
            shutdown: Some(shut_down::<T>),
            newhook: Some(new_hook::<T>),
            rcvdata: Some(receive::<T>),
            rcvmsg: Some(message::<T>),
            disconnect: Some(disconnected::<T>),
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

unsafe extern "C" fn construct<T: NodeType>(node: *mut ng_node) -> c_int {
    let knowledge = Box::into_raw(Box::<T>::default());
    borrow(node).private.store(knowledge.cast(), Ordering::Release);
    0
}

unsafe extern "C" fn shut_down<T: NodeType>(node: *mut ng_node) -> c_int {
    let node = borrow(node);
    let knowledge = node.private.swap(core::ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: the box of construct; as the writer of an invalid node without hooks we are the last who looks at it.
    drop(unsafe { Box::from_raw(knowledge.cast::<T>()) });
    // SAFETY: the node's reference to itself, which its shutdown drops.
    drop(unsafe { Ref::from_counted(NonNull::from(&*node)) });
    0
}

unsafe extern "C" fn new_hook<T: NodeType>(node: *mut ng_node, _hook: *mut ng_hook, name: *const c_char) -> c_int {
    // SAFETY: the core passes a C string.
    let name = unsafe { CStr::from_ptr(name) };
    let node = borrow(node);
    let known = knowledge::<T>(&node).ok_or(EINVAL);
    to_c(known.and_then(|known| known.new_hook(name.to_bytes())))
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

unsafe extern "C" fn message<T: NodeType>(node: *mut ng_node, item: *mut ng_item, _hook: *mut ng_hook) -> c_int {
    let node = borrow(node);
    let item = NonNull::new(item).expect("rcvmsg has an item");
    // SAFETY: the core gives the item away.
    let mut item = unsafe { Item::from_raw(item) };
    to_c(
        item.take_message()
            .map_or(Ok(()), |message| reply::<T>(&node, item, &message)),
    )
}

fn reply<T: NodeType>(node: &NodeRef, item: Item, message: &Message) -> Result {
    let known = knowledge::<T>(node).ok_or(EINVAL)?;
    match known.message(node, message)? {
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
