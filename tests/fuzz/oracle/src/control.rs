//! Control messages at their destination, and what nodes say on their own.

use crate::address::NAME;
use crate::buffer::Datagram;
use crate::errno::{Errno, Result};
use crate::message::{GENERIC, Message, SOCKET, field, generic, socket};
use crate::node::{Kind, Node};
use crate::socket_node::{Event, Life, Policy, SocketNode, Statistics};
use crate::world::{Step, World};

/// `NGM_HUB_COOKIE`, and its only command.
const HUB: u32 = 1_082_189_597;
const SET_PERSISTENT: u32 = 1;
/// How long a control message's `sockaddr` is in FreeBSD 14.
const SENDER_LENGTH: usize = 16;
const FAMILY: u8 = 32;

/// What a node says to a message: nothing, or an answer's arguments.
type Reply = Result<Option<Vec<u8>>>;

/// The address that the receiver of a message sees.
#[must_use]
pub(crate) fn sender(id: u32) -> Vec<u8> {
    let mut address = vec![16, FAMILY];
    address.extend(format!("[{id:x}]:").bytes());
    address.resize(SENDER_LENGTH, 0);
    address
}

impl World {
    /// Whether the model knows what becomes of a message.
    #[must_use]
    pub fn knows(&self, message: &Message) -> bool {
        if message.cookie == SOCKET {
            let mask = message
                .arguments
                .first_chunk()
                .map_or(0, |mask| u32::from_le_bytes(*mask));
            return message.command != socket::SET_EVENTS || mask & Event::DROPS == 0;
        }
        if message.cookie != GENERIC || message.is_answer() {
            return true;
        }
        match message.command {
            generic::MKPEER => match message.name(0, 96) {
                Ok(kind) => kind == b"socket" || !Kind::is_known_otherwise(kind),
                Err(_) => true,
            },
            generic::LISTTYPES | generic::BINARY2ASCII | generic::ASCII2BINARY => false,
            _ => true,
        }
    }

    /// Sends a message on its way, from node `from`, and does all that follows.
    pub(crate) fn deliver(&mut self, from: u32, to: u32, message: &Message) -> Result {
        self.outcome = Ok(());
        let result = self.working_on(to, |world| world.hand_over(to, from, message));
        if result.is_err() {
            self.outcome = result;
        }
        self.settle();
        self.outcome
    }

    /// A node gets a message.
    pub(crate) fn hand_over(&mut self, id: u32, from: u32, message: &Message) -> Result {
        let is_text = matches!(message.command, generic::TEXT_STATUS | generic::TEXT_CONFIG);
        let answer = if message.cookie == GENERIC && !message.is_answer() && !is_text {
            self.generic(id, message)?.map(|arguments| message.answer(&arguments))
        } else {
            self.specific(id, from, message)?
        };
        if let Some(answer) = answer {
            self.postpone(from, Step::Answer(id, answer));
        }
        Ok(())
    }

    /// What nodes of each kind make of messages that netgraph leaves to them.
    fn specific(&mut self, id: u32, from: u32, message: &Message) -> Result<Option<Message>> {
        match self.nodes[&id].kind {
            Kind::Socket if message.cookie == SOCKET && !message.is_answer() => {
                let reply = self.command(id, message)?;
                Ok(reply.map(|arguments| message.answer_of_socket(&arguments)))
            }
            Kind::Socket => self.receive_message(id, from, message).map(|()| None),
            Kind::Echo => Ok(Some(message.answer(&message.arguments))),
            Kind::Hub { .. } if message.cookie == HUB && message.command == SET_PERSISTENT => {
                if let Some(node) = self.nodes.get_mut(&id) {
                    node.kind = Kind::Hub { persistent: true };
                }
                Ok(None)
            }
            Kind::Hub { .. } | Kind::Hole => Err(Errno::EINVAL),
        }
    }

