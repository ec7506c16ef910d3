//! `bridge`: an Ethernet switch with the ports `link0`, `link1`, …

use core::ffi::CStr;
use std::collections::HashMap;

use super::hub::flood;
use crate::netgraph::errors::{EINVAL, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::native::{Afterwards, NodeType, hook, send_bytes, take_bytes};
use crate::netgraph::node::NodeRef;
use crate::sync::{Mutex, lock};

type Mac = [u8; 6];

#[derive(Default)]
pub(crate) struct Bridge {
    /// Behind which port a station is.
    stations: Mutex<HashMap<Mac, Vec<u8>>>,
}

/// Whether a frame may be sent from, or only to, an address: group addresses have the lowest bit of the first byte set.
fn is_group(mac: Mac) -> bool {
    mac[0] & 1 != 0
}

/// The destination and the source of a frame; `None` if it is too short for an Ethernet header.
fn addresses(frame: &[u8]) -> Option<(Mac, Mac)> {
    let header = frame.get(..14)?;
    Some((header[..6].try_into().ok()?, header[6..12].try_into().ok()?))
}

/// Whether a port may be called so: `link` and a number without leading zeros.
fn is_port(name: &[u8]) -> bool {
    let number = name
        .strip_prefix(b"link")
        .and_then(|number| core::str::from_utf8(number).ok());
    number.is_some_and(|number| number.parse::<u32>().is_ok_and(|value| value.to_string() == number))
}

impl Bridge {
    /// Learns where the sender is, and says where the receiver is, if that is known.
    fn learn(&self, to: Mac, from: Mac, port: &[u8]) -> Option<Vec<u8>> {
        let mut stations = lock(&self.stations);
        stations.insert(from, port.to_vec());
        stations.get(&to).cloned()
    }
}

impl NodeType for Bridge {
    const NAME: &'static CStr = c"bridge";

    fn new_hook(&self, name: &[u8]) -> Result {
        if is_port(name) { Ok(()) } else { Err(EINVAL) }
    }

    fn receive(&self, node: &NodeRef, port: &HookRef, item: Item) -> Result {
        let frame = take_bytes(item);
        let (to, from) = addresses(&frame).ok_or(EINVAL)?;
        if is_group(from) {
            return Err(EINVAL);
        }
        let known = self.learn(to, from, &port.name()).filter(|_| !is_group(to));
        let known = known.and_then(|name| std::ffi::CString::new(name).ok());
        match known.and_then(|name| hook(node, &name)) {
            Some(there) if there.address() == port.address() => Ok(()),
            Some(there) => send_bytes(&frame, &there),
            None => flood(node, port, &frame),
        }
    }

    fn disconnected(&self, node: &NodeRef, port: &HookRef) -> Afterwards {
        let (mut stations, name) = (lock(&self.stations), port.name());
        stations.retain(|_, behind| *behind != name);
        match node.hook_count.load(core::sync::atomic::Ordering::Acquire) {
            0 => Afterwards::Remove,
            _ => Afterwards::Stay,
        }
    }
}
