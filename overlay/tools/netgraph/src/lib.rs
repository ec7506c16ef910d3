//! netgraph(4) from user space: what netgraph(3) is to C.

mod address;
mod calls;
mod errno;
mod error;
mod events;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
#[cfg(feature = "hosted")]
pub mod hosted;
mod info;
mod kernel;
mod names;
mod policy;
mod request;
mod socket;
mod statistics;
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
pub use events::{Event, EventMask, Peer, Refusal, Removal};
pub use info::{HookList, LinkInfo, NodeInfo, TypeInfo};
pub use kernel::{Kernel, KernelSocket};
pub use names::{HookName, MAX_NAME, NameError, NodeId, NodeIdError, NodeName, TypeName};
pub use policy::{Accept, HookPolicy, MAX_POLICY_NAMES, TooManyNames};
pub use request::{
    ClearStatistics, Connect, GetEvents, GetHookPolicy, GetNodeInfo, GetStatistics, Linger, ListHooks, ListNames,
    ListNodes, ListTypes, MakePeer, Name, NoLinger, RemoveHook, Request, SetEvents, SetHookPolicy, Shutdown,
    TakeStatistics, TextConfig, TextStatus, ToAscii, ToBinary,
};
pub use socket::{EventStream, Incoming, Socket, Told};
pub use statistics::{Drops, Statistics};
pub use transport::{Endpoint, Protocol, Received, Transport};
pub use wire::{
    GENERIC_COOKIE, HAS_REPLY, HEADER_SIZE, IS_REPLY, Malformed, Message, READONLY, Reader, SOCKET_COOKIE, VERSION,
    padded, until_zero,
};
