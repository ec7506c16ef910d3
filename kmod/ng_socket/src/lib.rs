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
//!                                        ├──► Arc<SocketNode> ──► Mutex<State> { node, control, data, hooks, linger }
//! data socket ───── so_pcb ──► Data ─────┤
//! ng_node ───────── nd_private ──────────┘
//! ```
//!
//! [`node::SocketNode`] is counted; whoever comes last frees it. Everything that changes lies in its [`node::State`],
//! under its mutex. A socket is registered there while it is attached: detach takes it out under the mutex, so that a
//! delivery that holds the mutex cannot see a socket that is being freed.
//!
//! # Lock order
//!
//! 1. `ng_socket private` (kpi): a node's `nd_private`; nothing is called with it held.
//! 2. `ng_socket state`: one per node. Held while something is put into a socket's receive buffer, while a socket is
//!    disconnected, and while the node is named. netgraph is called with it held for the name only.
//! 3. The kernel's socket and socket buffer mutexes, its name hash lock.
//!
//! `ng_socket request` (one control message that is waited for) and `netgraph_socket_list` (netstat's list) are leaves;
//! the request's may be followed by nothing but wakeup(9).
//!
//! # Panics
//!
//! None: the build refuses an object from which the panic handler can be reached.
#![no_std]
#![deny(unsafe_code)]
// On a host nobody reads the linker sets, through which everything here is reached.
#![cfg_attr(not(target_os = "none"), allow(dead_code))]

mod control;
mod data;
#[cfg(target_os = "none")]
mod glue;
#[cfg(not(target_os = "none"))]
pub mod glue;
mod hooks;
mod node;
mod request;

use core::sync::atomic::AtomicU64;

/// `net.graph.maxdgram`: the largest datagram that may be sent, in bytes.
pub static MAX_DATAGRAM: AtomicU64 = AtomicU64::new(20 * 1024);
/// `net.graph.recvspace`: how much a new socket's receive buffer holds, in bytes.
pub static RECEIVE_SPACE: AtomicU64 = AtomicU64::new(20 * 1024);

/// The panic handler calls what no kernel has. The build sees the undefined symbol and refuses the module.
#[cfg(target_os = "none")]
#[panic_handler]
#[allow(unsafe_code)]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn ngforge_panic_is_reachable() -> !;
    }
    // SAFETY: never runs: an object with this symbol in it is not emitted.
    unsafe { ngforge_panic_is_reachable() }
}
