//! Items: what travels through the graph.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_int, c_void};
use core::ptr::NonNull;

use super::message::Message;
use super::node::{Hook, LOOKUP, Node};
use super::node_type::{NodeType, private_of};
use crate::epoch::NetEpoch;
use crate::errno::{Errno, Result};
use crate::mbuf::Mbuf;
use crate::memory::{Arc, Settle, Wait};
use crate::raw::netgraph as raw;

/// An item that is not on its way; freed with its contents when dropped.
///
/// # Invariants
/// The pointer is an item that belongs to this value alone.
pub struct Item(NonNull<raw::ng_item>);

const fn flags(wait: Wait) -> c_int {
    match wait {
        Wait::Sleep => raw::NG_WAITOK,
        Wait::Never => raw::NG_NOFLAGS,
    }
}

impl Item {
    /// Takes an item over from netgraph.
    ///
    /// # Safety
    /// The item is valid and nobody else's any more.
    pub(crate) unsafe fn from_raw(pointer: *mut raw::ng_item) -> Option<Self> {
        // INVARIANT: the caller gives the item away.
        NonNull::new(pointer).map(Self)
    }

    fn into_raw(self) -> *mut raw::ng_item {
        let pointer = self.0.as_ptr();
        core::mem::forget(self);
        pointer
    }

    /// An item that carries a control message.
    ///
    /// # Errors
    /// `ENOMEM`: there is no item, and `wait` forbids to sleep. The message is freed.
    pub fn with_message(message: Message, wait: Wait) -> Result<Self> {
        // SAFETY: the message goes to the item, or is freed when there is none.
        let item = unsafe { raw::ng_package_msg(message.into_raw(), flags(wait)) };
        // SAFETY: a new item, or null.
        unsafe { Self::from_raw(item) }.ok_or(Errno::ENOMEM)
    }

    /// An item that carries a packet, or none: then it serves to look up an address.
    ///
    /// # Errors
    /// `ENOMEM`: there is no item, and `wait` forbids to sleep. The packet is freed.
    pub fn with_data(packet: Option<Mbuf>, wait: Wait) -> Result<Self> {
        let packet = packet.map_or(core::ptr::null_mut(), Mbuf::into_raw);
        // SAFETY: the packet goes to the item, or is freed when there is none; null is an item without one.
        let item = unsafe { raw::ng_package_data(packet, flags(wait)) };
        // SAFETY: a new item, or null.
        unsafe { Self::from_raw(item) }.ok_or(Errno::ENOMEM)
    }

    /// Addresses the item by a path: `name:`, `[id]:`, `.:`, or hooks seen from `here`.
    ///
    /// # Errors
    /// `EINVAL`: the path makes no sense, or is relative without `here`. `ENOENT`: there is no such node or hook. The
    /// item is freed.
    pub fn address_path(self, here: Option<&Node>, path: &CStr) -> Result<Addressed> {
        if here.is_none() && is_relative(path) {
            return Err(Errno::EINVAL);
        }
        let here = here.map_or(core::ptr::null_mut(), Node::as_ptr);
        let item = self.into_raw();
        let _guard = LOOKUP.lock();
        // SAFETY: `here` is alive or null, and null only for a path that does not begin there; the item is ours.
        Errno::check(unsafe { raw::ng_address_path(here, item, path.as_ptr(), 0) })?;
        // SAFETY: only a failed call frees the item.
        let addressed = unsafe { Self::from_raw(item) }.map(Addressed).ok_or(Errno::EINVAL)?;
        // A node that was shut down is found by its ID as long as somebody refers to it, as a socket does.
        if addressed.leads_to_valid() {
            Ok(addressed)
        } else {
            Err(Errno::ENOENT)
        }
    }

    /// Addresses the item to whatever is at the other end of `hook`.
    ///
    /// # Errors
    /// `ENETDOWN`: the hook, its peer or the node there is going away. The item is freed.
    pub fn address_hook(self, hook: &Hook) -> Result<Addressed> {
        let item = self.into_raw();
        // SAFETY: the hook is alive while it is borrowed; the item is ours.
        Errno::check(unsafe { raw::ng_address_hook(core::ptr::null_mut(), item, hook.as_ptr(), 0) })?;
        // SAFETY: only a failed call frees the item.
        unsafe { Self::from_raw(item) }.map(Addressed).ok_or(Errno::EINVAL)
    }

