//! `vlan`: sends frames with an IEEE 802.1Q tag from `downstream` to the hook of their VLAN, without the tag, and all others
//! to `nomatch`; what comes in by the hook of a VLAN gets its tag and goes to `downstream`.
//!
//! Tags are in the frames. That they are kept beside them (`M_VLANTAG`), as `setdecap` and `setencap` can ask for, is not
//! supported: no type here knows such frames. Nor are messages about the state of links passed on: no type here sends any.

mod commands;
mod filters;

use core::ffi::CStr;
use std::ffi::CString;

use kpi::raw::netgraph::ng_cmdlist;

use super::arguments::{ETHERNET_HEADER, command_of, number, string};
use crate::netgraph::errors::{EINVAL, ENETDOWN, ENOENT, EOPNOTSUPP, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{Afterwards, NodeType, forward, hook, leave_with_last_hook, send_bytes, take_bytes};
use crate::netgraph::node::NodeRef;
use crate::sync::{Mutex, lock};
use filters::{Filter, Filters};

/// The addresses before the tag, or the type of an untagged frame.
const ADDRESSES: usize = 12;
/// `ETHERTYPE_VLAN`
const VLAN: u16 = 0x8100;
/// `VLAN_ENCAP_FROM_FILTER`
const ENCAP_FROM_FILTER: u32 = 1;

struct State {
    filters: Filters,
    encap: u32,
    /// The type of tagged frames.
    protocol: u16,
}

pub(crate) struct Vlan(Mutex<State>);

impl Default for Vlan {
    fn default() -> Self {
        Self(Mutex::new(State {
            filters: Filters::default(),
            encap: ENCAP_FROM_FILTER,
            protocol: VLAN,
        }))
    }
}

/// Arguments that are one number of 16 bits.
fn short(arguments: &[u8]) -> Result<u16> {
    arguments.try_into().map(u16::from_ne_bytes).map_err(|_| EINVAL)
}

/// A hook that is connected, or `ENETDOWN`.
fn connected(node: &NodeRef, name: &CStr) -> Result<HookRef> {
    hook(node, name).ok_or(ENETDOWN)
}

/// Checks that a filter can be for this hook of a node.
fn check_hook(node: &NodeRef, name: &[u8]) -> Result {
    if matches!(name, b"downstream" | b"nomatch") {
        return Err(EINVAL);
    }
    let name = CString::new(name).map_err(|_| EINVAL)?;
    hook(node, &name).map(|_| ()).ok_or(ENOENT)
}

impl State {
    fn set_encap(&mut self, encap: u32) -> Result {
        if encap & ENCAP_FROM_FILTER == 0 {
            return Err(EOPNOTSUPP);
        }
        self.encap = encap;
        Ok(())
    }

    /// The hook of a frame's VLAN; `None`: it has no tag, or a VLAN without a filter.
    fn destination(&self, frame: &[u8]) -> Result<Option<Vec<u8>>> {
        let (_, kind) = frame.split_at_checked(ADDRESSES).ok_or(EINVAL)?;
        if !kind.starts_with(&self.protocol.to_be_bytes()) {
            return Ok(None);
        }
        let &[_, _, high, low, _, _, ..] = kind else {
            return Err(EINVAL);
        };
        Ok(self.filters.of_tag([high, low]).map(|filter| filter.hook.clone()))
    }

    /// The tag of the frames of a hook, with its type before it.
    fn tag(&self, hook: &[u8]) -> Result<[u8; 4]> {
        let filter = self.filters.of_hook(hook).ok_or(EOPNOTSUPP)?;
        let ([first, second], [high, low]) = (self.protocol.to_be_bytes(), filter.tag());
        Ok([first, second, high, low])
    }
}

impl Vlan {
    fn deal_out(&self, node: &NodeRef, item: Item) -> Result {
        let mut frame = take_bytes(item);
        let name = lock(&self.0).destination(&frame)?;
        let Some(name) = name else {
            return send_bytes(&frame, &connected(node, c"nomatch")?);
        };
        frame.drain(ADDRESSES..ADDRESSES + 4);
        let name = CString::new(name).map_err(|_| EINVAL)?;
        send_bytes(&frame, &connected(node, &name)?)
    }

    fn collect(&self, from: &HookRef, item: Item, downstream: &HookRef) -> Result {
        let tag = lock(&self.0).tag(&from.name())?;
        let frame = take_bytes(item);
        let (addresses, rest) = frame.split_at(ADDRESSES);
        send_bytes(&[addresses, &tag, rest].concat(), downstream)
    }
}

impl NodeType for Vlan {
    const NAME: &'static CStr = c"vlan";

    const COMMANDS: &'static [ng_cmdlist] = commands::COMMANDS;

    fn receive(&self, node: &NodeRef, from: &HookRef, item: Item) -> Result {
        if item.data_length() < ETHERNET_HEADER {
            return Err(EINVAL);
        }
        if from.name() == b"downstream" {
            return self.deal_out(node, item);
        }
        let downstream = connected(node, c"downstream")?;
        if from.name() == b"nomatch" {
            return forward(item, &downstream);
        }
        self.collect(from, item, &downstream)
    }

    fn message(&self, node: &NodeRef, _hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        let (command, arguments) = (command_of(message, commands::COOKIE)?, message.arguments());
        let mut state = lock(&self.0);
        match command {
            commands::ADD_FILTER => {
                let filter = Filter::read(arguments)?;
                check_hook(node, &filter.hook)?;
                state.filters.add(filter)?;
            }
            commands::DEL_FILTER => state.filters.remove_hook(string(arguments))?,
            commands::DEL_VID_FLT => state.filters.remove(short(arguments)?)?,
            commands::GET_TABLE => return Ok(Some(state.filters.table())),
            commands::GET_DECAP => return Ok(Some(0_u32.to_ne_bytes().to_vec())),
            commands::SET_DECAP if number(arguments)? != 0 => return Err(EOPNOTSUPP),
            commands::SET_DECAP => {}
            commands::GET_ENCAP => return Ok(Some(state.encap.to_ne_bytes().to_vec())),
            commands::SET_ENCAP => state.set_encap(number(arguments)?)?,
            commands::GET_ENCAP_PROTO => return Ok(Some(state.protocol.to_ne_bytes().to_vec())),
            commands::SET_ENCAP_PROTO => state.protocol = short(arguments)?,
            _ => return Err(EINVAL),
        }
        Ok(None)
    }

    fn disconnected(&self, node: &NodeRef, hook: &HookRef) -> Afterwards {
        // Most hooks that go have had no filter, or it was deleted before.
        let _ = lock(&self.0).filters.remove_hook(&hook.name());
        leave_with_last_hook(node)
    }
}
