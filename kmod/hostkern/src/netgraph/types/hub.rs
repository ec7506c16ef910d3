//! `hub`: sends what comes in by one hook out of all others.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};

use kpi::raw::netgraph::ng_cmdlist;

use super::arguments::command_of;
use crate::netgraph::ascii::list::{END, NONE, command};
use crate::netgraph::errors::{EINVAL, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{Afterwards, NodeType, hooks, leave_with_last_hook, send_bytes, take_bytes};
use crate::netgraph::node::NodeRef;

/// `NGM_HUB_COOKIE`
const COOKIE: u32 = 1_082_189_597;
/// `NGM_HUB_SET_PERSISTENT`
const SET_PERSISTENT: u32 = 1;

#[derive(Default)]
pub(crate) struct Hub {
    /// Outlives its last hook.
    persistent: AtomicBool,
}

/// Sends a packet out of every hook but the one it came in by. The first failure counts.
fn flood(node: &NodeRef, from: &HookRef, bytes: &[u8]) -> Result {
    let others = hooks(node).into_iter().filter(|hook| hook.address() != from.address());
    others.map(|hook| send_bytes(bytes, &hook)).fold(Ok(()), Result::and)
}

impl NodeType for Hub {
    const NAME: &'static CStr = c"hub";

    const COMMANDS: &'static [ng_cmdlist] = &[command(COOKIE, SET_PERSISTENT, c"setpersistent", NONE, NONE), END];

    fn receive(&self, node: &NodeRef, hook: &HookRef, item: Item) -> Result {
        flood(node, hook, &take_bytes(item))
    }

    fn message(&self, _node: &NodeRef, _hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        if command_of(message, COOKIE)? != SET_PERSISTENT {
            return Err(EINVAL);
        }
        self.persistent.store(true, Ordering::Relaxed);
        Ok(None)
    }

    fn disconnected(&self, node: &NodeRef, _hook: &HookRef) -> Afterwards {
        if self.persistent.load(Ordering::Relaxed) {
            Afterwards::Stay
        } else {
            leave_with_last_hook(node)
        }
    }
}
