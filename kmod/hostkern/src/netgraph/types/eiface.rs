//! `eiface`: an Ethernet interface of the host's that a node brings with it, as ng_eiface(4) has it, except that no protocols
//! lie above it and it is always up. Nodes live until they are shut down.

use core::ffi::CStr;

use kpi::raw::netgraph::ng_cmdlist;

use super::arguments::{ETHERNET_HEADER, Mac, command_of, mac};
use super::ifnet::{HasIfnet, Ifnet, is_flow, known_hook};
use crate::netgraph::ascii::list::{END, NONE, command};
use crate::netgraph::ascii::types::{ng_parse_enaddr_type, ng_parse_string_type};
use crate::netgraph::errors::{EINVAL, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{Afterwards, Construct, NodeType};
use crate::netgraph::node::NodeRef;
use crate::sync::{Mutex, lock};

/// `NGM_EIFACE_COOKIE`
const COOKIE: u32 = 948_105_892;
const GET_IFNAME: u32 = 1;
const GET_IFADDRS: u32 = 2;
const SET: u32 = 3;

/// `AF_LINK`
const LINK: u8 = 18;
/// `IFT_ETHER`
const ETHERNET: u8 = 6;
/// What the kernel allots to the `struct sockaddr_dl` of an interface with a short name.
const ADDRESS_SIZE: u8 = 56;

pub(super) struct Eiface {
    ifnet: Ifnet,
    address: Mutex<Mac>,
}

impl Construct for Eiface {
    fn construct(node: &NodeRef) -> Self {
        let ifnet = Ifnet::create(node, "ngeth");
        let [.., high, low] = ifnet.index().to_be_bytes();
        Self {
            ifnet,
            // A locally administered one.
            address: Mutex::new([2, 0, 0, 0, high, low]),
        }
    }
}

impl Eiface {
    /// The addresses: a `struct sockaddr_dl`, and none of other families.
    fn addresses(&self) -> Vec<u8> {
        let name = self.ifnet.name().as_bytes();
        let [low, high, ..] = self.ifnet.index().to_le_bytes();
        let name_length = u8::try_from(name.len()).unwrap_or(0);
        let start = [ADDRESS_SIZE, LINK, low, high, ETHERNET, name_length, 6, 0];
        let mut address = [&start[..], name, &*lock(&self.address)].concat();
        address.resize(ADDRESS_SIZE.into(), 0);
        address
    }
}

impl HasIfnet for Eiface {
    fn ifnet(&self) -> &Ifnet {
        &self.ifnet
    }
}

impl NodeType for Eiface {
    const NAME: &'static CStr = c"eiface";

    const COMMANDS: &'static [ng_cmdlist] = &[
        command(COOKIE, GET_IFNAME, c"getifname", NONE, &ng_parse_string_type),
        command(COOKIE, SET, c"set", &ng_parse_enaddr_type, NONE),
        END,
    ];

    fn new_hook(&self, _node: &NodeRef, name: &[u8]) -> Result {
        known_hook(name, &[c"ether"])
    }

    fn receive(&self, _node: &NodeRef, _hook: &HookRef, item: Item) -> Result {
        if item.data_length() < ETHERNET_HEADER {
            return Err(EINVAL);
        }
        self.ifnet.take_in(&item);
        Ok(())
    }

    fn message(&self, _node: &NodeRef, _hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        if is_flow(message) {
            return Ok(None);
        }
        match command_of(message, COOKIE)? {
            GET_IFNAME => Ok(Some(self.ifnet.name_field())),
            GET_IFADDRS => Ok(Some(self.addresses())),
            SET => {
                *lock(&self.address) = mac(message.arguments())?;
                Ok(None)
            }
            _ => Err(EINVAL),
        }
    }

    fn disconnected(&self, _node: &NodeRef, _hook: &HookRef) -> Afterwards {
        Afterwards::Stay
    }
}
