//! netgraph(4) from user space: what netgraph(3) is to C.
//!
//! A [`Socket`] is a node of the graph that belongs to this process. Through it, messages go to other nodes by their
//! [`Address`]: the generic ones are types ([`ListHooks`], [`MakePeer`], ...) whose answers are values, any other one can be
//! given in words ([`Socket::command`]), which the addressed node itself converts. Packets go in and out of the own node's
//! hooks.
//!
//! ```no_run
//! # fn main() -> netgraph::Result<()> {
//! use netgraph::{ListNodes, Socket};
//!
//! let mut socket = Socket::open(None)?;
//! for node in socket.request(&".".parse()?, &ListNodes)? {
//!     println!("{} is a {}", node.label(), node.type_name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Everything stands on the trait [`Transport`], of which the running FreeBSD kernel ([`Kernel`]) is one. So all of it
//! compiles and is tested on any Unix; only opening a [`Kernel`] socket needs FreeBSD, root, and the module ng_socket, which
//! is loaded when missing. A hosted kernel, served by the program `hostkernd`, is another one (feature `hosted`).
//!
//! Layouts and numbers are those of netgraph/ng_message.h and netgraph/ng_socket.h, the same in FreeBSD 14 and 15.

mod address;
mod calls;
mod errno;
mod error;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
#[cfg(feature = "hosted")]
pub mod hosted;
mod info;
mod kernel;
mod names;
mod request;
mod socket;
mod sys;
mod transport;
mod wire;

pub use address::{Address, AddressError, MAX_ADDRESS, STOCK_MAX_ADDRESS, Start};
pub use calls::{
    BrokenPipe, Datagram, Direction, Events, FAMILY, Outgoing, ReadEvent, SocketCalls, SocketOption, Wait,
    address_text, socket_address,
};
pub use errno::Errno;
pub use error::{Error, Operation, Result};
pub use info::{HookList, LinkInfo, NodeInfo, TypeInfo};
pub use kernel::{Kernel, KernelSocket};
pub use names::{HookName, MAX_NAME, NameError, NodeId, NodeIdError, NodeName, TypeName};
pub use request::{
    Connect, GetNodeInfo, ListHooks, ListNames, ListNodes, ListTypes, MakePeer, Name, RemoveHook, Request, Shutdown,
    TextConfig, TextStatus, ToAscii, ToBinary,
};
pub use socket::{Incoming, Socket};
pub use transport::{Endpoint, Protocol, Received, Transport};
pub use wire::{
    GENERIC_COOKIE, HAS_REPLY, HEADER_SIZE, IS_REPLY, Malformed, Message, READONLY, SOCKET_COOKIE, VERSION,
};
