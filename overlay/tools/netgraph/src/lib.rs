//! netgraph(4) of FreeBSD from user space: what netgraph(3) is to C.
//!
//! A [`Socket`] is a node of the graph that belongs to this process. Through it, messages go to other nodes by their
//! [`Address`]. The generic ones are types ([`ListHooks`], [`MakePeer`], ...) whose answers are values; so are those of
//! socket nodes, and any others can be made so ([`Request`]). Or they are given in words ([`Socket::command`]), which the
//! addressed node itself converts. Packets go in and out of the own node's hooks.
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
//! # For those who know netgraph(3)
//!
//! | C | here | what differs |
//! |---|---|---|
//! | `NgMkSockNode` | [`Socket::open`] | the data socket is opened at its first use, or by [`Socket::open_data`] |
//! | `NgNameNode` | [`Socket::request`] with [`Name`] | names are checked when they are made |
//! | `NgSendMsg` | [`Socket::request`], [`Socket::send`] | a request waits for its answer and gives it as a value |
//! | `NgSendAsciiMsg` | [`Socket::command`]; [`Socket::to_binary`] and [`Socket::send`] | |
//! | `NgSendReplyMsg` | [`Socket::reply`] | |
//! | `NgRecvMsg`, `NgAllocRecvMsg` | [`Socket::receive`], [`Socket::try_receive`] | with a deadline, or without a wait |
//! | `NgRecvAsciiMsg`, `NgAllocRecvAsciiMsg` | the same, then [`Socket::to_ascii`] | |
//! | `NgSendData` | [`Socket::send_data`] | |
//! | `NgRecvData`, `NgAllocRecvData` | [`Socket::receive_data`], [`Socket::try_receive_data`] | |
//! | `NgSetDebug`, `NgSetErrLog` | [`Error`] | says what was tried, where, and what the error number means there |
//! | `select`, `poll` on the descriptors | `AsFd`, [see there](Socket#in-a-poll-loop) | |
//!
//! Beyond that: [`Socket::resolve`] follows an address hop by hop, [`Socket::load_module`] loads modules, and with the module
//! ng_socket of ngforge a node tells what happens to it ([`Socket::events`]), counts ([`GetStatistics`]) and refuses hooks
//! ([`SetHookPolicy`]). FreeBSD's own module says EINVAL to those, and the error says why.
//!
//! There is one example for every operation in the folder `examples`.
//!
//! # Kernels
//!
//! Everything stands on the trait [`Transport`], of which the running FreeBSD kernel ([`Kernel`]) is one. So all of it
//! compiles and is tested on any Unix; only opening a [`Kernel`] socket needs FreeBSD, root, and the module ng_socket, which
//! is loaded when missing. There are two more:
//!
//! - feature `hosted`: a hosted kernel, which the program `hostkernd` of ngforge serves;
//! - feature `fake`: a small graph in memory, for the tests of programs that use this library.
//!
//! # Units and sources
//!
//! Lengths are in bytes, times in [`Duration`](std::time::Duration) or [`Instant`](std::time::Instant), IDs as the kernel
//! counts them. Layouts and numbers are those of netgraph/ng_message.h and netgraph/ng_socket.h, the same in FreeBSD 14 and
//! 15, in the host's byte order. Error numbers are FreeBSD's on every host ([`Errno`]).

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

/// The example in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
