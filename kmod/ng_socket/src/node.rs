//! The node: what its two sockets share, and what netgraph asks of it.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kpi::mbuf::Mbuf;
use kpi::memory::{Arc, KBox, Settle, Wait};
use kpi::mutex::{Guard, Mutex};
use kpi::netgraph::{Header, Hook, HookName, Incoming, Item, Message, Node, NodeType};
use kpi::raw::ng_message::NGF_RESP;
use kpi::raw::ng_socket::NGM_SOCKET_COOKIE;
use kpi::socket::{OwnAddress, Socket};
use kpi::{Errno, Result};

use crate::counters::{CONTROL_IN, CONTROL_LOST, CONTROL_OUT, DATA_IN, FULL, NO_HEADER, NO_LISTENER, NODES, REFUSED};
use crate::events::Events;
use crate::hooks::{HookTable, Stage};
use crate::messages::{Event, EventArguments, Policy, Statistics, Why};

/// What happens when the last hook is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linger {
    /// The node stays, ready for new hooks: `NGM_SOCK_CMD_LINGER`, the default.
    Stay,
    /// The node shuts down: `NGM_SOCK_CMD_NOLINGER`.
    Leave,
}

/// Whether the node has begun to shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Running,
    Closing,
}

/// What changes, under the node's mutex.
pub(crate) struct State {
    /// The node, until it is shut down.
    pub(crate) node: Option<Node>,
    /// Its ID, also afterwards.
    pub(crate) id: u32,
    /// The control socket, while it is attached.
    pub(crate) control: Option<Socket>,
    /// The data socket, while it is connected.
    pub(crate) data: Option<Socket>,
    /// The hooks, until the node is shut down.
    pub(crate) hooks: Option<HookTable>,
    /// What happens when the last hook is removed.
    pub(crate) linger: Linger,
    /// Which hooks are accepted; none: all of them.
    pub(crate) policy: Option<KBox<Policy>>,
    /// What has been counted, but for `data_out`.
    pub(crate) statistics: Statistics,
    /// Where `data_out` stood when the statistics were set to 0.
    pub(crate) data_out_before: u64,
    /// What the control socket is told.
    pub(crate) events: Events,
    life: Life,
    /// The token of the message that the control socket sends.
    awaited: u32,
}

/// A node of type `socket`, seen from its sockets and from netgraph.
pub(crate) struct SocketNode {
    state: Mutex<State>,
    /// How many hooks there are, for senders that take no lock.
    pub(crate) hooks: AtomicU64,
    /// Packets that the data socket sent; its senders come one by one.
    pub(crate) data_out: AtomicU64,
    /// Whether there are events that wait for room.
    pub(crate) behind: AtomicBool,
    /// The answer to the message the control socket sends did not fit.
    pub(crate) answer_lost: AtomicBool,
}

