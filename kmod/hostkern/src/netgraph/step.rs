//! What netgraph itself does on a node, as its writer.

use core::ffi::{c_int, c_void};

use super::connect;
use super::errors::{EINVAL, Result};
use super::hook::HookRef;
use super::item::Item;
use super::node::NodeRef;

/// What is to be done. (The body of such an item is its number.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Remove the node.
    RemoveNode = 1,
    /// Remove the hook.
    RemoveHook,
    /// Connect the hook to this, the second node.
    ConnectSecond,
    /// Tell the first node that its hook is connected.
    ConnectFirst,
}

impl Step {
    pub(super) fn to_body(self) -> *mut c_void {
        core::ptr::without_provenance_mut(self as usize)
    }

    pub(super) fn from_body(body: *mut c_void) -> Self {
        match body.addr() {
            1 => Self::RemoveNode,
            2 => Self::RemoveHook,
            3 => Self::ConnectSecond,
            4 => Self::ConnectFirst,
            _ => crate::report::panic("an item carries neither data nor a message, nor a step of netgraph's own"),
        }
    }

    /// Does it. Nothing but its removal happens on an invalid node.
    pub(super) fn perform(self, node: &NodeRef, hook: Option<&HookRef>, item: Item) -> Result {
        if !node.is_valid() && self != Self::RemoveNode {
            return Err(EINVAL);
        }
        match (self, hook) {
            (Self::RemoveNode, _) => connect::remove_node(node),
            (Self::RemoveHook, Some(hook)) => connect::destroy_hook(hook),
            (Self::ConnectSecond, Some(hook)) => return connect::connect_second(node, hook, item),
            (Self::ConnectFirst, Some(hook)) => return connect::connect_first(hook),
            (_, None) => return Err(EINVAL),
        }
        Ok(())
    }
}

/// Sends a step to a node. The sender of `on_behalf_of`, if any, is told only when it is done as well.
pub(super) fn send(step: Step, node: &NodeRef, hook: Option<&HookRef>, on_behalf_of: Option<&Item>) -> c_int {
    let Some(mut item) = Item::with_step(step) else {
        return super::errors::ENOMEM;
    };
    if let Some(other) = on_behalf_of {
        item.share_apply(other);
    }
    address(&mut item, node, hook);
    super::send::send(item, 0)
}

/// Sends a step with an item that is there already.
pub(super) fn resend(mut item: Item, step: Step, node: &NodeRef, hook: &HookRef) -> c_int {
    item.become_step(step);
    address(&mut item, node, Some(hook));
    super::send::send(item, 0)
}

fn address(item: &mut Item, node: &NodeRef, hook: Option<&HookRef>) {
    item.set_destination(node.clone());
    item.set_hook(hook.cloned());
}
