//! Items: what travels through the graph.

use core::ffi::{c_int, c_ulong, c_void};
use core::mem::offset_of;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicI32, Ordering};

use kpi::raw::mbuf::mbuf;
use kpi::raw::netgraph as raw;
use kpi::raw::ng_message::ng_mesg;

use super::gate::Mode;
use super::hook::HookRef;
use super::message::Message;
use super::node::NodeRef;
use super::reference::Ref;
use super::state;
use super::step::Step;
use crate::memory::{self, Zone};

const TYPE: c_ulong = 0x3;
const MESSAGE: c_ulong = 0;
const DATA: c_ulong = 1;
const FUNCTION: c_ulong = 2;
/// `NGQF_READER`; without it a writer.
const READER: c_ulong = 0x4;
/// `NGM_READONLY`
const READONLY: u32 = 0x1000_0000;

/// What an item carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Message,
    Data,
    /// Something that netgraph itself has to do on the node.
    Step(Step),
}

/// An item.
///
/// # Invariants
/// The pointer is a valid item that belongs to this value alone; the references in it are its own.
pub(crate) struct Item(NonNull<raw::ng_item>);

// SAFETY: an item belongs to one thread after the other.
unsafe impl Send for Item {}

impl Item {
    /// Takes an item over from C.
    ///
    /// # Safety
    /// The item is valid, and the caller's no more.
    pub(crate) unsafe fn from_raw(item: NonNull<raw::ng_item>) -> Self {
        // INVARIANT: the caller gives the item away.
        Self(item)
    }

    /// Gives the item to C.
    pub(crate) fn into_raw(self) -> *mut raw::ng_item {
        let pointer = self.0.as_ptr();
        core::mem::forget(self);
        pointer
    }

    fn create(kind: c_ulong, body: *mut c_void, may_sleep: bool) -> Option<Self> {
        let memory = memory::allocate(Zone::Item, size_of::<raw::ng_item>(), may_sleep);
        let item = NonNull::new(memory.cast::<raw::ng_item>())?;
        state().items.fetch_add(1, Ordering::Relaxed);
        // INVARIANT: new memory of this size, zeroed: an item without contents.
        let mut item = Self(item);
        item.raw_mut().el_flags = kind;
        item.raw_mut().body = body;
        Some(item)
    }

    /// An item with a packet, or with none. `None` if there is no memory; the packet stays the caller's.
    ///
    /// # Safety
    /// `packet` is a valid chain or null; the item owns it from now on.
    pub(crate) unsafe fn with_data(packet: *mut mbuf, may_sleep: bool) -> Option<Self> {
        Self::create(DATA | READER, packet.cast(), may_sleep)
    }

    /// An item with a message. A message that changes nothing is a reader.
    pub(crate) fn with_message(message: Message, may_sleep: bool) -> Option<Self> {
        let readonly = message.header().cmd & READONLY != 0;
        let flags = if readonly { MESSAGE | READER } else { MESSAGE };
        let mut item = Self::create(flags, null_mut(), may_sleep)?;
        item.put_message(message);
        Some(item)
    }

    /// An item that has netgraph do something as the writer of a node.
    pub(crate) fn with_step(step: Step) -> Option<Self> {
        Self::create(FUNCTION, step.to_body(), false)
    }

    /// Makes another step of an item whose contents are used up.
    pub(crate) fn become_step(&mut self, step: Step) {
        self.raw_mut().el_flags = FUNCTION;
        self.raw_mut().body = step.to_body();
    }

    fn raw(&self) -> &raw::ng_item {
        // SAFETY: valid and ours (invariant).
        unsafe { self.0.as_ref() }
    }

    fn raw_mut(&mut self) -> &mut raw::ng_item {
        // SAFETY: valid and ours (invariant).
        unsafe { self.0.as_mut() }
    }

    pub(crate) fn content(&self) -> Content {
        match self.raw().el_flags & TYPE {
            MESSAGE => Content::Message,
            DATA => Content::Data,
            _ => Content::Step(Step::from_body(self.raw().body)),
        }
    }

    /// How the item itself wants to work on its node.
    pub(crate) fn mode(&self) -> Mode {
        if self.raw().el_flags & READER != 0 {
            Mode::Reader
        } else {
            Mode::Writer
        }
    }

    pub(crate) fn has_body(&self) -> bool {
        !self.raw().body.is_null()
    }

    /// Takes the message out.
    pub(crate) fn take_message(&mut self) -> Option<Message> {
        let body = core::mem::replace(&mut self.raw_mut().body, null_mut());
        // SAFETY: the body of a message item is a message, the item's own until now.
        NonNull::new(body.cast::<ng_mesg>()).map(|message| unsafe { Message::from_raw(message) })
    }

    /// Puts a message in, in place of the one taken out.
    pub(crate) fn put_message(&mut self, message: Message) {
        self.raw_mut().body = message.into_raw().cast();
    }

    /// Takes the packet out; null if there is none.
    pub(crate) fn take_data(&mut self) -> *mut mbuf {
        core::mem::replace(&mut self.raw_mut().body, null_mut()).cast()
    }

