//! A kernel and a model, side by side.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use hostkern::{Errno, Process, Socket, netgraph};
use oracle::World;
use oracle::calls::{How, Outgoing, Received};
use oracle::message::Message;

use crate::machine::{self, Rest};

pub(crate) const PF_NETGRAPH: i32 = 32;
pub(crate) const SOCK_DGRAM: i32 = 2;
const NG_DATA: i32 = 1;
pub(crate) const NG_CONTROL: i32 = 2;
const SO_SNDBUF: i32 = 0x1001;
const SO_RCVBUF: i32 = 0x1002;
const SO_ERROR: i32 = 0x1007;
const SO_RERROR: i32 = 0x2_0000;
const MSG_PEEK: i32 = 0x2;
const MSG_DONTWAIT: i32 = 0x80;
const MSG_TRUNC: i32 = 0x10;

static TRACED: OnceLock<bool> = OnceLock::new();

/// Which protocol a socket is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `NG_CONTROL`
    Control,
    /// `NG_DATA`
    Data,
}

/// A kernel and a model, and the sockets of both by number.
pub struct Pair {
    world: World,
    sockets: BTreeMap<usize, Socket>,
    /// Each call is printed: the environment has `FUZZ_TRACE`.
    traced: bool,
}

impl Default for Pair {
    fn default() -> Self {
        Self::new()
    }
}

/// A result of the kernel's as the model has it.
fn result<T>(result: Result<T, Errno>) -> oracle::Result<T> {
    result.map_err(|errno| oracle::Errno(errno.get()))
}

/// # Panics
/// The kernel did something else than was expected.
#[track_caller]
fn same<T: PartialEq + core::fmt::Debug>(call: &str, did: T, expected: T) {
    assert!(did == expected, "{call}: the kernel: {did:?}; expected: {expected:?}");
}

/// A datagram as a trace shows it.
fn what(bytes: &[u8]) -> String {
    match Message::read(bytes) {
        Ok(message) => {
            let Message {
                cookie,
                command,
                flags,
                token,
                arguments,
                ..
            } = message;
            let start = arguments[..arguments.len().min(100)].escape_ascii();
            format!(
                "[{cookie} {command:#x} flags {flags} token {token}, {} bytes: {start}]",
                arguments.len()
            )
        }
        Err(_) => format!("{} bytes", bytes.len()),
    }
}

impl Pair {
    /// A kernel and a model, both empty.
    #[must_use]
    pub fn new() -> Self {
        machine::start();
        Self {
            world: World::new(),
            sockets: BTreeMap::new(),
            traced: *TRACED.get_or_init(|| std::env::var_os("FUZZ_TRACE").is_some()),
        }
    }

    fn trace(&self, call: core::fmt::Arguments<'_>) {
        if self.traced {
            eprintln!("{call}");
        }
    }

    /// The model.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Whether a socket is open.
    #[must_use]
    pub fn is_open(&self, number: usize) -> bool {
        self.sockets.contains_key(&number)
    }

    /// socket(2), by root.
    pub fn open(&mut self, number: usize, protocol: Protocol) {
        self.trace(format_args!("{number}: socket {protocol:?}"));
        if self.is_open(number) {
            self.close(number);
        }
        let kind = match protocol {
            Protocol::Control => {
                self.world.open_control(number);
                NG_CONTROL
            }
            Protocol::Data => {
                self.world.open_data(number);
                NG_DATA
            }
        };
        let socket = Process::ROOT.socket(PF_NETGRAPH, SOCK_DGRAM, kind);
        self.sockets.insert(number, socket.expect("root may have a socket"));
    }

    /// close(2)
    pub fn close(&mut self, number: usize) {
        self.trace(format_args!("{number}: close"));
        self.world.close(number);
        self.sockets.remove(&number);
    }

    /// From now on, the calls on a socket are those of a process without privileges, to which it was passed.
    pub fn pass_on(&mut self, number: usize) {
        if let Some(socket) = self.sockets.get_mut(&number) {
            *socket = socket.in_process(Process::USER);
            self.world.pass_on(number);
        }
    }

