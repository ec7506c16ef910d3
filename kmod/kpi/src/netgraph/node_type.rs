//! A node type in safe Rust: the trait, and the functions netgraph calls.
//!
//! `nd_private` of such a node is null or one count of an `Arc<Private>`. It is set once, and taken away under
//! [`PRIVATE`], so that anyone may turn it into an `Arc` of his own under that lock. rcvmsg and rcvdata need no lock: netgraph calls them with
//! the node's queue held for reading at least, and calls shutdown, which takes the private data away, with it held for
//! writing.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::item::{Incoming, Item};
use super::node::{Hook, HookName, LOOKUP, Node};
use crate::errno::{Errno, Result, to_c};
use crate::mbuf::Mbuf;
use crate::memory::Arc;
use crate::mutex::StaticMutex;
use crate::raw::kernel::{MOD_LOAD, MOD_UNLOAD};
use crate::raw::netgraph as raw;
use crate::shared::field;

/// What a node of the type does.
pub trait NodeType: 'static {
    /// The data of one node.
    type Private: Send + Sync + 'static;

    /// The type's descriptor, as registered with netgraph.
    fn descriptor() -> *mut raw::ng_type;

    /// A control message came, other than the generic ones that netgraph answers itself.
    ///
    /// # Errors
    /// What the sender is to see.
    fn receive_message(private: &Self::Private, message: Incoming) -> Result;

    /// A packet came in by the hook called `hook`.
    ///
    /// # Errors
    /// What the sender is to see.
    fn receive_data(private: &Self::Private, hook: &HookName, packet: Mbuf) -> Result;

    /// A hook is about to be added.
    ///
    /// # Errors
    /// Refuses the hook.
    fn new_hook(private: &Self::Private, hook: Hook) -> Result;

    /// A hook that was added has been connected to its peer, and can be used as soon as this returns.
    fn connected(private: &Self::Private, hook: &Hook);

    /// The hook of this name, if there is one.
    fn find_hook(private: &Self::Private, name: &HookName) -> Option<Hook>;

    /// A hook has been taken off the node, which has `left` more.
    fn lost_hook(private: &Self::Private, hook: &Hook, left: usize);

    /// The node begins to shut down; its hooks are removed next.
    fn closing(private: &Self::Private);

    /// The node is gone.
    fn shut_down(private: &Self::Private);
}

/// Guards `nd_private` of every node of our types.
static PRIVATE: StaticMutex<()> = StaticMutex::new(());

/// Registers a node type with netgraph, from the module's load event.
///
/// # Errors
/// `EEXIST`: a type of this name exists. `EINVAL`: another ABI version. Nothing is left behind.
///
/// # Safety
/// `module` is the module that is being loaded.
pub unsafe fn register<T: NodeType>(module: *mut c_void) -> Result {
    PRIVATE.init(c"ng_socket private");
    LOOKUP.init(c"ng_socket lookup");
    let load = || {
        // SAFETY: the descriptor is a static of the module, as netgraph requires; the caller passes the module on.
        Errno::check(unsafe { raw::ng_mod_event(module, MOD_LOAD, T::descriptor().cast()) })
    };
    let registered = load().or_else(|errno| match other_version::<T>() {
        true if errno == Errno::EINVAL => load(),
        _ => Err(errno),
    });
    if registered.is_err() {
        // SAFETY: there is no node of a type that is not registered, so that nobody has used the mutex.
        unsafe { PRIVATE.destroy() };
        // SAFETY: as above.
        unsafe { LOOKUP.destroy() };
    }
    registered
}

/// Makes the descriptor one for a kernel with `INVARIANTS`, which has a number of its own in FreeBSD 15 although its
/// structures are the same; whether there is such a kernel. Nothing that a module can look at tells such kernels apart,
/// but that they refuse the plain number, with a line in the message buffer.
fn other_version<T: NodeType>() -> bool {
    if cfg!(feature = "freebsd15") {
        // SAFETY: the descriptor is a static of the module, which netgraph has just refused, so that it is ours.
        unsafe { (*T::descriptor()).version = raw::NG_ABI_VERSION | raw::NG_ABI_INVARIANTS };
    }
    cfg!(feature = "freebsd15")
}

