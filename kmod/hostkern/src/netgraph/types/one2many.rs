//! `one2many`: deals what comes in by `one` out to `many0`, `many1`, … in turn; what comes in by those goes to `one`.
//!
//! It sends to links that `setconfig` says are up only. That links say so themselves (`NG_ONE2MANY_FAIL_NOTIFY`) is not
//! supported: no type here sends such messages.

use core::ffi::CStr;

use kpi::raw::netgraph::ng_cmdlist;

use super::arguments::{command_of, counters, number, numbered};
use crate::netgraph::ascii::list::{END, NONE, command};
use crate::netgraph::ascii::types::{
    FixedArrayInfo, StructField, ng_parse_fixedarray_type, ng_parse_int32_type, ng_parse_type, ng_parse_uint8_type,
    ng_parse_uint32_type, ng_parse_uint64_type,
};
use crate::netgraph::errors::{EINVAL, ENOENT, ENOMEM, ENOTCONN, EOPNOTSUPP, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{NodeType, forward, hook, hooks, send_bytes, take_bytes};
use crate::netgraph::node::NodeRef;
use crate::sync::{Mutex, lock};

/// `NGM_ONE2MANY_COOKIE`
const COOKIE: u32 = 1_100_897_444;
const SET_CONFIG: u32 = 0;
const GET_CONFIG: u32 = 1;
const GET_STATS: u32 = 2;
const CLEAR_STATS: u32 = 3;
const GET_CLEAR_STATS: u32 = 4;

/// `NG_ONE2MANY_MAX_LINKS`
const MAX_LINKS: usize = 64;
/// Where the counters of `one` are: behind those of the links.
const ONE: usize = MAX_LINKS;
/// `NG_ONE2MANY_ONE_LINKNUM`: what messages call it.
const ONE_NUMBER: i32 = -1;
/// `NG_ONE2MANY_FAIL_MANUAL`
const MANUAL: u32 = 1;
/// `NG_ONE2MANY_FAIL_NOTIFY`
const NOTIFY: u32 = 2;

static LINKS: ng_parse_type = ng_parse_type::of(
    &ng_parse_fixedarray_type,
    const { &FixedArrayInfo::new(&ng_parse_uint8_type, 64) },
);

/// `struct ng_one2many_config`
static CONFIG: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"xmitAlg", &ng_parse_uint32_type),
            StructField::new(c"failAlg", &ng_parse_uint32_type),
            StructField::new(c"enabledLinks", &LINKS),
            StructField::END,
        ]
    },
);

/// `struct ng_one2many_link_stats`
static STATS: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"recvOctets", &ng_parse_uint64_type),
            StructField::new(c"recvPackets", &ng_parse_uint64_type),
            StructField::new(c"xmitOctets", &ng_parse_uint64_type),
            StructField::new(c"xmitPackets", &ng_parse_uint64_type),
            StructField::new(c"memoryFailures", &ng_parse_uint64_type),
            StructField::END,
        ]
    },
);

/// To which links a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    RoundRobin = 1,
    All,
    Failover,
}

impl Algorithm {
    fn of(number: u32) -> Result<Self> {
        match number {
            1 => Ok(Self::RoundRobin),
            2 => Ok(Self::All),
            3 => Ok(Self::Failover),
            _ => Err(EINVAL),
        }
    }
}

struct State {
    algorithm: Algorithm,
    enabled: [bool; MAX_LINKS],
    /// `struct ng_one2many_link_stats`, by link.
    counts: [[u64; 5]; MAX_LINKS + 1],
    /// Packets dealt out in turn so far.
    dealt: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::RoundRobin,
            enabled: [false; MAX_LINKS],
            counts: [[0; 5]; MAX_LINKS + 1],
            dealt: 0,
        }
    }
}

impl State {
    fn count_in(&mut self, link: usize, octets: usize) {
        self.counts[link][0] += octets as u64;
        self.counts[link][1] += 1;
    }

    /// Counts a packet that was sent, or for which there was no memory.
    fn count_out(&mut self, link: usize, octets: usize, sent: Result) -> Result {
        if sent == Err(ENOMEM) {
            self.counts[link][4] += 1;
        } else {
            self.counts[link][2] += octets as u64;
            self.counts[link][3] += 1;
        }
        sent
    }

    /// Reads a `struct ng_one2many_config`.
    fn configure(&mut self, arguments: &[u8]) -> Result {
        let (numbers, links) = arguments.split_at_checked(8).ok_or(EINVAL)?;
        let links: [u8; MAX_LINKS] = links.try_into().map_err(|_| EINVAL)?;
        let algorithm = Algorithm::of(number(&numbers[..4])?)?;
        match number(&numbers[4..])? {
            MANUAL => {}
            NOTIFY => return Err(EOPNOTSUPP),
            _ => return Err(EINVAL),
        }
        self.algorithm = algorithm;
        self.enabled = links.map(|link| link != 0);
        Ok(())
    }