    /// bind(2)
    pub fn bind(&mut self, number: usize, sockaddr: &[u8]) {
        self.trace(format_args!("{number}: bind {}", sockaddr.escape_ascii()));
        let did = result(self.sockets[&number].bind(sockaddr));
        same("bind", did, self.world.bind(number, sockaddr));
    }

    /// connect(2)
    pub fn connect(&mut self, number: usize, sockaddr: &[u8]) {
        self.trace(format_args!("{number}: connect {}", sockaddr.escape_ascii()));
        let did = result(self.sockets[&number].connect(sockaddr));
        same("connect", did, self.world.connect(number, sockaddr));
    }

    /// getsockname(2)
    pub fn name(&mut self, number: usize) {
        let did = result(self.sockets[&number].name());
        same("getsockname", did, self.world.name_of(number));
    }

    /// sendmsg(2)
    pub fn send(&mut self, number: usize, outgoing: Outgoing<'_>) {
        let to = outgoing.to.unwrap_or(b"nobody").escape_ascii();
        self.trace(format_args!("{number}: send {} to {to}", what(outgoing.bytes)));
        // With ancillary data there may never be room; and nothing gets as far as to be waited for.
        let flags = if outgoing.ancillary.is_some() { MSG_DONTWAIT } else { 0 };
        let did = result(self.sockets[&number].send(outgoing.bytes, flags, outgoing.to, outgoing.ancillary));
        same("send", did, self.world.send(number, outgoing));
    }

    /// sendmsg(2) of what the model knows nothing of: only that it comes to an end. Nothing can be compared from now on.
    pub fn send_unknown(self, number: usize, outgoing: Outgoing<'_>) {
        let flags = if outgoing.ancillary.is_some() { MSG_DONTWAIT } else { 0 };
        let _ = self.sockets[&number].send(outgoing.bytes, flags, outgoing.to, outgoing.ancillary);
        self.end();
    }

    /// recvfrom(2) with `MSG_DONTWAIT` into a buffer of `length` bytes, at least one; `peek` leaves the datagram there.
    pub fn receive(&mut self, number: usize, length: usize, peek: bool) {
        self.trace(format_args!("{number}: receive {length}, peek {peek}"));
        let flags = MSG_DONTWAIT | if peek { MSG_PEEK } else { 0 };
        // No more than can come.
        let most = self.world.sockets[&number]
            .received
            .first()
            .map_or(0, |datagram| datagram.bytes.len());
        let mut room = vec![0; length.clamp(1, most + 8)];
        let did = result(self.sockets[&number].receive(&mut room, flags));
        let did = did.map(|got| (got.from, room[..got.length].to_vec(), got.flags & MSG_TRUNC != 0));
        let expected = self.world.receive(number, peek).map(|received| match received {
            Received::Nothing => (Vec::new(), Vec::new(), false),
            Received::Datagram(mut datagram) => {
                let cut = datagram.bytes.len() > room.len();
                datagram.bytes.truncate(room.len());
                (datagram.from, datagram.bytes, cut)
            }
        });
        same("recvfrom", did, expected);
    }

    /// shutdown(2)
    pub fn shutdown(&mut self, number: usize, how: How) {
        self.trace(format_args!("{number}: shutdown {how:?}"));
        let did = result(self.sockets[&number].shutdown(how as i32));
        same("shutdown", did, self.world.shutdown(number, how));
    }

    /// `SO_RCVBUF`
    pub fn set_receive_space(&mut self, number: usize, bytes: i32) {
        self.trace(format_args!("{number}: SO_RCVBUF {bytes}"));
        let did = result(self.sockets[&number].set_option(SO_RCVBUF, bytes));
        same("SO_RCVBUF", did, self.world.set_receive_space(number, bytes));
    }

