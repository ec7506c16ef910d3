//! `NG_DATA`: the socket that joins a node, and the packets of its hooks.

use core::sync::atomic::Ordering;

use kpi::epoch::NetEpoch;
use kpi::memory::{Arc, OnceArc, Wait};
use kpi::netgraph::{Hook, HookName, Item, Node, private_of};
use kpi::socket::{Address, Kind, Name, Outgoing, Patience, Protocol, Socket, SocketList};
use kpi::thread::Thread;
use kpi::{Errno, Result};

use crate::counters::DATA_OUT;
use crate::node::{SocketNode, SocketType, find};
use crate::{MAX_DATAGRAM, RECEIVE_SPACE};

/// What every netgraph socket needs first, of either kind: the privilege, and its buffers.
///
/// # Errors
/// `EPERM`: the thread may not use netgraph. `ENOBUFS`: the buffers are larger than the process may have.
pub(crate) fn admit(socket: Socket, thread: &Thread) -> Result {
    thread.may_control_netgraph()?;
    socket.reserve(
        MAX_DATAGRAM.load(Ordering::Relaxed),
        RECEIVE_SPACE.load(Ordering::Relaxed),
    )
}

/// A data socket.
pub(crate) struct Data {
    socket: Socket,
    /// Set by connect(2), once.
    node: OnceArc<SocketNode>,
}

impl Data {
    fn node(&self) -> Result<&SocketNode> {
        self.node.get().ok_or(Errno::ENOTCONN)
    }
}

/// The hook of the last packet.
///
/// A sender that stays with its hook, as most do, needs no lock: as long as the hook is valid it is the node's hook of
/// that name, and if the node has one hook it is the only one. It may be removed the next moment, but that may happen to
/// any packet on its way. A hook that is gone stays allocated until the next packet or the end of the socket.
///
/// Of senders that come at the same time, one has this; the others look their hook up.
#[derive(Default)]
pub(crate) struct LastHook(Option<(HookName, Hook)>);

impl LastHook {
    /// The hook for a packet to `name`, or to the only hook there is.
    ///
    /// # Errors
    /// `ENOTCONN`: the node is gone. `EHOSTUNREACH`: it has no such hook. `EDESTADDRREQ`: it has not exactly one.
    fn find(&mut self, node: &SocketNode, name: Option<&HookName>) -> Result<&Hook> {
        let known = self.0.as_ref().is_some_and(|(last, hook)| {
            let meant = name.map_or_else(|| node.hooks.load(Ordering::Relaxed) == 1, |name| name == last);
            meant && hook.is_valid()
        });
        if !known {
            let found = look_up(node, name)?;
            self.0 = Some((found.name(), found));
        }
        self.0.as_ref().map(|(_, hook)| hook).ok_or(Errno::EHOSTUNREACH)
    }
}

fn look_up(node: &SocketNode, name: Option<&HookName>) -> Result<Hook> {
    let state = node.state();
    let hooks = state.hooks.as_ref().ok_or(Errno::ENOTCONN)?;
    let found = match name {
        None => hooks.only().ok_or(Errno::EDESTADDRREQ),
        Some(name) => hooks.find(name).ok_or(Errno::EHOSTUNREACH),
    };
    // A node that is being shut down loses its hooks first.
    let gone = || !state.node.as_ref().is_some_and(Node::is_valid);
    found
        .cloned()
        .map_err(|errno| if gone() { Errno::ENOTCONN } else { errno })
}

// The copies of the socket lie in self, which detach consumes, and in the node's state, as `data`. detach takes the
// latter out under the state's mutex, under which every other thread uses it.
impl Protocol for Data {
    const KIND: Kind = Kind::Data;

    type Sender = LastHook;

    fn sockets() -> &'static SocketList {
        crate::glue::sockets()
    }

    fn attach(socket: Socket, thread: &Thread) -> Result<Self> {
        admit(socket, thread)?;
        Ok(Self {
            socket,
            node: OnceArc::new(),
        })
    }

    fn detach(self) {
        if let Some(node) = self.node.get() {
            node.close_data();
        }
    }

    fn node_id(&self) -> u32 {
        self.node().and_then(SocketNode::node).map_or(0, |node| node.id())
    }

    fn bind(&self, _: &Address<'_>) -> Result {
        Err(Errno::EOPNOTSUPP)
    }

    fn connect(&self, address: &Address<'_>) -> Result {
        if self.node.get().is_some() {
            return Err(Errno::EISCONN);
        }
        let node = find(address.path().as_c_str())?;
        let private = private_of::<SocketType>(&node).ok_or(Errno::EINVAL)?;
        let mut state = private.state();
        if state.node.is_none() {
            return Err(Errno::ENOENT);
        }
        if state.data.is_some() {
            return Err(Errno::EADDRINUSE);
        }
        // Of two threads that connect this socket at the same time, the one that gets the place wins.
        self.node.set(Arc::clone(&private)).map_err(|_| Errno::EISCONN)?;
        state.data = Some(self.socket);
        private.tell_data_socket(&mut state, 1);
        Ok(())
    }

    fn send(&self, _: Socket, last: &mut LastHook, outgoing: Outgoing<'_>) -> Result {
        let node = self.node()?;
        let name = match outgoing.address.as_ref().map(Address::text) {
            None | Some([]) => None,
            Some(text) => Some(HookName::new(text)?),
        };
        let hook = last.find(node, name.as_ref())?;
        let item = match outgoing.patience {
            Patience::Wait => Item::with_data(Some(outgoing.datagram), Wait::Sleep)?,
            // netgraph's items are used up, by whomever: the packet is dropped rather than its sender kept.
            Patience::Return => Item::with_data(Some(outgoing.datagram), Wait::Never).map_err(|_| Errno::ENOBUFS)?,
        };
        NetEpoch::run(|inside| item.address_hook(hook)?.send_data(inside))?;
        node.data_out.fetch_add(1, Ordering::Relaxed);
        DATA_OUT.count();
        Ok(())
    }

    fn received(&self) {}

    fn name(&self) -> Result<Name> {
        let node = self.node().and_then(SocketNode::node).map_err(|_| Errno::EINVAL)?;
        Ok(Name {
            name: node.name(),
            id: node.id(),
        })
    }

    fn has_node(&self) -> bool {
        self.node().and_then(SocketNode::node).is_ok()
    }
}