/// Takes a node type back from netgraph, from the module's unload event.
///
/// # Errors
/// `EBUSY`: there are nodes of this type; nothing has changed.
///
/// # Safety
/// `module` is the module that is being unloaded, and nobody can make or find a node of the type any more.
pub unsafe fn unregister<T: NodeType>(module: *mut c_void) -> Result {
    // SAFETY: the descriptor is the registered static; the caller passes the module on.
    Errno::check(unsafe { raw::ng_mod_event(module, MOD_UNLOAD, T::descriptor().cast()) })
}

/// Frees what [`register`] set up, once the type is unregistered and nobody is in its methods any more.
///
/// # Safety
/// No method of the type runs or will run.
pub unsafe fn forget() {
    // SAFETY: only those methods use the mutex (caller).
    unsafe { PRIVATE.destroy() };
    // SAFETY: only those methods, and the sockets of such nodes, use the mutex (caller).
    unsafe { LOOKUP.destroy() };
}

/// The descriptor netgraph gets for `T`.
#[must_use]
pub const fn descriptor<T: NodeType>(name: &'static CStr, commands: *const raw::ng_cmdlist) -> raw::ng_type {
    raw::ng_type {
        version: raw::NG_ABI_VERSION,
        name: name.as_ptr(),
        mod_event: None,
        // No constructor: such nodes come from socket(2) only, and mkpeer gets EINVAL from netgraph.
        constructor: None,
        rcvmsg: Some(rcvmsg::<T>),
        close: Some(close::<T>),
        shutdown: Some(shutdown::<T>),
        newhook: Some(newhook::<T>),
        findhook: Some(findhook::<T>),
        connect: Some(connect::<T>),
        rcvdata: Some(rcvdata::<T>),
        disconnect: Some(disconnect::<T>),
        cmdlist: commands,
        types: [0; 2],
        refs: 0,
    }
}

impl Node {
    /// A new node of type `T`, without private data yet.
    ///
    /// # Errors
    /// `ENOMEM`, or `EINVAL` when the type is not registered.
    pub fn create<T: NodeType>() -> Result<Self> {
        let mut node = core::ptr::null_mut();
        // netgraph counts the nodes of a type without a lock of its own.
        let _guard = LOOKUP.lock();
        // SAFETY: the descriptor is the registered static; the new node is written to a variable of ours.
        Errno::check(unsafe { raw::ng_make_node_common(T::descriptor(), &raw mut node) })?;
        let node = NonNull::new(node).ok_or(Errno::ENOMEM)?;
        // SAFETY: a new node has one reference, which stands for its being there and goes with its data (take_private),
        // which it does not have yet: so it is alive. This reference is in addition.
        Ok(unsafe { Self::from_borrowed(node) })
    }

    fn is_a<T: NodeType>(&self) -> bool {
        // SAFETY: the node is alive, and its type is set before anyone can find it and never changes.
        unsafe { (*self.as_ptr()).nd_type == T::descriptor() }
    }

    fn private(&self) -> *mut *mut c_void {
        field!(self.as_ptr(), raw::ng_node, nd_private)
    }
}

/// Gives a node its data.
///
/// # Errors
/// `EINVAL`: the node is not of type `T`.
pub fn set_private<T: NodeType>(node: &Node, private: Arc<T::Private>) -> Result {
    if !node.is_a::<T>() {
        return Err(Errno::EINVAL);
    }
    let pointer = private.into_raw();
    // SAFETY: the place is an aligned word of a node that is alive.
    let place = unsafe { AtomicPtr::from_ptr(node.private()) };
    // Create left it null, and attach sets it once: so nothing can be taken away meanwhile, and the lock is not needed.
    place.store(pointer.as_ptr().cast(), Ordering::Release);
    Ok(())
}

