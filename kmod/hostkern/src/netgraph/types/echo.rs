//! `echo`: sends packets and messages back.

use core::ffi::CStr;

use crate::netgraph::errors::Result;
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{NodeType, forward};
use crate::netgraph::node::NodeRef;

#[derive(Default)]
pub(crate) struct Echo;

impl NodeType for Echo {
    const NAME: &'static CStr = c"echo";

    fn receive(&self, _node: &NodeRef, hook: &HookRef, item: Item) -> Result {
        forward(item, hook)
    }

    fn message(&self, _node: &NodeRef, _hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        Ok(Some(message.arguments().to_vec()))
    }
}