    fn config(&self) -> Vec<u8> {
        let numbers = [self.algorithm as u32, MANUAL];
        let numbers = numbers.iter().flat_map(|number| number.to_ne_bytes());
        numbers.chain(self.enabled.map(u8::from)).collect()
    }

    /// Which of the links that are up a packet goes to.
    fn choose(&mut self, mut links: Vec<(usize, HookRef)>) -> Vec<(usize, HookRef)> {
        match self.algorithm {
            Algorithm::All => return links,
            Algorithm::Failover => links.truncate(1),
            Algorithm::RoundRobin if links.is_empty() => {}
            Algorithm::RoundRobin => {
                links = vec![links.swap_remove(self.dealt % links.len())];
                self.dealt = self.dealt.wrapping_add(1);
            }
        }
        links
    }
}

#[derive(Default)]
pub(crate) struct OneToMany(Mutex<State>);

/// The number of a `many` hook.
fn link(name: &[u8]) -> Option<usize> {
    let number = usize::try_from(numbered(name, "many")?).ok()?;
    (number < MAX_LINKS).then_some(number)
}

/// Where the counters are that a message asks for.
fn counted(arguments: &[u8]) -> Result<usize> {
    match number(arguments)?.cast_signed() {
        ONE_NUMBER => Ok(ONE),
        number => usize::try_from(number)
            .ok()
            .filter(|number| *number < MAX_LINKS)
            .ok_or(EINVAL),
    }
}

impl OneToMany {
    /// The links that are connected and up, by number.
    fn links(&self, node: &NodeRef) -> Vec<(usize, HookRef)> {
        let hooks = hooks(node).into_iter();
        let mut links: Vec<_> = hooks.filter_map(|hook| Some((link(&hook.name())?, hook))).collect();
        let state = lock(&self.0);
        links.retain(|(number, _)| state.enabled[*number]);
        links.sort_by_key(|(number, _)| *number);
        links
    }

    fn collect(&self, node: &NodeRef, link: usize, item: Item) -> Result {
        let length = item.data_length();
        lock(&self.0).count_in(link, length);
        let sent = forward(item, &hook(node, c"one").ok_or(ENOENT)?);
        lock(&self.0).count_out(ONE, length, sent)
    }

    fn distribute(&self, node: &NodeRef, item: Item) -> Result {
        let length = item.data_length();
        lock(&self.0).count_in(ONE, length);
        let links = self.links(node);
        let links = lock(&self.0).choose(links);
        if let [(link, hook)] = &links[..] {
            let sent = forward(item, hook);
            return lock(&self.0).count_out(*link, length, sent);
        }
        let bytes = take_bytes(item);
        let sent = links.iter().map(|(link, hook)| {
            let sent = send_bytes(&bytes, hook);
            lock(&self.0).count_out(*link, length, sent)
        });
        sent.reduce(Result::and).unwrap_or(Err(ENOTCONN))
    }
}

impl NodeType for OneToMany {
    const NAME: &'static CStr = c"one2many";

    const COMMANDS: &'static [ng_cmdlist] = &[
        command(COOKIE, SET_CONFIG, c"setconfig", &CONFIG, NONE),
        command(COOKIE, GET_CONFIG, c"getconfig", NONE, &CONFIG),
        command(COOKIE, GET_STATS, c"getstats", &ng_parse_int32_type, &STATS),
        command(COOKIE, CLEAR_STATS, c"clrstats", &ng_parse_int32_type, NONE),
        command(COOKIE, GET_CLEAR_STATS, c"getclrstats", &ng_parse_int32_type, &STATS),
        END,
    ];

    fn new_hook(&self, _node: &NodeRef, name: &[u8]) -> Result {
        if name == b"one" || link(name).is_some() {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }

    fn receive(&self, node: &NodeRef, from: &HookRef, item: Item) -> Result {
        match link(&from.name()) {
            Some(link) => self.collect(node, link, item),
            None => self.distribute(node, item),
        }
    }

    fn message(&self, _node: &NodeRef, _hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        let (command, arguments) = (command_of(message, COOKIE)?, message.arguments());
        let mut state = lock(&self.0);
        match command {
            SET_CONFIG => state.configure(arguments)?,
            GET_CONFIG => return Ok(Some(state.config())),
            GET_STATS => return Ok(Some(counters(&state.counts[counted(arguments)?]))),
            CLEAR_STATS => state.counts[counted(arguments)?] = [0; 5],
            GET_CLEAR_STATS => {
                let counts = core::mem::take(&mut state.counts[counted(arguments)?]);
                return Ok(Some(counters(&counts)));
            }
            _ => return Err(EINVAL),
        }
        Ok(None)
    }
}
