//! `tee`: passes packets between `left` and `right`, and copies of them to `left2right` and `right2left`.
//!
//! When it is shut down, its neighbours to the left and to the right are connected to each other.

use core::ffi::CStr;

use kpi::raw::netgraph::ng_cmdlist;

use super::arguments::{command_of, counters};
use crate::netgraph::ascii::list::{END, NONE, command};
use crate::netgraph::ascii::types::{StructField, ng_parse_type, ng_parse_uint64_type};
use crate::netgraph::errors::{EINVAL, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{NodeType, bypass, forward, hook, send_bytes, take_bytes};
use crate::netgraph::node::NodeRef;
use crate::sync::{Mutex, lock};

/// `NGM_TEE_COOKIE`
const COOKIE: u32 = 916_107_047;
const GET_STATS: u32 = 1;
const CLEAR_STATS: u32 = 2;
const GET_CLEAR_STATS: u32 = 3;

/// `struct ng_tee_hookstat`
static COUNTS: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"inOctets", &ng_parse_uint64_type),
            StructField::new(c"inFrames", &ng_parse_uint64_type),
            StructField::new(c"outOctets", &ng_parse_uint64_type),
            StructField::new(c"outFrames", &ng_parse_uint64_type),
            StructField::END,
        ]
    },
);

/// `struct ng_tee_stats`
static STATS: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"right", &COUNTS),
            StructField::new(c"left", &COUNTS),
            StructField::new(c"right2left", &COUNTS),
            StructField::new(c"left2right", &COUNTS),
            StructField::END,
        ]
    },
);

/// A hook, by its place in `struct ng_tee_stats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Right,
    Left,
    RightToLeft,
    LeftToRight,
}

impl Side {
    fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"right" => Some(Self::Right),
            b"left" => Some(Self::Left),
            b"right2left" => Some(Self::RightToLeft),
            b"left2right" => Some(Self::LeftToRight),
            _ => None,
        }
    }

    fn name(self) -> &'static CStr {
        match self {
            Self::Right => c"right",
            Self::Left => c"left",
            Self::RightToLeft => c"right2left",
            Self::LeftToRight => c"left2right",
        }
    }

    /// Where a packet that comes in here goes, and where its copy.
    fn route(self) -> (Self, Option<Self>) {
        match self {
            Self::Right => (Self::Left, Some(Self::RightToLeft)),
            Self::Left => (Self::Right, Some(Self::LeftToRight)),
            // As the manual page says.
            Self::RightToLeft => (Self::Right, None),
            Self::LeftToRight => (Self::Left, None),
        }
    }
}

/// Octets and frames in, octets and frames out.
type Counts = [u64; 4];

#[derive(Default)]
pub(crate) struct Tee {
    counts: Mutex<[Counts; 4]>,
}

impl Tee {
    fn count_in(&self, side: Side, octets: usize) {
        let counts = &mut lock(&self.counts)[side as usize];
        counts[0] += octets as u64;
        counts[1] += 1;
    }

    fn count_out(&self, side: Side, octets: usize) {
        let counts = &mut lock(&self.counts)[side as usize];
        counts[2] += octets as u64;
        counts[3] += 1;
    }
}

impl NodeType for Tee {
    const NAME: &'static CStr = c"tee";

    const COMMANDS: &'static [ng_cmdlist] = &[
        command(COOKIE, GET_STATS, c"getstats", NONE, &STATS),
        command(COOKIE, CLEAR_STATS, c"clrstats", NONE, NONE),
        command(COOKIE, GET_CLEAR_STATS, c"getclrstats", NONE, &STATS),
        END,
    ];

    fn new_hook(&self, _node: &NodeRef, name: &[u8]) -> Result {
        Side::of(name).map(|_| ()).ok_or(EINVAL)
    }

    fn receive(&self, node: &NodeRef, from: &HookRef, item: Item) -> Result {
        let from = Side::of(&from.name()).ok_or(EINVAL)?;
        let length = item.data_length();
        self.count_in(from, length);
        let (onward, copy) = from.route();
        let way = hook(node, onward.name());
        let copy = copy.and_then(|side| Some((side, hook(node, side.name())?)));
        if way.is_some() {
            self.count_out(onward, length);
        }
        let Some((side, copies)) = copy else {
            return way.map_or(Ok(()), |way| forward(item, &way));
        };
        let bytes = take_bytes(item);
        let copied = send_bytes(&bytes, &copies);
        if copied.is_ok() {
            self.count_out(side, length);
        }
        // What becomes of the copy matters only where there is nothing else.
        way.map_or(copied, |way| send_bytes(&bytes, &way))
    }

    fn closing(&self, node: &NodeRef) {
        if let (Some(left), Some(right)) = (hook(node, c"left"), hook(node, c"right")) {
            bypass(&left, &right);
        }
    }

    fn message(&self, _node: &NodeRef, _hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        let command = command_of(message, COOKIE)?;
        let mut counts = lock(&self.counts);
        match command {
            GET_STATS => Ok(Some(counters(counts.as_flattened()))),
            CLEAR_STATS => {
                *counts = Default::default();
                Ok(None)
            }
            GET_CLEAR_STATS => Ok(Some(counters(core::mem::take(&mut *counts).as_flattened()))),
            _ => Err(EINVAL),
        }
    }
}
