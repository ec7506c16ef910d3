//! The node: what its two sockets share, and what netgraph asks of it.

use core::ffi::CStr;

use kpi::mbuf::Mbuf;
use kpi::memory::{Arc, Wait};
use kpi::mutex::{Guard, Mutex};
use kpi::netgraph::{Header, Hook, HookName, Item, Kept, Message, Node, NodeType};
use kpi::raw::ng_message::NGF_RESP;
use kpi::raw::ng_socket::{NGM_SOCK_CMD_LINGER, NGM_SOCK_CMD_NOLINGER, NGM_SOCKET_COOKIE};
use kpi::socket::{OwnAddress, Socket};
use kpi::{Errno, Result};

use crate::hooks::HookTable;

/// What happens when the last hook is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linger {
    /// The node stays, ready for new hooks: `NGM_SOCK_CMD_LINGER`, the default.
    Stay,
    /// The node shuts down: `NGM_SOCK_CMD_NOLINGER`.
    Leave,
}

/// What changes, under the node's mutex.
pub(crate) struct State {
    /// The node, until it is shut down.
    pub(crate) node: Option<Node>,
    /// The same, until both sockets are gone.
    pub(crate) kept: Option<Kept>,
    /// The control socket, while it is attached.
    pub(crate) control: Option<Socket>,
    /// The data socket, while it is connected.
    pub(crate) data: Option<Socket>,
    /// The hooks, until the node is shut down.
    pub(crate) hooks: Option<HookTable>,
    linger: Linger,
}

/// A node of type `socket`, seen from its sockets and from netgraph.
pub(crate) struct SocketNode {
    state: Mutex<State>,
}

impl SocketNode {
    /// The data for a node that a control socket is about to make.
    ///
    /// # Errors
    /// `ENOMEM`, though it sleeps for memory.
    pub(crate) fn new(control: Socket) -> Result<Arc<Self>> {
        let hooks = HookTable::new(Wait::Sleep)?;
        let state = State {
            node: None,
            kept: None,
            control: Some(control),
            data: None,
            hooks: Some(hooks),
            linger: Linger::Stay,
        };
        Arc::new(
            Self {
                state: Mutex::new(state, c"ng_socket state", Wait::Sleep)?,
            },
            Wait::Sleep,
        )
    }

    /// Locks what changes.
    #[track_caller]
    pub(crate) fn state(&self) -> Guard<'_, State> {
        self.state.lock()
    }

    /// The node.
    ///
    /// # Errors
    /// `ENOTCONN`: it has been shut down.
    pub(crate) fn node(&self) -> Result<Node> {
        self.state().node.clone().ok_or(Errno::ENOTCONN)
    }

    /// Forgets the socket in `place` of the state, and has the node removed if that was the last one.
    pub(crate) fn close(&self, place: impl FnOnce(&mut State) -> &mut Option<Socket>) {
        let (orphan, kept) = {
            let mut state = self.state();
            *place(&mut state) = None;
            if state.control.is_some() || state.data.is_some() {
                return;
            }
            (state.node.clone(), state.kept.take())
        };
        // Should there be no item to queue the removal with, the node stays until somebody shuts it down.
        let removed = orphan.is_none_or(|node| node.remove().is_ok());
        if let Some(kept) = kept.filter(|_| removed) {
            kept.retire();
        }
    }

    /// A message for the process behind the control socket.
    fn deliver(&self, message: &Message, sender: u32) -> Result {
        let state = self.state();
        let control = state.control.ok_or(Errno::EINVAL)?;
        let buffer = control.receive_buffer();
        if message.as_bytes().len() > buffer.limit() {
            // It would never fit: do not take a chain of mbufs that long in the first place.
            buffer.overflow();
            return Err(Errno::ENOBUFS);
        }
        buffer.append(&OwnAddress::of_sender(sender), Mbuf::from_bytes(message.as_bytes())?)
    }

    /// A command for the node itself.
    fn command(&self, command: u32) -> Result {
        let linger = match command {
            NGM_SOCK_CMD_NOLINGER => Linger::Leave,
            NGM_SOCK_CMD_LINGER => Linger::Stay,
            _ => return Err(Errno::EINVAL),
        };
        self.state().linger = linger;
        Ok(())
    }
}

/// Finds a node by a process's path.
///
/// # Errors
/// `EINVAL`: the path makes no sense, or is relative. `ENOENT`: there is no such node.
pub(crate) fn find(path: &CStr) -> Result<Node> {
    Item::with_data(None, Wait::Sleep)?
        .address_path(None, path)?
        .into_node()
        .ok_or(Errno::ENOENT)
}

/// The node type `socket`.
pub(crate) enum SocketType {}

impl NodeType for SocketType {
    type Private = SocketNode;

    fn descriptor() -> *mut kpi::raw::netgraph::ng_type {
        crate::glue::NODE_TYPE.get()
    }

    fn receive_message(private: &SocketNode, message: Message, sender: u32) -> Result {
        let Header {
            typecookie, flags, cmd, ..
        } = message.header();
        // An answer with our own cookie comes from another socket node: it is the process that asked.
        if typecookie == NGM_SOCKET_COOKIE && flags & NGF_RESP == 0 {
            private.command(cmd)
        } else {
            private.deliver(&message, sender)
        }
    }

    fn receive_data(private: &SocketNode, hook: HookName, packet: Mbuf) -> Result {
        let state = private.state();
        match state.data {
            Some(data) => data
                .receive_buffer()
                .append(&OwnAddress::of_hook(hook.as_bytes()), packet),
            // Nobody listens: as if it had been read.
            None => Ok(()),
        }
    }

    fn new_hook(private: &SocketNode, hook: Hook) -> Result {
        private.state().hooks.as_mut().ok_or(Errno::ENOTCONN)?.insert(hook)
    }

    fn find_hook(private: &SocketNode, name: &HookName) -> Option<Hook> {
        private.state().hooks.as_ref()?.find(name).cloned()
    }

    fn lost_hook(private: &SocketNode, hook: &Hook, left: usize) {
        let (lost, leaving) = {
            let mut state = private.state();
            let lost = state.hooks.as_mut().and_then(|hooks| hooks.remove(hook));
            let leaving = left == 0 && state.linger == Linger::Leave;
            (lost, if leaving { state.node.clone() } else { None })
        };
        drop(lost);
        if let Some(node) = leaving.filter(Node::is_valid) {
            // As in close: without an item the node stays.
            let _ = node.remove();
        }
    }

    fn shut_down(private: &SocketNode) {
        let remains = {
            let mut state = private.state();
            // Under the mutex: detach takes a socket out under it, so that both are alive here.
            for socket in [state.control, state.data].into_iter().flatten() {
                socket.disconnected();
            }
            (state.node.take(), state.hooks.take())
        };
        // References are given up without the mutex: the last one may free a node or a hook.
        drop(remains);
    }
}
