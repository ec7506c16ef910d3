//! Sockets, and what programs do with them.

use hostkern::{Config, Errno, Kernel, Process, Socket, Subject, netgraph};

use crate::wire::address;

const PF_NETGRAPH: i32 = 32;
const SOCK_DGRAM: i32 = 2;
const NG_DATA: i32 = 1;
const NG_CONTROL: i32 = 2;
/// `MSG_DONTWAIT`
pub const DONTWAIT: i32 = 0x80;

/// A kernel with the module linked into this program, which finds what is left over at its end.
///
/// # Panics
/// The module does not load.
#[must_use]
pub fn boot(guard_pages: bool) -> Kernel {
    let config = Config {
        subject: Subject::Native,
        guard_pages,
        check_leaks: true,
    };
    Kernel::boot(config).expect("the native module loads")
}

/// socket(2) for a control socket, as root.
///
/// # Errors
/// What the kernel answered.
pub fn try_control() -> Result<Socket, Errno> {
    Process::ROOT.socket(PF_NETGRAPH, SOCK_DGRAM, NG_CONTROL)
}

/// socket(2) for a data socket, as root.
///
/// # Errors
/// What the kernel answered.
pub fn try_data() -> Result<Socket, Errno> {
    Process::ROOT.socket(PF_NETGRAPH, SOCK_DGRAM, NG_DATA)
}

/// A control socket.
///
/// # Panics
/// There is none to be had.
#[must_use]
pub fn control() -> Socket {
    try_control().expect("root may have a control socket")
}

/// A control socket whose node is named.
///
/// # Panics
/// There is none to be had.
#[must_use]
pub fn named(name: &str) -> Socket {
    let socket = control();
    socket.bind(&address(name)).expect("the name is free");
    socket
}

/// A data socket.
///
/// # Panics
/// There is none to be had.
#[must_use]
pub fn data() -> Socket {
    try_data().expect("root may have a data socket")
}

/// A data socket that is connected to a node.
///
/// # Panics
/// There is none to be had.
#[must_use]
pub fn joined(path: &str) -> Socket {
    let socket = data();
    socket.connect(&address(path)).expect("the node is there and free");
    socket
}

/// Sends a control message along a path.
///
/// # Errors
/// What the destination or the kernel answered.
pub fn tell(socket: &Socket, path: &str, message: &[u8]) -> Result<(), Errno> {
    tell_with(socket, path, message, 0)
}

/// As [`tell`], with flags of send(2).
///
/// # Errors
/// As [`tell`].
pub fn tell_with(socket: &Socket, path: &str, message: &[u8], flags: i32) -> Result<(), Errno> {
    socket.send(message, flags, Some(&address(path)), None).map(drop)
}

/// Sends a packet out of a hook, or out of the only one.
///
/// # Errors
/// What the kernel answered.
pub fn put(socket: &Socket, hook: Option<&str>) -> Result<(), Errno> {
    let hook = hook.map(address);
    socket.send(b"packet", 0, hook.as_deref(), None).map(drop)
}

/// Takes what is queued, without waiting; how many datagrams that were.
#[must_use]
pub fn drain(socket: &Socket) -> usize {
    let mut buffer = [0; 4096];
    let take = || {
        socket
            .receive(&mut buffer, DONTWAIT)
            .ok()
            .filter(|received| received.length > 0)
    };
    std::iter::from_fn(take).count()
}

/// The IDs of the nodes of a type.
#[must_use]
pub fn nodes_of(kind: &str) -> Vec<u32> {
    let nodes = netgraph::snapshot();
    nodes
        .iter()
        .filter(|node| node.kind == kind && node.valid)
        .map(|node| node.id)
        .collect()
}
