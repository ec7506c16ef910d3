//! The node: what its two sockets share, and what netgraph asks of it.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use kpi::mbuf::Mbuf;
use kpi::memory::{Arc, KBox, Settle, Wait};
use kpi::mutex::{Guard, Mutex};
use kpi::netgraph::{Header, Hook, HookName, Incoming, Item, Kept, Message, Node, NodeType};
use kpi::raw::ng_message::NGF_RESP;
use kpi::raw::ng_socket::NGM_SOCKET_COOKIE;
use kpi::socket::{OwnAddress, Socket};
use kpi::thread::pause;
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

/// A message that was sent: its token, and how many answers had been lost before.
pub(crate) struct Question {
    token: u32,
    lost_before: u32,
}

/// The last answers that did not fit into the control socket's receive buffer: their tokens, and the how manieth each is.
///
/// Senders look for theirs here before they return. One whose answer has been pushed out by later ones is told by
/// `SO_ERROR` only, as the reader is.
#[derive(Default)]
struct LostAnswers([Option<(u32, u32)>; 8]);

impl LostAnswers {
    fn note(&mut self, token: u32, number: u32) {
        self.0.rotate_right(1);
        if let Some(first) = self.0.first_mut() {
            *first = Some((token, number));
        }
    }

    /// Takes the answer to `question` out, if it was lost after the question was asked.
    fn take(&mut self, question: &Question) -> bool {
        let answers = |lost: &Option<(u32, u32)>| {
            lost.is_some_and(|(token, number)| {
                let since = number.wrapping_sub(question.lost_before);
                token == question.token && since <= u32::MAX / 2
            })
        };
        let mut places = self.0.iter_mut();
        places.find(|lost| answers(lost)).and_then(Option::take).is_some()
    }
}

/// What changes, under the node's mutex.
pub(crate) struct State {
    /// The node, until it is shut down.
    pub(crate) node: Option<Node>,
    /// The same, until both sockets are gone.
    kept: Option<Kept>,
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
    /// Which answers did not fit.
    lost_answers: LostAnswers,
}

/// A node of type `socket`, seen from its sockets and from netgraph.
pub(crate) struct SocketNode {
    state: Mutex<State>,
    /// How many hooks there are, for senders that take no lock.
    pub(crate) hooks: AtomicU64,
    /// Packets that the data socket sent.
    pub(crate) data_out: AtomicU64,
    /// Whether any events are wanted.
    pub(crate) telling: AtomicBool,
    /// Whether there are events that wait for room.
    pub(crate) behind: AtomicBool,
    /// How many answers did not fit, for senders that take no lock.
    answers_lost: AtomicU32,
}

impl Settle for SocketNode {
    fn settle(&self) {
        self.state.settle();
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
            kept: None,
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
            lost_answers: LostAnswers::default(),
        };
        let node = Self {
            state: Mutex::new(state, c"ng_socket state"),
            hooks: AtomicU64::new(0),
            data_out: AtomicU64::new(0),
            telling: AtomicBool::new(false),
            behind: AtomicBool::new(false),
            answers_lost: AtomicU32::new(0),
        };
        // Dropped if there is no memory, which takes it back.
        NODES.fetch_add(1, Ordering::SeqCst);
        Arc::new(node, Wait::Sleep)
    }

    /// Takes the node that was made for this, before anyone else has this.
    pub(crate) fn join(&mut self, node: Node) {
        let state = self.state.get_mut();
        state.id = node.id();
        state.kept = Some(Kept::new(node.clone()));
        state.node = Some(node);
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
    /// `ENOTCONN`: it has been shut down, or is about to be.
    pub(crate) fn node(&self) -> Result<Node> {
        let node = self.state().node.clone();
        node.filter(Node::is_valid).ok_or(Errno::ENOTCONN)
    }

    /// The node, from which its control socket sends a message with this token, and what to ask
    /// [`SocketNode::has_lost_answer`] with.
    ///
    /// # Errors
    /// `ENOTCONN`: it has been shut down.
    pub(crate) fn sending(&self, token: u32) -> Result<(Node, Question)> {
        let mut state = self.state();
        let node = state.node.clone().ok_or(Errno::ENOTCONN)?;
        let lost_before = self.answers_lost.load(Ordering::Relaxed);
        state.statistics.control_out = state.statistics.control_out.wrapping_add(1);
        CONTROL_OUT.count();
        Ok((node, Question { token, lost_before }))
    }

    /// Whether the answer to this message did not fit; takes note that somebody was told.
    pub(crate) fn has_lost_answer(&self, question: &Question) -> bool {
        self.answers_lost.load(Ordering::Relaxed) != question.lost_before && self.state().lost_answers.take(question)
    }

    /// The control socket is gone.
    pub(crate) fn close_control(&self) {
        self.close(|state| state.control = None);
    }

    /// The data socket is gone.
    pub(crate) fn close_data(&self) {
        self.close(|state| {
            state.data = None;
            self.tell_data_socket(state, 0);
        });
    }

    /// Forgets a socket; with the last one goes the node.
    fn close(&self, forget: impl FnOnce(&mut State)) {
        let (node, kept) = {
            let mut state = self.state();
            forget(&mut state);
            if state.control.is_some() || state.data.is_some() {
                return;
            }
            (state.node.clone(), state.kept.take())
        };
        remove_surely(node);
        if let Some(kept) = kept {
            kept.retire();
        }
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
    /// same call, if the message is his answer.
    fn lost(&self, state: &mut State, control: Socket, header: &Header) {
        state.statistics.control_lost = state.statistics.control_lost.wrapping_add(1);
        CONTROL_LOST.count();
        if header.flags & NGF_RESP != 0 {
            let number = self.answers_lost.fetch_add(1, Ordering::Relaxed);
            state.lost_answers.note(header.token, number);
        }
        control.set_error(Errno::ENOBUFS);
        self.tell_drops(state);
    }
}

/// Has a node removed that its last socket has left, if there is one. Sleeps.
///
/// Should there be no item to queue the removal with, it waits for one: nobody else could do it later, since the attempt
/// has made the node invalid, so that it is not found any more.
fn remove_surely(node: Option<Node>) {
    if let Some(node) = node {
        while node.remove().is_err() {
            pause(1);
        }
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
        if let Some(node) = leaving.filter(Node::is_valid) {
            // Nobody may sleep here. Should there be no item to queue the removal with, the node goes with its sockets.
            let _ = node.remove();
        }
    }

    fn closing(private: &SocketNode) {
        if !private.telling.load(Ordering::Relaxed) {
            return;
        }
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