/// The data of a node, if the node is of type `T` and has not been shut down.
#[must_use]
pub fn private_of<T: NodeType>(node: &Node) -> Option<Arc<T::Private>> {
    if !node.is_a::<T>() {
        return None;
    }
    let _guard = PRIVATE.lock();
    // SAFETY: PRIVATE is held, so that nobody takes the data away meanwhile.
    let pointer = NonNull::new(unsafe { node.private().read() })?;
    // SAFETY: the pointer is a count of this Arc, which stays with the node; the clone gets another.
    let private = core::mem::ManuallyDrop::new(unsafe { Arc::<T::Private>::from_raw(pointer.cast()) });
    Some(Arc::clone(&private))
}

/// Takes the data away from a node, and with it the reference that a new node has for its being there.
///
/// The two go together because netgraph may call shutdown more than once: it keeps "invalid" and "closing" in one word
/// that it changes without a lock, so that a node that is closed while somebody shuts it down can lose "closing". Only
/// the call that finds the data gives up the reference.
#[must_use]
pub fn take_private<T: NodeType>(node: &Node) -> Option<Arc<T::Private>> {
    if !node.is_a::<T>() {
        return None;
    }
    let pointer = {
        let _guard = PRIVATE.lock();
        // SAFETY: PRIVATE is held.
        NonNull::new(unsafe { node.private().replace(core::ptr::null_mut()) })?
    };
    // SAFETY: the node's first reference is given up by whoever takes its data, which is us; the caller has another.
    drop(unsafe { Node::from_counted(node.pointer()) });
    // SAFETY: the node's count is moved out of it.
    Some(unsafe { Arc::from_raw(pointer.cast()) })
}

/// Borrows the data of a node whose queue netgraph holds for us.
///
/// # Safety
/// Called from a method of a node of type `T` that netgraph calls with the node's queue held, and not kept beyond.
unsafe fn borrow<'a, T: NodeType>(node: *mut raw::ng_node) -> Option<&'a T::Private> {
    // SAFETY: netgraph passes a live node.
    let pointer = unsafe { field!(node, raw::ng_node, nd_private).read_volatile() };
    // SAFETY: shutdown, which takes the count away, needs the queue for writing, and netgraph holds it for this call.
    NonNull::new(pointer).map(|pointer| unsafe { Arc::borrow_raw(pointer.cast()) })
}

/// `ng_rcvmsg_t`
unsafe extern "C" fn rcvmsg<T: NodeType>(
    node: *mut raw::ng_node,
    item: *mut raw::ng_item,
    _: *mut raw::ng_hook,
) -> c_int {
    // SAFETY: netgraph passes a live node.
    let here = unsafe { (*node).nd_ID };
    // SAFETY: netgraph gives the item away.
    let message = unsafe { Item::from_raw(item) }.and_then(|item| item.into_message(here));
    // SAFETY: this is rcvmsg, and the borrow ends with it.
    let private = unsafe { borrow::<T>(node) };
    to_c(match (private, message) {
        (Some(private), Some(message)) => T::receive_message(private, message),
        _ => Err(Errno::EINVAL),
    })
}

/// `ng_rcvdata_t`
unsafe extern "C" fn rcvdata<T: NodeType>(hook: *mut raw::ng_hook, item: *mut raw::ng_item) -> c_int {
    // SAFETY: netgraph gives the item away.
    let packet = unsafe { Item::from_raw(item) }.and_then(Item::into_data);
    let Some(hook) = NonNull::new(hook) else {
        return Errno::EINVAL.get();
    };
    // SAFETY: netgraph passes a live hook, which keeps its node.
    let node = unsafe { (*hook.as_ptr()).hk_node };
    // SAFETY: as above; the name never changes, and the kernel wrote it into zeroed memory.
    let name = HookName::of_padded(unsafe { (*hook.as_ptr()).hk_name });
    // SAFETY: this is rcvdata, and the borrow ends with it.
    let private = unsafe { borrow::<T>(node) };
    to_c(match (private, packet) {
        (Some(private), Some(packet)) => T::receive_data(private, &name, packet),
        _ => Err(Errno::EINVAL),
    })
}

