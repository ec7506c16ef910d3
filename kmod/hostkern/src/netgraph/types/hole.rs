//! `hole`: consumes what it gets.

use core::ffi::CStr;

use crate::netgraph::errors::Result;
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::native::NodeType;
use crate::netgraph::node::NodeRef;

#[derive(Default)]
pub(crate) struct Hole;

impl NodeType for Hole {
    const NAME: &'static CStr = c"hole";

    fn receive(&self, _node: &NodeRef, _hook: &HookRef, item: Item) -> Result {
        drop(item);
        Ok(())
    }
}
