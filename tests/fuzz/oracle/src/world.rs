//! The state of everything, and how it changes step by step.

use std::collections::{BTreeMap, VecDeque};

use crate::buffer::Buffer;
use crate::errno::{Errno, Result};
use crate::message::Message;
use crate::node::{Hook, Kind, Node};
use crate::socket_node::SocketNode;

/// `net.graph.maxdgram` and `net.graph.recvspace`.
const DEFAULT_SPACE: u64 = 20 * 1024;

/// What a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `NG_CONTROL`, and its node's ID.
    Control(u32),
    /// `NG_DATA`, and the ID of the node it is connected to.
    Data(Option<u32>),
}

/// An open socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// What it is.
    pub role: Role,
    /// What it has received.
    pub received: Buffer,
    /// The longest datagram it may send.
    pub longest: u64,
    /// `SO_ERROR`
    pub error: Option<Errno>,
    /// What a loss left for a reader that asks for it.
    pub loss: Option<Errno>,
    /// `SO_RERROR`: it asks for it.
    pub reports_loss: bool,
    /// Nothing more can be sent.
    pub shut: bool,
    /// Nothing more is to be read.
    pub at_end: bool,
    /// A datagram may be sent without an address.
    pub connected: bool,
    /// The process that uses it may load modules.
    pub privileged: bool,
}

impl Socket {
    pub(crate) fn new(role: Role) -> Self {
        Self {
            role,
            received: Buffer::new(DEFAULT_SPACE),
            longest: DEFAULT_SPACE,
            error: None,
            loss: None,
            reports_loss: false,
            shut: false,
            at_end: false,
            connected: false,
            privileged: true,
        }
    }

    /// A datagram did not fit.
    pub(crate) fn note_loss(&mut self) {
        if self.reports_loss {
            self.loss = Some(Errno::ENOBUFS);
        }
    }
}

/// What a node is to do as soon as nobody works on it.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Go away.
    Remove,
    /// Remove a hook.
    RemoveHook(u64),
    /// Take the second hook of a new connection.
    Second(u64),
    /// Agree to the connection of the first.
    First(u64),
    /// Take an answer from a node.
    Answer(u32, Message),
}

/// All there is.
#[derive(Debug, Clone)]
pub struct World {
    /// The nodes, by ID.
    pub nodes: BTreeMap<u32, Node>,
    /// The hooks, those included that are being connected or removed.
    pub hooks: BTreeMap<u64, Hook>,
    /// What socket nodes know, as long as they or a socket of theirs are there.
    pub socket_nodes: BTreeMap<u32, SocketNode>,
    /// The open sockets, by the caller's numbers.
    pub sockets: BTreeMap<usize, Socket>,
    pub(crate) last_id: u32,
    pub(crate) last_hook: u64,
    /// Nodes that somebody works on.
    busy: Vec<u32>,
    later: VecDeque<(u32, Step)>,
    /// What the sender of the current message is told.
    pub(crate) outcome: Result,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            nodes: BTreeMap::new(),
            hooks: BTreeMap::new(),
            socket_nodes: BTreeMap::new(),
            sockets: BTreeMap::new(),
            last_id: 0,
            last_hook: 0,
            busy: Vec::new(),
            later: VecDeque::new(),
            outcome: Ok(()),
        }
    }

    /// Makes a node with the next ID. A socket node that was shut down keeps its ID until its sockets are closed.
    pub(crate) fn add_node(&mut self, kind: Kind) -> u32 {
        self.last_id += 1;
        while self.nodes.contains_key(&self.last_id) || self.socket_nodes.contains_key(&self.last_id) {
            self.last_id += 1;
        }
        let node = Node {
            id: self.last_id,
            kind,
            name: Vec::new(),
            hooks: Vec::new(),
            valid: true,
        };
        self.nodes.insert(node.id, node);
        self.last_id
    }

    /// Whether the same nodes, hooks and sockets are there in the same state.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.nodes == other.nodes
            && self.hooks == other.hooks
            && self.socket_nodes == other.socket_nodes
            && self.sockets == other.sockets
    }

    /// Has IDs begin at 1 again, except for those that are taken.
    pub fn restart_ids(&mut self) {
        self.last_id = 0;
    }

    pub(crate) fn socket(&mut self, number: usize) -> &mut Socket {
        self.sockets.get_mut(&number).expect("the caller's sockets are open")
    }

    /// Works on a node.
    pub(crate) fn working_on<R>(&mut self, node: u32, work: impl FnOnce(&mut Self) -> R) -> R {
        self.busy.push(node);
        let result = work(self);
        self.busy.pop();
        result
    }

    /// Has a node do something, now if nobody works on it.
    pub(crate) fn step(&mut self, node: u32, step: Step) -> Result {
        if self.busy.contains(&node) {
            self.postpone(node, step);
            return Ok(());
        }
        self.perform(node, step)
    }

    /// Has a node do something once the call is through.
    pub(crate) fn postpone(&mut self, node: u32, step: Step) {
        self.later.push_back((node, step));
    }

    /// Does what was put off. What goes wrong is told to the sender it was done for.
    pub(crate) fn settle(&mut self) {
        while let Some((node, step)) = self.later.pop_front() {
            let tells = matches!(step, Step::First(_) | Step::Second(_) | Step::Answer(..));
            let result = self.perform(node, step);
            if tells && result.is_err() {
                self.outcome = result;
            }
        }
    }

    fn perform(&mut self, id: u32, step: Step) -> Result {
        let Some(node) = self.nodes.get(&id) else {
            return Err(Errno::EINVAL);
        };
        if !node.valid && !matches!(step, Step::Remove) {
            return Err(Errno::EINVAL);
        }
        self.working_on(id, |world| {
            match step {
                Step::Remove => world.remove_node(id),
                Step::RemoveHook(hook) => world.remove_hook(hook),
                Step::Second(hook) => return world.connect_second(id, hook),
                Step::First(hook) => world.agree(hook),
                Step::Answer(from, message) => return world.hand_over(id, from, &message),
            }
            Ok(())
        })
    }
}