    /// A message for the process behind a socket node.
    fn receive_message(&mut self, id: u32, from: u32, message: &Message) -> Result {
        let node = self.socket_nodes.get_mut(&id).ok_or(Errno::EINVAL)?;
        let number = node.control.ok_or(Errno::EINVAL)?;
        let datagram = Datagram {
            from: sender(from),
            bytes: message.write(),
        };
        let socket = self.sockets.get_mut(&number).ok_or(Errno::EINVAL)?;
        let added = socket.received.add(datagram);
        match added {
            Ok(()) => node.statistics.control_in += 1,
            Err(_) => {
                socket.note_loss();
                socket.error = Some(Errno::ENOBUFS);
                node.statistics.control_lost += 1;
                node.answer_lost |= message.is_answer() && message.token == node.awaited;
            }
        }
        added
    }

    /// A command of [`SOCKET`].
    fn command(&mut self, id: u32, message: &Message) -> Reply {
        let node = self.socket_nodes.get_mut(&id).ok_or(Errno::EINVAL)?;
        let arguments = &message.arguments;
        match message.command {
            socket::NOLINGER => node.lingers = false,
            socket::LINGER => node.lingers = true,
            socket::SET_EVENTS => {
                let mask: [u8; 4] = arguments[..].try_into().map_err(|_| Errno::EINVAL)?;
                self.want_events(id, u32::from_le_bytes(mask))?;
            }
            socket::GET_EVENTS => return Ok(Some(node.mask.to_le_bytes().to_vec())),
            socket::SET_POLICY => node.policy = Policy::read(arguments)?,
            socket::GET_POLICY => return Ok(Some(node.policy.write())),
            socket::GET_STATS => return Ok(Some(node.statistics.write())),
            socket::CLR_STATS => node.statistics = Statistics::default(),
            socket::GETCLR_STATS => return Ok(Some(core::mem::take(&mut node.statistics).write())),
            _ => return Err(Errno::EINVAL),
        }
        Ok(None)
    }

    fn want_events(&mut self, id: u32, mask: u32) -> Result {
        if mask & !Event::ALL != 0 {
            return Err(Errno::EINVAL);
        }
        let name = self.nodes[&id].name.clone();
        let node = self.socket_nodes.get_mut(&id).ok_or(Errno::EINVAL)?;
        if node.mask & Event::Renamed.bit() == 0 && mask & Event::Renamed.bit() != 0 {
            node.told_name = name;
        }
        node.mask = mask;
        if mask == 0 {
            node.missed = 0;
        }
        Ok(())
    }

    /// A node tells its control socket of an event, if that is wanted.
    pub(crate) fn tell(&mut self, id: u32, event: Event, arguments: &[u8]) {
        self.tell_name(id);
        if self.socket_nodes.get(&id).is_some_and(|node| node.wants(event)) {
            self.tell_now(id, event, arguments);
        }
    }

    /// A node tells of its name, if it is another one than it told of.
    pub(crate) fn tell_name(&mut self, id: u32) {
        let Some(name) = self.nodes.get(&id).map(|node| node.name.clone()) else {
            return;
        };
        let Some(node) = self.socket_nodes.get_mut(&id) else {
            return;
        };
        if node.wants(Event::Renamed) && node.told_name != name {
            let old = core::mem::replace(&mut node.told_name, name.clone());
            let arguments = [field(&name, NAME), field(&old, NAME)].concat();
            self.tell_now(id, Event::Renamed, &arguments);
        }
    }

    fn tell_now(&mut self, id: u32, event: Event, arguments: &[u8]) {
        let behind = !self.catch_up(id);
        let Some(node) = self.socket_nodes.get_mut(&id) else {
            return;
        };
        node.sequence += 1;
        let message = node.event(event, arguments);
        if behind || !self.post(id, &message) {
            let Some(node) = self.socket_nodes.get_mut(&id) else {
                return;
            };
            node.missed += 1;
            node.statistics.events_lost += 1;
        }
    }

