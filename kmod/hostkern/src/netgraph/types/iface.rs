//! `iface`: a point-to-point interface of the host's that a node brings with it, as ng_iface(4) has it, except that no
//! protocols lie above it: all its packets are taken in, although nobody has given it an address. Nodes live until they are
//! shut down.

use core::ffi::CStr;

use kpi::raw::netgraph::ng_cmdlist;

use super::arguments::command_of;
use super::ifnet::{HasIfnet, Ifnet, is_flow, known_hook};
use crate::netgraph::ascii::list::{END, NONE, command};
use crate::netgraph::ascii::types::{ng_parse_string_type, ng_parse_uint32_type};
use crate::netgraph::errors::{EINVAL, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{Afterwards, Construct, NodeType};
use crate::netgraph::node::NodeRef;

/// `NGM_IFACE_COOKIE`
const COOKIE: u32 = 1_108_312_559;
const GET_IFNAME: u32 = 1;
const POINT_TO_POINT: u32 = 2;
const BROADCAST: u32 = 3;
const GET_IFINDEX: u32 = 4;

pub(super) struct Iface(Ifnet);

impl Construct for Iface {
    fn construct(node: &NodeRef) -> Self {
        Self(Ifnet::create(node, "ng"))
    }
}

impl HasIfnet for Iface {
    fn ifnet(&self) -> &Ifnet {
        &self.0
    }
}

impl NodeType for Iface {
    const NAME: &'static CStr = c"iface";

    const COMMANDS: &'static [ng_cmdlist] = &[
        command(COOKIE, GET_IFNAME, c"getifname", NONE, &ng_parse_string_type),
        command(COOKIE, POINT_TO_POINT, c"point2point", NONE, NONE),
        command(COOKIE, BROADCAST, c"broadcast", NONE, NONE),
        command(COOKIE, GET_IFINDEX, c"getifindex", NONE, &ng_parse_uint32_type),
        END,
    ];

    fn new_hook(&self, _node: &NodeRef, name: &[u8]) -> Result {
        known_hook(name, &[c"inet", c"inet6"])
    }

    fn receive(&self, _node: &NodeRef, _hook: &HookRef, item: Item) -> Result {
        self.0.take_in(&item);
        Ok(())
    }

    fn message(&self, _node: &NodeRef, _hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        if is_flow(message) {
            return Ok(None);
        }
        match command_of(message, COOKIE)? {
            GET_IFNAME => Ok(Some(self.0.name_field())),
            GET_IFINDEX => Ok(Some(self.0.index().to_ne_bytes().to_vec())),
            // Flags that matter to the host's protocols only.
            POINT_TO_POINT | BROADCAST => Ok(None),
            _ => Err(EINVAL),
        }
    }

    fn disconnected(&self, _node: &NodeRef, _hook: &HookRef) -> Afterwards {
        Afterwards::Stay
    }
}
