//! The interfaces that nodes of the types `eiface` and `iface` bring with them: a name with the lowest free number, an
//! index, and counters. No protocols lie behind them: what such a node receives is counted and dropped.

use core::ffi::CStr;
use std::collections::{BTreeSet, HashMap};
use std::ffi::CString;

use kpi::Errno;

use crate::netgraph::errors::{EINVAL, Result};
use crate::netgraph::inspect::Target;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{NodeType, knowledge};
use crate::netgraph::node::NodeRef;
use crate::netgraph::{generic, state};
use crate::report;
use crate::sync::{Mutex, lock};
use crate::thread::Vnet;

/// `NGM_FLOW_COOKIE`: messages that say whether a link is up, as some types send them to their neighbours.
const FLOW_COOKIE: u32 = 851_672_668;

/// `IFNAMSIZ`
const NAME_SIZE: usize = 16;

/// The first index: the host's own interfaces, which `ether` nodes stand for, have lower ones.
const FIRST_INDEX: u32 = 0x4000;

/// What a number belongs to: interfaces of one name in a vnet, or indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Pool {
    Names(Vnet, &'static str),
    Indices,
}

/// The numbers that are taken.
#[derive(Debug, Default)]
pub(in crate::netgraph) struct Taken(HashMap<Pool, BTreeSet<u32>>);

/// A number that is taken until this value ends.
#[derive(Debug)]
struct Number(Pool, u32);

impl Number {
    /// Takes the lowest number that is free.
    fn take(pool: Pool) -> Self {
        let mut taken = lock(&state().numbers);
        let numbers = taken.0.entry(pool).or_default();
        let free = (0..=u32::MAX).find(|number| !numbers.contains(number));
        let number = free.expect("there are fewer nodes than numbers");
        numbers.insert(number);
        Self(pool, number)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        if let Some(numbers) = lock(&state().numbers).0.get_mut(&self.0) {
            numbers.remove(&self.1);
        }
    }
}

/// Packets and octets that an interface was given.
pub type Counts = [u64; 2];

/// An interface that came with a node and goes with it.
#[derive(Debug)]
pub(super) struct Ifnet {
    name: String,
    index: Number,
    _unit: Number,
    counts: Mutex<Counts>,
}

impl Ifnet {
    /// Makes the interface of a new node, and names the node after it unless another node is called so.
    pub(super) fn create(node: &NodeRef, word: &'static str) -> Self {
        let unit = Number::take(Pool::Names(node.vnet(), word));
        let name = format!("{word}{}", unit.1);
        let named = CString::new(&*name).map_or(Err(EINVAL), |name| generic::name(node, &name));
        if named.is_err() {
            report::note(&format!("{name}: can't acquire netgraph name"));
        }
        Self {
            name,
            index: Number::take(Pool::Indices),
            _unit: unit,
            counts: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The name as messages carry it.
    pub(super) fn name_field(&self) -> Vec<u8> {
        let mut field = self.name.as_bytes().to_vec();
        field.resize(NAME_SIZE, 0);
        field
    }

    pub(super) fn index(&self) -> u32 {
        FIRST_INDEX + self.index.1
    }

    /// Takes a packet in, as the host's protocols would.
    pub(super) fn take_in(&self, packet: &Item) {
        let [packets, octets] = &mut *lock(&self.counts);
        *packets += 1;
        *octets += packet.data_length() as u64;
    }
}

/// Whether a message says that a link is up or down. Nobody is here to care about it.
pub(super) fn is_flow(message: &Message) -> bool {
    message.header().typecookie == FLOW_COOKIE
}

/// A type whose nodes bring an interface with them.
pub(super) trait HasIfnet: NodeType {
    fn ifnet(&self) -> &Ifnet;
}

fn counts_of<T: HasIfnet>(node: &NodeRef) -> Option<Counts> {
    knowledge::<T>(node).map(|known| *lock(&known.ifnet().counts))
}

/// What the interface of a node has been given so far.
///
/// # Errors
/// `ENOENT`: there is no such node. `EINVAL`: it brings no interface with it.
pub fn taken_in(node: impl Into<Target>) -> core::result::Result<Counts, Errno> {
    let node = node.into().find()?;
    let counts = counts_of::<super::eiface::Eiface>(&node);
    let counts = counts.or_else(|| counts_of::<super::iface::Iface>(&node));
    counts.ok_or(Errno::EINVAL)
}

/// A hook that the type has, or `EPFNOSUPPORT`.
pub(super) fn known_hook(name: &[u8], known: &[&CStr]) -> Result {
    let is_known = known.iter().any(|known| known.to_bytes() == name);
    is_known.then_some(()).ok_or(crate::netgraph::errors::EPFNOSUPPORT)
}
