//! `capture`: hands the packets it receives to the test, sends those the test gives it, and answers messages as it is told.

use core::ffi::{CStr, c_int};
use std::collections::HashMap;

use kpi::Errno;
use kpi::raw::mbuf::{M_FLAGS_SHIFT, M_PKTHDR, mbuf};

use super::public;
use crate::netgraph::errors::Result;
use crate::netgraph::hook::HookRef;
use crate::netgraph::inspect::{Target, hook_of};
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{NodeType, forward, take_bytes};
use crate::netgraph::node::NodeRef;
use crate::netgraph::state;
use crate::sync::lock;
use crate::thread::Vnet;

#[derive(Default)]
pub(crate) struct Capture;

/// What tests know of the nodes: it outlives them.
#[derive(Default)]
pub(in crate::netgraph) struct Captured(HashMap<(Vnet, u32), Record>);

#[derive(Default)]
struct Record {
    frames: Vec<(String, Vec<u8>)>,
    /// What messages are answered with.
    answer: c_int,
}

/// Whether an mbuf says that it is a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// It has `M_PKTHDR`.
    Packet,
    /// It has not, as if its sender were faulty.
    Missing,
}

fn record<R>(node: &NodeRef, work: impl FnOnce(&mut Record) -> R) -> R {
    let mut captured = lock(&state().captured);
    work(captured.0.entry((node.vnet(), node.id())).or_default())
}

/// What a node has received so far: by which hook, and the bytes.
///
/// # Errors
/// `ENOENT`: there is no such node.
pub fn received(node: impl Into<Target>) -> core::result::Result<Vec<(String, Vec<u8>)>, Errno> {
    let node = node.into().find()?;
    Ok(record(&node, |record| record.frames.clone()))
}

/// Has a node send a packet out of a hook.
///
/// # Errors
/// `ENOENT`: there is no such node or hook. Else what the receiver answers.
pub fn inject(node: impl Into<Target>, hook: &str, bytes: &[u8], header: Header) -> core::result::Result<(), Errno> {
    let node = node.into().find()?;
    let hook = hook_of(&node, hook)?;
    let packet = core::ptr::NonNull::new(crate::mbuf::packet(bytes)).ok_or(Errno::ENOMEM)?;
    if header == Header::Missing {
        let flags = field(packet.as_ptr());
        // SAFETY: a new mbuf, ours alone.
        unsafe { *flags &= !(M_PKTHDR << M_FLAGS_SHIFT) };
    }
    // SAFETY: a new packet.
    match unsafe { Item::with_data(packet.as_ptr(), false) } {
        Some(item) => public(forward(item, &hook)),
        None => {
            // SAFETY: no item has it.
            unsafe { crate::mbuf::free(packet.as_ptr()) };
            Err(Errno::ENOMEM)
        }
    }
}

/// Where the flags of an mbuf are.
fn field(packet: *mut mbuf) -> *mut u32 {
    packet
        .wrapping_byte_add(core::mem::offset_of!(mbuf, m_type_flags))
        .cast()
}

/// Has a node answer messages with this code from now on: 0, an errno, or a negative code of the kernel's own.
///
/// # Errors
/// `ENOENT`: there is no such node.
pub fn answer(node: impl Into<Target>, code: c_int) -> core::result::Result<(), Errno> {
    let node = node.into().find()?;
    record(&node, |record| record.answer = code);
    Ok(())
}

impl NodeType for Capture {
    const NAME: &'static CStr = c"capture";

    fn receive(&self, node: &NodeRef, hook: &HookRef, item: Item) -> Result {
        let name = String::from_utf8_lossy(&hook.name()).into_owned();
        let frame = (name, take_bytes(item));
        record(node, |record| record.frames.push(frame));
        Ok(())
    }

    fn message(&self, node: &NodeRef, _hook: Option<&HookRef>, _message: &Message) -> Result<Option<Vec<u8>>> {
        match record(node, |record| record.answer) {
            0 => Ok(None),
            code => Err(code),
        }
    }
}
