//! netgraph(4) from inside the kernel: nodes, hooks, items, messages and node types.

mod item;
mod message;
mod node;
mod node_type;

pub use item::{Addressed, Incoming, Item, Notified, Pending, Sent};
pub use message::{Header, Message};
pub use node::{Hook, HookName, Name, Node, NodeName, Peer, TypeName, type_exists};
pub use node_type::{NodeType, descriptor, forget, private_of, register, set_private, take_private, unregister};