    /// How many bytes the packet has.
    pub(crate) fn data_length(&self) -> usize {
        debug_assert!(self.content() == Content::Data);
        // SAFETY: the item's own packet, or null.
        unsafe { crate::mbuf::length(self.raw().body.cast()) }
    }

    /// The ID of the node that a message came from.
    pub(crate) fn sender(&self) -> u32 {
        self.raw().msg_retaddr
    }

    /// Sets the return address of a message: the one given, else that of `here` if it has none yet.
    pub(crate) fn set_sender(&mut self, address: u32, here: Option<&NodeRef>) {
        if self.content() != Content::Message {
            return;
        }
        if address != 0 {
            self.raw_mut().msg_retaddr = address;
        } else if self.raw().msg_retaddr == 0 {
            self.raw_mut().msg_retaddr = here.map_or(0, |node| node.id());
        }
    }

    /// Forgets the return address.
    pub(crate) fn clear_sender(&mut self) {
        self.raw_mut().msg_retaddr = 0;
    }

    pub(crate) fn take_destination(&mut self) -> Option<NodeRef> {
        let node = core::mem::replace(&mut self.raw_mut().el_dest, null_mut());
        // SAFETY: the item's own reference (invariant), moved out.
        NonNull::new(node.cast()).map(|node| unsafe { Ref::from_counted(node) })
    }

    pub(crate) fn set_destination(&mut self, node: NodeRef) {
        drop(self.take_destination());
        self.raw_mut().el_dest = node.into_raw().cast();
    }

    pub(crate) fn take_hook(&mut self) -> Option<HookRef> {
        let hook = core::mem::replace(&mut self.raw_mut().el_hook, null_mut());
        // SAFETY: the item's own reference (invariant), moved out.
        NonNull::new(hook.cast()).map(|hook| unsafe { Ref::from_counted(hook) })
    }

    pub(crate) fn set_hook(&mut self, hook: Option<HookRef>) {
        drop(self.take_hook());
        self.raw_mut().el_hook = hook.map_or(null_mut(), |hook| hook.into_raw().cast());
    }

    /// How often the item was sent on without being queued.
    pub(crate) fn depth(&self) -> u32 {
        self.raw().depth
    }

    pub(crate) fn set_depth(&mut self, depth: u32) {
        self.raw_mut().depth = depth;
    }

    /// Whom to tell what became of the item.
    pub(crate) fn apply(&self) -> Option<Apply> {
        NonNull::new(self.raw().apply).map(Apply)
    }

    /// Has the same one told.
    pub(crate) fn share_apply(&mut self, other: &Self) {
        self.raw_mut().apply = other.raw().apply;
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        match self.content() {
            Content::Message => drop(self.take_message()),
            // SAFETY: the item's own packet, or null.
            Content::Data => unsafe { crate::mbuf::free(self.take_data()) },
            Content::Step(_) => {}
        }
        drop(self.take_destination());
        drop(self.take_hook());
        state().items.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: allocated in create, and nobody else's (invariant).
        unsafe { memory::release(Zone::Item, self.0.as_ptr().cast()) };
    }
}

/// `struct ng_apply_info`
#[repr(C)]
struct ApplyInfo {
    apply: Option<unsafe extern "C" fn(*mut c_void, c_int)>,
    context: *mut c_void,
    references: AtomicI32,
    error: AtomicI32,
}

const _: () = {
    assert!(size_of::<ApplyInfo>() == size_of::<raw::ng_apply_info>());
    assert!(offset_of!(ApplyInfo, references) == offset_of!(raw::ng_apply_info, refs));
    assert!(offset_of!(ApplyInfo, error) == offset_of!(raw::ng_apply_info, error));
};

/// Who is told what became of an item, once, when nothing that was sent on its behalf is under way any more.
///
/// # Invariants
/// Valid as long as an item that was sent with it has not been applied.
#[derive(Clone, Copy)]
pub(crate) struct Apply(NonNull<raw::ng_apply_info>);

impl Apply {
    fn info(&self) -> &ApplyInfo {
        // SAFETY: valid (invariant); both types have the same layout.
        unsafe { self.0.cast().as_ref() }
    }

    /// One more item is sent with it.
    pub(crate) fn expect(self) {
        self.info().references.fetch_add(1, Ordering::Relaxed);
    }

    /// Keeps an error.
    pub(crate) fn fail(self, error: c_int) {
        self.info().error.store(error, Ordering::Release);
    }

    /// One of its items is done; the last one has the callback called.
    pub(crate) fn done(self) {
        match self.info().references.fetch_sub(1, Ordering::AcqRel) {
            1 => {
                let (info, error) = (self.info(), self.info().error.load(Ordering::Acquire));
                let Some(apply) = info.apply else {
                    crate::report::panic("an item asks for a callback that is null")
                };
                // SAFETY: the sender's callback with its own context, called once: the counter is 0.
                unsafe { apply(info.context, error) };
            }
            count if count < 1 => crate::report::panic("a callback is let go of more often than it was asked for"),
            _ => {}
        }
    }
}
