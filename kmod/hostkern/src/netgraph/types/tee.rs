//! `tee`: passes packets between `left` and `right`, and copies of them to `left2right` and `right2left`.

use core::ffi::CStr;

use crate::netgraph::errors::{EINVAL, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::native::{NodeType, forward, hook, send_bytes, take_bytes};
use crate::netgraph::node::NodeRef;

#[derive(Default)]
pub(crate) struct Tee;

/// Where a packet from a hook goes, and where its copy.
fn route(from: &[u8]) -> Option<(&'static CStr, Option<&'static CStr>)> {
    match from {
        b"left" => Some((c"right", Some(c"left2right"))),
        b"right" => Some((c"left", Some(c"right2left"))),
        b"left2right" => Some((c"right", None)),
        b"right2left" => Some((c"left", None)),
        _ => None,
    }
}

impl NodeType for Tee {
    const NAME: &'static CStr = c"tee";

    fn new_hook(&self, name: &[u8]) -> Result {
        route(name).map(|_| ()).ok_or(EINVAL)
    }

    fn receive(&self, node: &NodeRef, from: &HookRef, item: Item) -> Result {
        let (onward, copy) = route(&from.name()).ok_or(EINVAL)?;
        let copy = copy.and_then(|name| hook(node, name));
        let onward = hook(node, onward);
        let Some(copy) = copy else {
            return onward.map_or(Ok(()), |onward| forward(item, &onward));
        };
        let bytes = take_bytes(item);
        let copied = send_bytes(&bytes, &copy);
        onward.map_or(Ok(()), |onward| send_bytes(&bytes, &onward)).and(copied)
    }
}