    /// Takes the control message out of an item that the node with the ID `here` received.
    pub(crate) fn into_message(self, here: u32) -> Option<Incoming> {
        let item = self.0.as_ptr();
        // SAFETY: the item is ours (invariant) and carries a message, as items handed to rcvmsg do.
        let message = unsafe { core::mem::replace(&mut (*item).body, core::ptr::null_mut()) };
        // SAFETY: as above.
        let sender = unsafe { (*item).msg_retaddr };
        // SAFETY: the item gave the message up.
        let message = unsafe { Message::from_raw(message.cast()) }?;
        Some(Incoming {
            item: self,
            message,
            sender,
            here,
        })
    }

    /// Takes the packet out of a received item.
    #[must_use]
    pub fn into_data(self) -> Option<Mbuf> {
        let item = self.0.as_ptr();
        // SAFETY: the item is ours (invariant) and carries data, as items handed to rcvdata do.
        let packet = unsafe { core::mem::replace(&mut (*item).body, core::ptr::null_mut()) };
        // SAFETY: the item gave the packet up.
        unsafe { Mbuf::from_raw(packet.cast()) }
    }
}

/// Whether a path begins at the node that uses it: `.:…`, or no node at all.
fn is_relative(path: &CStr) -> bool {
    let path = path.to_bytes();
    path.starts_with(b".:") || !path.contains(&b':')
}

impl Drop for Item {
    fn drop(&mut self) {
        // SAFETY: the item is ours alone (invariant).
        unsafe { raw::ng_free_item(self.0.as_ptr()) }
    }
}

/// A control message that a node received, and the item it came in, which can carry an answer.
pub struct Incoming {
    item: Item,
    message: Message,
    sender: u32,
    here: u32,
}

impl Incoming {
    /// The message.
    #[must_use]
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// The ID of the node that sent it.
    #[must_use]
    pub const fn sender(&self) -> u32 {
        self.sender
    }

    /// Sends an answer with these arguments. It goes in the same item, so that a sender that waits for the message to be
    /// applied waits for the answer, too. Never sleeps.
    ///
    /// # Errors
    /// `ENOMEM`: there is no memory for it. `EINVAL`: the sender is gone.
    pub fn respond(self, arguments: &[u8]) -> Result {
        let answer = Message::response(&self.message, arguments)?;
        let item = self.item.into_raw();
        // SAFETY: the item is ours and carries nothing since its message was taken out.
        unsafe { (*item).body = answer.into_raw().cast() };
        // SAFETY: the item is ours and of the kind that carries messages; it is freed if this fails.
        Errno::check(unsafe { raw::ng_address_ID(core::ptr::null_mut(), item, self.sender, self.here) })?;
        // SAFETY: the item is addressed; netgraph consumes it. It is queued since we are inside the node's own method.
        Errno::check(unsafe { raw::ng_snd_item(item, raw::NG_QUEUE) })
    }
}

/// How far a message got when the call that sent it returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The destination has seen it; what it sent on its behalf, such as an answer, may still be on its way.
    Applied,
    /// It waits in a queue.
    Queued,
}

/// Somebody who wants to know what became of an item.
pub trait Notified: Send + Sync {
    /// The item has been applied, and whatever was sent on its behalf (connecting hooks takes three steps on two nodes);
    /// or it was thrown away. Called once, on any thread, without sleeping.
    fn applied(&self, result: Result);
}

/// A message on its way: what netgraph calls back into, and whom to tell.
pub struct Pending<N> {
    info: UnsafeCell<raw::ng_apply_info>,
    notified: N,
}

// SAFETY: `info` is netgraph's alone once the message is sent; before, only send_notify knows of it.
unsafe impl<N: Send> Send for Pending<N> {}
// SAFETY: as above.
unsafe impl<N: Sync> Sync for Pending<N> {}

impl<N> Settle for Pending<N> {
    fn settle(&self) {}
}

impl<N> core::ops::Deref for Pending<N> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.notified
    }
}

/// A [`Pending`] that was done with, kept for the next message, if there is one.
pub struct Spare<N>(Option<Arc<Pending<N>>>);

impl<N> Default for Spare<N> {
    fn default() -> Self {
        Self(None)
    }
}

impl<N> Spare<N> {
    /// Keeps `pending`. It is used again once netgraph is done with it, too.
    pub fn keep(&mut self, pending: Arc<Pending<N>>) {
        self.0 = Some(pending);
    }