    /// Tells of lost events, if there are any; whether none is left to tell of.
    pub(crate) fn catch_up(&mut self, id: u32) -> bool {
        let node = &self.socket_nodes[&id];
        if node.missed == 0 {
            return true;
        }
        let message = node.event(Event::Overflow, &node.missed.to_le_bytes());
        let posted = self.post(id, &message);
        if let Some(node) = self.socket_nodes.get_mut(&id).filter(|_| posted) {
            node.missed = 0;
        }
        posted
    }

    /// Puts an event into the control socket's buffer, if there is room.
    fn post(&mut self, id: u32, message: &Message) -> bool {
        let Some(node) = self.socket_nodes.get_mut(&id) else {
            return false;
        };
        let Some(socket) = node.control.and_then(|number| self.sockets.get_mut(&number)) else {
            return false;
        };
        let datagram = Datagram {
            from: sender(id),
            bytes: message.write(),
        };
        let posted = socket.received.add(datagram).is_ok();
        if posted {
            node.statistics.control_in += 1;
        } else {
            socket.note_loss();
        }
        posted
    }

    /// What netgraph itself does for any node.
    fn generic(&mut self, id: u32, message: &Message) -> Reply {
        match message.command {
            generic::SHUTDOWN => self.remove_node(id),
            generic::MKPEER => {
                let kind = message.name(0, 96)?;
                let (ours, theirs) = (message.name(32, 96)?, message.name(64, 96)?);
                // Socket nodes are there, but are not made so.
                let kind = Kind::of_type(kind).ok_or(Errno::EINVAL)?;
                self.make_peer(id, kind, ours, theirs)?;
            }
            generic::CONNECT => {
                let (path, ours) = (message.string(0, 512, 576)?, message.name(512, 576)?);
                let other = self.follow(Some(id), path)?;
                self.connect_first(id, other, ours, message.name(544, 576)?)?;
            }
            generic::NAME => self.name(id, message.name(0, 32)?)?,
            generic::RMHOOK => {
                let hook = self.find_hook(id, message.name(0, 32)?);
                if let Some(hook) = hook {
                    if let Some(hook) = self.hooks.get_mut(&hook) {
                        hook.leaving = true;
                    }
                    self.remove_hook(hook);
                }
            }
            _ => return self.question(id, message),
        }
        Ok(None)
    }

    fn question(&self, id: u32, message: &Message) -> Reply {
        Ok(Some(match message.command {
            generic::NODEINFO => info(&self.nodes[&id]),
            generic::LISTHOOKS => self.hook_list(&self.nodes[&id]),
            generic::LISTNAMES => list(self.nodes.values().filter(|node| !node.name.is_empty())),
            generic::LISTNODES => list(self.nodes.values()),
            _ => return Err(Errno::EINVAL),
        }))
    }

    fn hook_list(&self, node: &Node) -> Vec<u8> {
        let mut list = info(node);
        for hook in &node.hooks {
            let hook = &self.hooks[hook];
            let Some(peer) = hook.peer.and_then(|peer| self.hooks.get(&peer)) else {
                continue;
            };
            let Some(other) = peer.node.and_then(|id| self.nodes.get(&id)) else {
                continue;
            };
            list.extend(field(&hook.name, NAME));
            list.extend(field(&peer.name, NAME));
            list.extend(info(other));
        }
        list
    }

    pub(crate) fn node_of_socket(&self, id: u32) -> Option<&SocketNode> {
        self.socket_nodes.get(&id).filter(|node| node.life != Life::Over)
    }
}

/// `struct nodeinfo`
fn info(node: &Node) -> Vec<u8> {
    let mut info = field(&node.name, NAME);
    info.extend(field(node.kind.type_name().as_bytes(), NAME));
    info.extend(node.id.to_le_bytes());
    info.extend(u32::try_from(node.hooks.len()).unwrap_or(u32::MAX).to_le_bytes());
    info
}

/// `struct namelist`
fn list<'a>(nodes: impl Iterator<Item = &'a Node>) -> Vec<u8> {
    let infos: Vec<Vec<u8>> = nodes.map(info).collect();
    let mut list = u32::try_from(infos.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    list.extend(infos.concat());
    list
}
