//! Sending items, and applying them to nodes.

use core::cell::Cell;
use core::ffi::c_int;

use kpi::raw::netgraph::NG_PROGRESS;
use kpi::raw::ng_message::{NGF_RESP, NGM_GENERIC_COOKIE};

use super::errors::{EINPROGRESS, EINVAL, EIO, Result, check, to_c};
use super::gate::{Entry, Mode};
use super::hook::{self, HookRef};
use super::item::{Content, Item};
use super::node::{self, NodeRef};
use super::{generic, worker};
use crate::report;
use crate::sync::thread_local;

/// `NG_QUEUE`: queue the item in any case.
pub(super) const NG_QUEUE: c_int = 1;

/// How many nodes may send into each other on one stack; what goes deeper is queued. (FreeBSD measures the stack.)
const DEEPEST: u32 = 32;

thread_local! {
    /// How many nodes deep this thread is.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// `ng_snd_item`: applies an item now, or has it applied later.
pub(super) fn send(mut item: Item, flags: c_int) -> c_int {
    if let Some(apply) = item.apply() {
        apply.expect();
    }
    if item.content() == Content::Data && !item.has_body() {
        refuse(item, EINVAL);
        return EINVAL;
    }
    let Some(node) = item.take_destination() else {
        report::panic("an item is sent that was not addressed");
    };
    let hook = item.take_hook();
    let mode = mode_of(&item, &node, hook.as_ref());
    let has_to_wait = flags & NG_QUEUE != 0 || hook.as_ref().is_some_and(|hook| hook.has(hook::QUEUE)) || is_deep();
    item.set_hook(hook);
    let when = if has_to_wait { When::Later } else { When::Now };
    match enter(&node, item, mode, when) {
        Some(item) => apply_now(&node, item, mode),
        None if flags & NG_PROGRESS != 0 => EINPROGRESS,
        None => 0,
    }
}

/// Whether an item works alone: because it, its node or its hook wants so.
fn mode_of(item: &Item, node: &NodeRef, hook: Option<&HookRef>) -> Mode {
    let forced = node.has(node::FORCE_WRITER) || hook.is_some_and(|hook| hook.has(hook::FORCE_WRITER));
    if forced { Mode::Writer } else { item.mode() }
}

/// When an item may be applied.
enum When {
    /// At once, if the gate lets it in.
    Now,
    /// By a worker.
    Later,
}

/// Gives the item back if it was let in; else it waits, and refers to its node meanwhile.
fn enter(node: &NodeRef, mut item: Item, mode: Mode, when: When) -> Option<Item> {
    let depth = item.depth();
    item.set_destination(node.clone());
    item.set_depth(1);
    worker::expect();
    let entry = match when {
        When::Now => node.gate().enter(item, mode),
        When::Later => Entry::Queued(node.gate().push(item, mode)),
    };
    match entry {
        Entry::Granted(mut item) => {
            worker::done(1);
            drop(item.take_destination());
            item.set_depth(depth + 1);
            Some(item)
        }
        Entry::Queued(schedule) => {
            worker::schedule(node, schedule);
            None
        }
    }
}

fn apply_now(node: &NodeRef, item: Item, mode: Mode) -> c_int {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let result = apply(node, item, mode);
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    to_c(result)
}

fn is_deep() -> bool {
    DEPTH.with(|depth| depth.get() >= DEEPEST)
}

/// Tells the sender that its item was not sent.
fn refuse(item: Item, error: c_int) {
    if let Some(apply) = item.apply() {
        if item.depth() == 0 {
            apply.fail(error);
        }
        apply.done();
    }
}

/// Throws away what waits for a node that is going away.
pub(super) fn flush(node: &NodeRef) {
    for item in node.gate().drain() {
        if let Some(apply) = item.apply() {
            if item.depth() == 1 {
                apply.fail(super::errors::ENOENT);
            }
            apply.done();
        }
        drop(item);
        worker::done(1);
    }
}

/// Applies an item to a node whose gate let it in, leaves the gate, and tells the sender.
pub(super) fn apply(node: &NodeRef, mut item: Item, mode: Mode) -> Result {
    let hook = item.take_hook();
    let (apply, depth) = (item.apply(), item.depth());
    let result = match item.content() {
        Content::Data => deliver_data(node, hook.as_ref(), item),
        Content::Message => deliver_message(node, hook.as_ref(), item),
        Content::Step(step) => step.perform(node, hook.as_ref(), item),
    };
    drop(hook);
    worker::schedule(node, node.gate().leave(mode));
    if let Some(apply) = apply {
        if let (1, Err(error)) = (depth, result) {
            apply.fail(error);
        }
        apply.done();
    }
    result
}

fn deliver_data(node: &NodeRef, hook: Option<&HookRef>, item: Item) -> Result {
    let Some(hook) = hook else {
        report::panic("data are sent to no hook");
    };
    if !hook.is_valid() || !node.is_valid() {
        return Err(EIO);
    }
    match hook.receive_data.get().or(node.kind().rcvdata) {
        // SAFETY: the type's method, its own hook, and an item that it consumes.
        Some(receive) => check(unsafe { receive(hook.as_raw(), item.into_raw()) }),
        None => Ok(()),
    }
}

fn deliver_message(node: &NodeRef, hook: Option<&HookRef>, mut item: Item) -> Result {
    let hook = hook.filter(|hook| hook.is_valid());
    if !node.is_valid() {
        return Err(EINVAL);
    }
    let message = item.take_message().ok_or(EINVAL)?;
    let header = message.header();
    if header.typecookie == NGM_GENERIC_COOKIE && header.flags & NGF_RESP == 0 {
        return generic::handle(node, hook, item, message);
    }
    item.put_message(message);
    let special = hook.and_then(|hook| hook.receive_message.get());
    hand_over(node, hook, item, special)
}

/// Hands a message to the type of its node, or to the method that the hook has of its own.
pub(super) fn hand_over(
    node: &NodeRef,
    hook: Option<&HookRef>,
    item: Item,
    special: Option<kpi::raw::netgraph::ng_rcvmsg_t>,
) -> Result {
    let hook = hook.map_or(core::ptr::null_mut(), HookRef::as_raw);
    match special.or(node.kind().rcvmsg) {
        // SAFETY: the type's method, its own node and hook, and an item that it consumes.
        Some(receive) => check(unsafe { receive(node.as_raw(), item.into_raw(), hook) }),
        None => Ok(()),
    }
}
