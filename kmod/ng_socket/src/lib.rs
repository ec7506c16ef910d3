//! `ng_socket(4)`: a socket that is a node, and a node that is a socket.
//!
//! A control socket makes a node of type `socket` and exchanges control messages through it; a data socket joins that
//! node by connect(2) and exchanges packets by its hooks. The node lives until it is shut down, or until both sockets
//! are closed.
//!
//! # Objects and their owners
//!
//! ```text
//! control socket ── so_pcb ──► Control ──┐
//!                                        ├──► Arc<SocketNode> ──► Mutex<State> { node, control, data, hooks, … }
//! data socket ───── so_pcb ──► Data ─────┤
//! ng_node ───────── nd_private ──────────┤
//! item on its way ─ apply ───► Request ──┘
//! ```
//!
//! [`node::SocketNode`] is counted; whoever comes last frees it. What changes lies in its [`node::State`], under its
//! mutex, but for a few numbers that are read without it. A socket is registered there while it is attached: detach
//! takes it out under the mutex, so that a delivery that holds the mutex cannot see a socket that is being freed.
//!
//! A data socket keeps the hook of its last packet ([`data::LastHook`]), so that a sender that stays with its hook takes
//! no lock. A [`request::Request`] is the message a control socket sends, shared with netgraph until it is applied. A
//! socket's senders come at the same time, since none may be kept waiting by one that waits for its message. What one of
//! them leaves to the next (`Protocol::Sender`) is behind a flag that nobody waits for: who finds it set goes without.
//!
//! # Lock order
//!
//! 1. The socket's receive I/O lock, by which one reader is let in at a time. It is held round the kernel's soreceive, in
//!    which nothing of ours is called. There is no lock for sending: the kernel's send I/O lock is not taken.
//! 2. `ng_socket lookup` (kpi): one for all. Held while netgraph looks for a node on behalf of a socket, or makes one, and
//!    while the last reference to a node of ours is given up, so that nobody finds what is being freed.
//! 3. `ng_socket private` (kpi): every node's `nd_private`; nothing is called with it held.
//! 4. `ng_socket state`: one per node, never two at a time. Held while something is put into a socket's receive buffer,
//!    while a socket is disconnected, and while the node is named. netgraph is called with it held for the name only.
//!    Senders sleep with it.
//! 5. The kernel's socket and socket buffer mutexes, its name hash lock.
//!
//! `netgraph_socket_list` (netstat's list) is a leaf.
//!
//! # What a process may use up
//!
//! Whoever holds a control socket is trusted with the graph. Still: a message is at most as long as the socket's send
//! buffer (`kern.ipc.maxsockbuf`), a process has one message on its way per socket unless the socket is non-blocking,
//! and then those are bounded, as every packet is, by netgraph's own limits (`net.graph.maxalloc`, `maxdata`), which all
//! of netgraph shares: there a sender sleeps until items come back, unless its socket is non-blocking: then it gets
//! `ENOBUFS`. Hooks cost some 300 bytes each, netgraph's part included, and are bounded by the node's hook policy, whose
//! default is no bound.
//!
//! # Panics
//!
//! None: the build refuses an object from which the panic handler can be reached.
#![no_std]
#![deny(unsafe_code)]
// On a host nobody reads the linker sets, through which everything here is reached.
#![cfg_attr(not(target_os = "none"), allow(dead_code))]

mod ascii;
mod command;
mod control;
mod counters;
mod data;
mod events;
#[cfg(target_os = "none")]
mod glue;
#[cfg(not(target_os = "none"))]
pub mod glue;
mod hooks;
pub mod messages;
mod node;
mod request;

use core::sync::atomic::AtomicU64;

/// `net.graph.maxdgram`: the largest datagram that may be sent, in bytes.
pub static MAX_DATAGRAM: AtomicU64 = AtomicU64::new(20 * 1024);
/// `net.graph.recvspace`: how much a new socket's receive buffer holds, in bytes.
pub static RECEIVE_SPACE: AtomicU64 = AtomicU64::new(20 * 1024);
