//! `hole`: consumes what it gets, and counts it.

use core::ffi::CStr;
use std::collections::HashMap;

use kpi::raw::netgraph::ng_cmdlist;

use super::arguments::{command_of, counters, string};
use crate::netgraph::ascii::list::{END, NONE, command};
use crate::netgraph::ascii::types::{StructField, ng_parse_hookbuf_type, ng_parse_type, ng_parse_uint64_type};
use crate::netgraph::errors::{EINVAL, ENOENT, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{Afterwards, NodeType, hook, leave_with_last_hook};
use crate::netgraph::node::NodeRef;
use crate::sync::{Mutex, lock};

/// `NGM_HOLE_COOKIE`
const COOKIE: u32 = 915_433_206;
const GET_STATS: u32 = 1;
const CLEAR_STATS: u32 = 2;
const GET_CLEAR_STATS: u32 = 3;

/// `struct ng_hole_hookstat`
static COUNTS: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"frames", &ng_parse_uint64_type),
            StructField::new(c"octets", &ng_parse_uint64_type),
            StructField::END,
        ]
    },
);

#[derive(Default)]
pub(crate) struct Hole {
    /// Frames and octets, by hook.
    counts: Mutex<HashMap<Vec<u8>, [u64; 2]>>,
}

impl NodeType for Hole {
    const NAME: &'static CStr = c"hole";

    const COMMANDS: &'static [ng_cmdlist] = &[
        command(COOKIE, GET_STATS, c"getstats", &ng_parse_hookbuf_type, &COUNTS),
        command(COOKIE, CLEAR_STATS, c"clrstats", &ng_parse_hookbuf_type, NONE),
        command(COOKIE, GET_CLEAR_STATS, c"getclrstats", &ng_parse_hookbuf_type, &COUNTS),
        END,
    ];

    fn receive(&self, _node: &NodeRef, hook: &HookRef, item: Item) -> Result {
        let mut counts = lock(&self.counts);
        let [frames, octets] = counts.entry(hook.name()).or_default();
        *frames += 1;
        *octets += item.data_length() as u64;
        Ok(())
    }

    fn message(&self, node: &NodeRef, _hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        let command = command_of(message, COOKIE)?;
        let name = string(message.arguments());
        let c_name = std::ffi::CString::new(name).map_err(|_| EINVAL)?;
        hook(node, &c_name).ok_or(ENOENT)?;
        let mut counts = lock(&self.counts);
        let found = counts.entry(name.to_vec()).or_default();
        match command {
            GET_STATS => Ok(Some(counters(found))),
            CLEAR_STATS => {
                *found = [0; 2];
                Ok(None)
            }
            GET_CLEAR_STATS => Ok(Some(counters(&core::mem::take(found)))),
            _ => Err(EINVAL),
        }
    }

    fn disconnected(&self, node: &NodeRef, hook: &HookRef) -> Afterwards {
        lock(&self.counts).remove(&hook.name());
        leave_with_last_hook(node)
    }
}
