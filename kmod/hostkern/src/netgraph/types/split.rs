//! `split`: what comes in by `in` goes out by `mixed`, and what comes in by `mixed` goes out by `out`.

use core::ffi::CStr;

use crate::netgraph::errors::{EINVAL, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::native::{NodeType, forward, hook};
use crate::netgraph::node::NodeRef;

#[derive(Default)]
pub(crate) struct Split;

impl NodeType for Split {
    const NAME: &'static CStr = c"split";

    fn new_hook(&self, _node: &NodeRef, name: &[u8]) -> Result {
        let known = [&b"in"[..], b"out", b"mixed"];
        known.contains(&name).then_some(()).ok_or(EINVAL)
    }

    fn receive(&self, node: &NodeRef, from: &HookRef, item: Item) -> Result {
        let onward = match &*from.name() {
            b"in" => c"mixed",
            b"mixed" => c"out",
            // The manual page: nothing is to come in there.
            _ => return Err(EINVAL),
        };
        hook(node, onward).map_or(Ok(()), |onward| forward(item, &onward))
    }
}
