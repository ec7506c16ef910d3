//! `NG_DATA`: the socket that joins a node, and the packets of its hooks.

use core::sync::atomic::Ordering;

use kpi::epoch::NetEpoch;
use kpi::mbuf::Mbuf;
use kpi::memory::{OnceArc, Wait};
use kpi::netgraph::{HookName, Item, private_of};
use kpi::socket::{Address, Kind, Name, Protocol, Socket, SocketList};
use kpi::thread::Thread;
use kpi::{Errno, Result};

use crate::hooks::only_hook;
use crate::node::{SocketNode, SocketType, find};
use crate::{MAX_DATAGRAM, RECEIVE_SPACE};

/// The list both kinds of sockets are in.
pub(crate) fn sockets() -> &'static SocketList {
    &SOCKETS
}

/// netstat(1) reads this through the kernel's symbols.
#[allow(unsafe_code)]
// SAFETY: the module's only symbol of this name, which the C module has as well.
#[cfg_attr(target_os = "none", unsafe(export_name = "ngsocklist"))]
static SOCKETS: SocketList = SocketList::new();

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

#[allow(unsafe_code)]
// SAFETY: the copies of the socket lie in self, which detach consumes, and in the node's state, as `data`. detach takes
// the latter out under the state's mutex, under which every other thread uses it.
unsafe impl Protocol for Data {
    const KIND: Kind = Kind::Data;

    fn sockets() -> &'static SocketList {
        sockets()
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
            node.close(|state| &mut state.data);
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
        self.node
            .set(kpi::memory::Arc::clone(&private))
            .map_err(|_| Errno::EISCONN)?;
        state.data = Some(self.socket);
        Ok(())
    }

    fn send(&self, _: Socket, packet: Mbuf, address: Option<&Address<'_>>, _: &Thread) -> Result {
        let node = self.node()?;
        let name = address.map(Address::text).filter(|name| !name.is_empty());
        let hook = {
            let state = node.state();
            let hooks = state.hooks.as_ref();
            if hooks.is_none() {
                return Err(Errno::ENOTCONN);
            }
            match name {
                None => only_hook(hooks)?,
                Some(name) => {
                    let name = HookName::new(name)?;
                    hooks
                        .and_then(|hooks| hooks.find(&name))
                        .cloned()
                        .ok_or(Errno::EHOSTUNREACH)?
                }
            }
        };
        let item = Item::with_data(Some(packet), Wait::Sleep)?;
        NetEpoch::run(|inside| item.address_hook(&hook)?.send_data(inside))
    }

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
