//! What the module counts over all nodes: `net.graph.socket`.
//!
//! counter(9) has one cell per CPU, so that counting a packet is one instruction on memory that no other CPU writes. A
//! node's own [`Statistics`](crate::messages::Statistics) cost even less: they change under the node's mutex, which is
//! held then for other reasons. Summing those up instead would take a list of all nodes, and a lock for it.

use core::sync::atomic::AtomicU32;

use kpi::counter::Counter;

/// How many nodes there are, those included that are gone but still have a socket or a message on its way.
pub(crate) static NODES: AtomicU32 = AtomicU32::new(0);
/// Messages delivered to control sockets.
pub(crate) static CONTROL_IN: Counter = Counter::new();
/// Messages that control sockets sent.
pub(crate) static CONTROL_OUT: Counter = Counter::new();
/// Packets delivered to data sockets.
pub(crate) static DATA_IN: Counter = Counter::new();
/// Packets that data sockets sent.
pub(crate) static DATA_OUT: Counter = Counter::new();
/// Hooks that a policy refused.
pub(crate) static REFUSED: Counter = Counter::new();
/// Packets for a node without a data socket.
pub(crate) static NO_LISTENER: Counter = Counter::new();
/// Packets that found the receive buffer full.
pub(crate) static FULL: Counter = Counter::new();
/// Packets without a packet header.
pub(crate) static NO_HEADER: Counter = Counter::new();
/// Messages that did not fit into the receive buffer.
pub(crate) static CONTROL_LOST: Counter = Counter::new();
/// Events that did not fit into the receive buffer.
pub(crate) static EVENTS_LOST: Counter = Counter::new();

/// Every counter(9) of the module.
pub(crate) static ALL: [&Counter; 10] = [
    &CONTROL_IN,
    &CONTROL_OUT,
    &DATA_IN,
    &DATA_OUT,
    &REFUSED,
    &NO_LISTENER,
    &FULL,
    &NO_HEADER,
    &CONTROL_LOST,
    &EVENTS_LOST,
];
