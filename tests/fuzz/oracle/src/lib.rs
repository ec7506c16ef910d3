//! What netgraph sockets are expected to do: a model of nodes, hooks and sockets, to compare a kernel with.
//!
//! Written from the behaviour, not from the module or the kernel: `ng_socket(4)`, `netgraph(4)` and the project's table of
//! behaviour. One virtual network, one thread: every call is complete, and all that follows from it has happened, when the
//! model returns. Nothing is optimised.
//!
//! * [`address`]: what processes pass to bind(2), connect(2) and sendto(2), and paths.
//! * [`buffer`]: a socket's receive buffer.
//! * [`message`]: control messages.
//! * [`node`]: nodes and hooks; [`socket_node`]: what a node of type `socket` knows.
//! * [`world`]: all of it together; [`calls`]: what processes do to it. What follows is in `control`, `graph`, `packets`.

pub mod address;
pub mod buffer;
pub mod calls;
mod control;
pub mod errno;
mod graph;
pub mod message;
pub mod node;
mod packets;
pub mod socket_node;
pub mod world;

pub use errno::{Errno, Result};
pub use world::World;