    /// `SO_SNDBUF`
    pub fn set_send_space(&mut self, number: usize, bytes: i32) {
        self.trace(format_args!("{number}: SO_SNDBUF {bytes}"));
        let did = result(self.sockets[&number].set_option(SO_SNDBUF, bytes));
        same("SO_SNDBUF", did, self.world.set_send_space(number, bytes));
    }

    /// `SO_RERROR`
    pub fn set_reports_loss(&mut self, number: usize, reports: bool) {
        self.trace(format_args!("{number}: SO_RERROR {reports}"));
        let did = result(self.sockets[&number].set_option(SO_RERROR, reports.into()));
        self.world.set_reports_loss(number, reports);
        same("SO_RERROR", did, Ok(()));
    }

    /// `SO_ERROR`
    pub fn take_error(&mut self, number: usize) {
        self.trace(format_args!("{number}: SO_ERROR"));
        let did = result(self.sockets[&number].option(SO_ERROR));
        let expected = self.world.take_error(number).map_or(0, |errno| errno.0);
        same("SO_ERROR", did, Ok(expected));
    }

    /// Waits until everything is done, and compares the graphs, and which sockets are ready to be read.
    pub fn compare(&self) {
        netgraph::settle();
        let expected = self.expected_graph();
        let found: Vec<_> = netgraph::snapshot()
            .into_iter()
            .filter(|node| node.valid)
            .map(graph_of_kernel)
            .collect();
        same("the graph", found, expected);
        for (number, socket) in &self.sockets {
            let model = &self.world.sockets[number];
            let ready = model.received.count() > 0 || model.error.is_some() || model.loss.is_some() || model.at_end;
            same("EVFILT_READ", socket.read_event().is_some(), ready);
        }
    }

    fn expected_graph(&self) -> Vec<NodeLine> {
        let nodes = self.world.nodes.values();
        let line = |node: &oracle::node::Node| NodeLine {
            id: node.id,
            kind: node.kind.type_name().to_owned(),
            name: String::from_utf8_lossy(&node.name).into_owned(),
            hooks: node.hooks.iter().map(|hook| self.expected_hook(*hook)).collect(),
        };
        nodes.map(line).collect()
    }

    fn expected_hook(&self, hook: u64) -> (String, u32, String) {
        let hooks = &self.world.hooks;
        let hook = &hooks[&hook];
        let peer = hook.peer.map(|peer| &hooks[&peer]);
        let node = peer.and_then(|peer| peer.node).unwrap_or(0);
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        (
            text(&hook.name),
            node,
            peer.map_or_else(String::new, |peer| text(&peer.name)),
        )
    }

    /// Reads what is left in all buffers.
    pub fn drain(&mut self) {
        let numbers: Vec<usize> = self.sockets.keys().copied().collect();
        for number in numbers {
            while self.world.sockets[&number].received.count() > 0 {
                self.receive(number, usize::MAX, false);
            }
        }
    }

    /// Has node IDs begin at the lowest one that is free, once `rest` is what there is.
    ///
    /// # Panics
    /// It is not.
    pub fn rest(&mut self, rest: &Rest) {
        rest.check();
        self.world.restart_ids();
    }

    /// Reads what is left, closes everything, and makes sure that nothing remains.
    pub fn finish(mut self) {
        self.drain();
        self.end();
    }

    fn end(self) {
        // One after the other, in the order of their numbers.
        self.sockets.into_values().for_each(drop);
        machine::finish();
    }
}

/// A node and its hooks: name, the node at the other end, the hook there.
#[derive(Debug, PartialEq, Eq)]
struct NodeLine {
    id: u32,
    kind: String,
    name: String,
    hooks: Vec<(String, u32, String)>,
}

fn graph_of_kernel(node: netgraph::NodeView) -> NodeLine {
    let hooks = node.hooks.into_iter();
    NodeLine {
        id: node.id,
        kind: node.kind,
        name: node.name,
        hooks: hooks.map(|hook| (hook.name, hook.peer, hook.peer_hook)).collect(),
    }
}