    /// `fresh`, in the memory that was kept, or in new memory.
    fn renew(&mut self, fresh: Pending<N>) -> Result<Arc<Pending<N>>> {
        if let Some(mut kept) = self.0.take()
            && let Some(place) = kept.unique()
        {
            *place = fresh;
            return Ok(kept);
        }
        Arc::new(fresh, Wait::Sleep)
    }
}

/// netgraph's callback, `ng_apply_info.apply`.
///
/// # Safety
/// `context` is a count of an `Arc<Pending<N>>` that [`Addressed::send_notify`] left to netgraph, which calls this once.
unsafe extern "C" fn applied<N: Notified>(context: *mut c_void, error: c_int) {
    if let Some(context) = NonNull::new(context) {
        // SAFETY: send_notify left the count, and netgraph gives it back by this call.
        let pending = unsafe { Arc::<Pending<N>>::from_raw(context.cast()) };
        pending.applied(Errno::check(error));
    }
}

/// An item that knows where to go.
pub struct Addressed(Item);

impl Addressed {
    /// Whether the node it is addressed to has not been shut down.
    fn leads_to_valid(&self) -> bool {
        // SAFETY: the item is ours (invariant of Item), and addressing left a node in it.
        let node = unsafe { (*self.0.0.as_ptr()).el_dest };
        // SAFETY: the item's reference keeps the node alive.
        NonNull::new(node).is_some_and(|node| unsafe { Node::from_borrowed(node) }.is_valid())
    }

    /// The node the item is addressed to; the item is freed.
    #[must_use]
    pub fn into_node(self) -> Option<Node> {
        let item = self.0.0.as_ptr();
        // SAFETY: the item is ours (invariant of Item).
        let node = unsafe { core::mem::replace(&mut (*item).el_dest, core::ptr::null_mut()) };
        // SAFETY: the reference that addressing counted for the item is moved out of it.
        NonNull::new(node).map(|node| unsafe { Node::from_counted(node) })
    }

    /// The data of the node the item is addressed to, if it is of type `T` and has not been shut down.
    #[must_use]
    pub fn private_of<T: NodeType>(&self) -> Option<Arc<T::Private>> {
        // SAFETY: the item is ours (invariant of Item).
        let node = NonNull::new(unsafe { (*self.0.0.as_ptr()).el_dest })?;
        // SAFETY: the item's reference keeps the node, and goes on being the item's, since this one is not dropped.
        let node = core::mem::ManuallyDrop::new(unsafe { Node::from_counted(node) });
        private_of::<T>(&node)
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// Whatever the destination answers; a packet that was queued counts as sent.
    pub fn send_data(self, _inside: &NetEpoch) -> Result {
        // SAFETY: the item is ours and addressed; netgraph consumes it.
        Errno::check(unsafe { raw::ng_snd_item(self.0.into_raw(), raw::NG_NOFLAGS) })
    }

    /// Sends a message and has `notified` told what became of it, perhaps before this returns.
    ///
    /// An error that the destination answers at once is for `notified`; the message counts as applied.
    ///
    /// # Errors
    /// `ENOMEM`: there is no memory for the notification; the item is freed.
    pub fn send_notify<N: Notified>(self, notified: N, spare: &mut Spare<N>) -> Result<(Arc<Pending<N>>, Sent)> {
        let info = UnsafeCell::new(raw::ng_apply_info {
            apply: Some(applied::<N>),
            context: core::ptr::null_mut(),
            refs: 0,
            error: 0,
        });
        let pending = spare.renew(Pending { info, notified })?;
        let info = pending.info.get();
        // SAFETY: nobody else knows of the message yet.
        unsafe { (*info).context = Arc::clone(&pending).into_raw().as_ptr().cast() };
        let item = self.0.into_raw();
        // SAFETY: the item is ours and has no callback yet; the count just made keeps `info` until it is called.
        unsafe { (*item).apply = info };
        // SAFETY: the item is addressed; netgraph consumes it and calls `applied` exactly once.
        let code = unsafe { raw::ng_snd_item(item, raw::NG_PROGRESS) };
        let sent = if code == Errno::EINPROGRESS.get() {
            Sent::Queued
        } else {
            Sent::Applied
        };
        Ok((pending, sent))
    }
}

#[cfg(test)]
mod tests {
    use super::is_relative;

    #[test]
    fn paths_that_begin_here() {
        for path in [c".:", c".:hook", c"hook", c"hook.hook", c""] {
            assert!(is_relative(path), "{path:?}");
        }
        for path in [c"name:", c"[1f]:", c"name:hook"] {
            assert!(!is_relative(path), "{path:?}");
        }
    }
}