impl Settle for SocketNode {
    fn settle(&self) {
        self.state.settle();
        NODES.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for SocketNode {
    fn drop(&mut self) {
        NODES.fetch_sub(1, Ordering::SeqCst);
    }
}

impl SocketNode {
    /// The data for a node that a control socket is about to make.
    ///
    /// # Errors
    /// `ENOMEM`, though it sleeps for memory.
    pub(crate) fn new(control: Socket) -> Result<Arc<Self>> {
        let state = State {
            node: None,
            id: 0,
            control: Some(control),
            data: None,
            hooks: Some(HookTable::new()),
            linger: Linger::Stay,
            policy: None,
            statistics: Statistics::default(),
            data_out_before: 0,
            events: Events::new(),
            life: Life::Running,
            awaited: 0,
        };
        let node = Self {
            state: Mutex::new(state, c"ng_socket state"),
            hooks: AtomicU64::new(0),
            data_out: AtomicU64::new(0),
            behind: AtomicBool::new(false),
            answer_lost: AtomicBool::new(false),
        };
        Arc::new(node, Wait::Sleep)
    }

    /// Locks what changes.
    #[track_caller]
    pub(crate) fn state(&self) -> Guard<'_, State> {
        self.state.lock()
    }

    /// Wakes whoever sleeps with the state's guard.
    pub(crate) fn wakeup(&self) {
        self.state.wakeup();
    }

    /// The node.
    ///
    /// # Errors
    /// `ENOTCONN`: it has been shut down.
    pub(crate) fn node(&self) -> Result<Node> {
        self.state().node.clone().ok_or(Errno::ENOTCONN)
    }

    /// The node, from which its control socket sends a message with this token.
    ///
    /// # Errors
    /// `ENOTCONN`: it has been shut down.
    pub(crate) fn sending(&self, token: u32) -> Result<Node> {
        let mut state = self.state();
        let node = state.node.clone().ok_or(Errno::ENOTCONN)?;
        state.awaited = token;
        self.answer_lost.store(false, Ordering::Relaxed);
        state.statistics.control_out = state.statistics.control_out.wrapping_add(1);
        CONTROL_OUT.count();
        Ok(node)
    }

    /// The control socket is gone.
    pub(crate) fn close_control(&self) {
        let orphan = {
            let mut state = self.state();
            state.control = None;
            state.orphan()
        };
        remove(orphan);
    }

    /// The data socket is gone.
    pub(crate) fn close_data(&self) {
        let orphan = {
            let mut state = self.state();
            state.data = None;
            self.tell_data_socket(&mut state, 0);
            state.orphan()
        };
        remove(orphan);
    }

    /// A message for the process behind the control socket.
    fn deliver(&self, message: &Message, sender: u32) -> Result {
        let mut state = self.state();
        let control = state.control.ok_or(Errno::EINVAL)?;
        let buffer = control.receive_buffer();
        let delivered = if message.as_bytes().len() > buffer.limit() {
            // It would never fit: do not take a chain of mbufs that long in the first place.
            buffer.overflow();
            Err(Errno::ENOBUFS)
        } else {
            Mbuf::from_bytes(message.as_bytes())
                .and_then(|packet| buffer.append(&OwnAddress::of_sender(sender), packet))
        };
        if delivered.is_ok() {
            state.statistics.control_in = state.statistics.control_in.wrapping_add(1);
            CONTROL_IN.count();
        } else {
            self.lost(&mut state, control, &message.header());
        }
        delivered
    }

    /// A message for the process did not fit: it is counted, the reader told by `SO_ERROR`, and so is the sender in the
    /// same call, if the message answers his.
    fn lost(&self, state: &mut State, control: Socket, header: &Header) {
        state.statistics.control_lost = state.statistics.control_lost.wrapping_add(1);
        CONTROL_LOST.count();
        if header.flags & NGF_RESP != 0 && header.token == state.awaited {
            self.answer_lost.store(true, Ordering::Relaxed);
        }
        control.set_error(Errno::ENOBUFS);
        self.tell_drops(state);
    }
}

impl State {
    /// The node, if it has no socket left that it could be there for.
    fn orphan(&self) -> Option<Node> {
        if self.control.is_none() && self.data.is_none() {
            self.node.clone()
        } else {
            None
        }
    }
}

/// Has a node removed, if there is one.
fn remove(node: Option<Node>) {
    if let Some(node) = node {
        // Should there be no item to queue the removal with, the node stays until somebody shuts it down.
        let _ = node.remove();
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

    fn receive_message(private: &SocketNode, message: Incoming) -> Result {
        let Header { typecookie, flags, .. } = message.message().header();
        // An answer with our own cookie comes from another socket node: it is the process that asked.
        if typecookie == NGM_SOCKET_COOKIE && flags & NGF_RESP == 0 {
            private.command(message)
        } else {
            private.deliver(message.message(), message.sender())
        }
    }

    fn receive_data(private: &SocketNode, hook: &HookName, packet: Mbuf) -> Result {
        let state = &mut *private.state();
        let counts = &mut state.statistics;
        let received = match state.data {
            Some(data) => data.receive_buffer().append(&OwnAddress::of_hook(hook), packet),
            // Nobody listens: as if it had been read.
            None => {
                counts.no_listener = counts.no_listener.wrapping_add(1);
                NO_LISTENER.count();
                private.tell_drops(state);
                return Ok(());
            }
        };
        match received {
            Ok(()) => {
                counts.data_in = counts.data_in.wrapping_add(1);
                DATA_IN.count();
                return received;
            }
            Err(Errno::EINVAL) => {
                counts.no_header = counts.no_header.wrapping_add(1);
                NO_HEADER.count();
            }
            Err(_) => {
                counts.full = counts.full.wrapping_add(1);
                FULL.count();
            }
        }
        private.tell_drops(state);
        received
    }

    fn new_hook(private: &SocketNode, hook: Hook) -> Result {
        let name = hook.name();
        let mut state = private.state();
        let count = state.hooks.as_ref().map(HookTable::count).ok_or(Errno::ENOTCONN)?;
        if let Some(Err(reason)) = state.policy.as_ref().map(|policy| policy.judge(&name, count)) {
            state.statistics.refused = state.statistics.refused.wrapping_add(1);
            REFUSED.count();
            private.tell_hook(&mut state, Event::HookRefused, &name, reason as u32);
            return Err(Errno::EPERM);
        }
        state.hooks.as_mut().ok_or(Errno::ENOTCONN)?.insert(name, hook)?;
        private.hooks.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn connected(private: &SocketNode, hook: &Hook) {
        let name = hook.name();
        let mut state = private.state();
        if let Some(hooks) = state.hooks.as_mut() {
            hooks.advance(&name, Stage::Connected);
        }
        if state.events.wants(Event::HookConnected) {
            private.tell_connected(&mut state, &name, hook.peer());
        }
    }

    fn find_hook(private: &SocketNode, name: &HookName) -> Option<Hook> {
        private.state().hooks.as_ref()?.find(name).cloned()
    }

    fn lost_hook(private: &SocketNode, hook: &Hook, left: usize) {
        let name = hook.name();
        let (lost, leaving) = {
            let mut state = private.state();
            let lost = state.hooks.as_mut().and_then(|hooks| hooks.remove(&name, hook));
            if let Some((_, stage)) = &lost {
                private.hooks.fetch_sub(1, Ordering::Relaxed);
                private.tell_removed(&mut state, &name, *stage);
            }
            let leaving = left == 0 && state.linger == Linger::Leave;
            (lost, if leaving { state.node.clone() } else { None })
        };
        drop(lost);
        remove(leaving.filter(Node::is_valid));
    }

    fn closing(private: &SocketNode) {
        let mut state = private.state();
        state.life = Life::Closing;
        private.tell(&mut state, Event::ShuttingDown, &EventArguments::new());
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

impl SocketNode {
    /// Tells that a hook is gone, if it had been told of; why is what can be seen from here.
    fn tell_removed(&self, state: &mut State, name: &HookName, stage: Stage) {
        let why = match (state.life, stage) {
            (_, Stage::Added) => return,
            (Life::Closing, _) => Why::Shutdown,
            (Life::Running, Stage::Leaving) => Why::Removed,
            (Life::Running, Stage::Connected) => Why::Peer,
        };
        self.tell_hook(state, Event::HookRemoved, name, why as u32);
    }

    /// A process asks the node to remove a hook (`NGM_RMHOOK`). netgraph answers the message itself, and the node sees
    /// only that the hook goes: so take note beforehand.
    pub(crate) fn expect_removal(&self, name: &HookName) {
        let mut state = self.state();
        if let Some(hooks) = state.hooks.as_mut() {
            hooks.advance(name, Stage::Leaving);
        }
    }
}