/// `ng_close_t`: before the hooks are removed.
unsafe extern "C" fn close<T: NodeType>(node: *mut raw::ng_node) -> c_int {
    // SAFETY: netgraph holds the node's queue for writing, as for shutdown, which follows; the borrow ends with this.
    if let Some(private) = unsafe { borrow::<T>(node) } {
        T::closing(private);
    }
    0
}

/// `ng_connect_t`: refusing here would be too late to say why, so that nothing is refused.
unsafe extern "C" fn connect<T: NodeType>(hook: *mut raw::ng_hook) -> c_int {
    let Some(hook) = NonNull::new(hook) else { return 0 };
    // SAFETY: netgraph passes a live hook, which keeps its node.
    let node = unsafe { (*hook.as_ptr()).hk_node };
    // SAFETY: as above.
    let hook = unsafe { Hook::from_borrowed(hook) };
    // SAFETY: netgraph holds the node's queue for writing; the borrow ends with this call.
    if let Some(private) = unsafe { borrow::<T>(node) } {
        T::connected(private, &hook);
    }
    0
}

/// `ng_shutdown_t`
unsafe extern "C" fn shutdown<T: NodeType>(node: *mut raw::ng_node) -> c_int {
    let Some(node) = NonNull::new(node) else { return 0 };
    // SAFETY: netgraph passes a live node.
    let node = unsafe { Node::from_borrowed(node) };
    if let Some(private) = take_private::<T>(&node) {
        T::shut_down(&private);
    }
    0
}

/// `ng_newhook_t`
unsafe extern "C" fn newhook<T: NodeType>(node: *mut raw::ng_node, hook: *mut raw::ng_hook, _: *const c_char) -> c_int {
    let (Some(node), Some(hook)) = (NonNull::new(node), NonNull::new(hook)) else {
        return Errno::EINVAL.get();
    };
    // SAFETY: netgraph passes a live node.
    let node = unsafe { Node::from_borrowed(node) };
    // SAFETY: netgraph passes a live hook, which carries its name already.
    let hook = unsafe { Hook::from_borrowed(hook) };
    to_c(
        private_of::<T>(&node)
            .ok_or(Errno::EINVAL)
            .and_then(|private| T::new_hook(&private, hook)),
    )
}

/// `ng_findhook_t`: the hook comes back without a reference, as netgraph wants it.
unsafe extern "C" fn findhook<T: NodeType>(node: *mut raw::ng_node, name: *const c_char) -> *mut raw::ng_hook {
    let none = core::ptr::null_mut();
    let Some(node) = NonNull::new(node) else { return none };
    // SAFETY: netgraph passes a live node.
    let node = unsafe { Node::from_borrowed(node) };
    // SAFETY: netgraph passes a C string, which stays as it is during the call.
    let Ok(name) = HookName::new(unsafe { CStr::from_ptr(name) }.to_bytes()) else {
        return none;
    };
    let hook = private_of::<T>(&node).and_then(|private| T::find_hook(&private, &name));
    hook.map_or(none, |hook| hook.as_ptr())
}

/// `ng_disconnect_t`
unsafe extern "C" fn disconnect<T: NodeType>(hook: *mut raw::ng_hook) -> c_int {
    let Some(hook) = NonNull::new(hook) else { return 0 };
    // SAFETY: netgraph passes a live hook, whose node it still names and keeps.
    let node = unsafe { (*hook.as_ptr()).hk_node };
    let Some(node) = NonNull::new(node) else { return 0 };
    // SAFETY: as above.
    let node = unsafe { Node::from_borrowed(node) };
    // SAFETY: as above.
    let hook = unsafe { Hook::from_borrowed(hook) };
    if let Some(private) = private_of::<T>(&node) {
        T::lost_hook(&private, &hook, node.hook_count());
    }
    0
}
