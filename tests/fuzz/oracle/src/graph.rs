//! How nodes and hooks come and go.

use crate::address::{self, Path, Start};
use crate::errno::{Errno, Result};
use crate::message::field;
use crate::node::{Hook, Kind};
use crate::socket_node::{Event, Life, Why};
use crate::world::{Step, World};

impl World {
    /// The valid node of a name.
    #[must_use]
    pub fn named(&self, name: &[u8]) -> Option<u32> {
        let mut nodes = self.nodes.values();
        nodes
            .find(|node| node.valid && !name.is_empty() && node.name == name)
            .map(|node| node.id)
    }

    /// Follows a path to a node that is there.
    ///
    /// # Errors
    /// `EINVAL`: it makes no sense, or begins at a node of the user's, which there is none of. `ENOENT`: there is no such
    /// node or hook.
    pub fn resolve(&self, here: Option<u32>, text: &[u8]) -> Result<u32> {
        let id = self.follow(here, text)?;
        Some(id).filter(|id| self.nodes.contains_key(id)).ok_or(Errno::ENOENT)
    }

    /// Follows a path as netgraph does. It may lead to a socket node that was shut down: netgraph finds that by its ID until
    /// its sockets are closed.
    ///
    /// # Errors
    /// As for [`World::resolve`].
    pub(crate) fn follow(&self, here: Option<u32>, text: &[u8]) -> Result<u32> {
        let path = Path::read(text)?;
        let mut node = match path.start {
            Start::Implied | Start::Here => here.ok_or(Errno::EINVAL)?,
            Start::Id(id) => Some(id)
                .filter(|id| self.nodes.contains_key(id) || self.socket_nodes.contains_key(id))
                .ok_or(Errno::ENOENT)?,
            Start::Name(name) => self.named(&name).ok_or(Errno::ENOENT)?,
        };
        for name in path.hooks {
            let hook = self.find_hook(node, &name).ok_or(Errno::ENOENT)?;
            let peer = self.peer(hook).ok_or(Errno::ENOENT)?;
            node = self.hooks[&peer].node.ok_or(Errno::ENXIO)?;
        }
        Ok(node)
    }

    /// The hook of a node: socket nodes know theirs from the beginning, others find connected ones only.
    pub(crate) fn find_hook(&self, node: u32, name: &[u8]) -> Option<u64> {
        let node = self.nodes.get(&node)?;
        let any = node.kind == Kind::Socket;
        let mut hooks = node.hooks.iter().copied();
        hooks.find(|hook| self.hooks[hook].name == name && (any || self.hooks[hook].connected))
    }

    /// The other end of a connected hook.
    pub(crate) fn peer(&self, hook: u64) -> Option<u64> {
        let hook = self.hooks.get(&hook).filter(|hook| hook.connected)?;
        hook.peer.filter(|peer| self.hooks[peer].connected)
    }

    /// Names a node.
    pub(crate) fn name(&mut self, id: u32, name: &[u8]) -> Result {
        if self.nodes[&id].name == name {
            return Ok(());
        }
        if !address::is_node_name(name) {
            return Err(Errno::EINVAL);
        }
        if self.named(name).is_some() {
            return Err(Errno::EADDRINUSE);
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.name = name.to_vec();
        }
        Ok(())
    }

    fn new_hook(&mut self, name: &[u8]) -> u64 {
        self.last_hook += 1;
        let hook = Hook {
            name: name.to_vec(),
            node: None,
            peer: None,
            connected: false,
            leaving: false,
        };
        self.hooks.insert(self.last_hook, hook);
        self.last_hook
    }

    fn hook(&mut self, hook: u64) -> &mut Hook {
        self.hooks.get_mut(&hook).expect("hooks stay while they are used")
    }

    /// Puts a hook on a node.
    fn attach(&mut self, id: u32, hook: u64) -> Result {
        let name = self.hooks[&hook].name.clone();
        if self.find_hook(id, &name).is_some() {
            return Err(Errno::EEXIST);
        }
        self.admit(id, &name)?;
        self.hook(hook).node = Some(id);
        if let Some(node) = self.nodes.get_mut(&id) {
            node.hooks.insert(0, hook);
        }
        Ok(())
    }

    /// Asks a node whether it accepts a hook.
    fn admit(&mut self, id: u32, name: &[u8]) -> Result {
        let count = self.nodes[&id].hooks.len();
        let Some(node) = self.socket_nodes.get_mut(&id) else {
            return Ok(());
        };
        let Some(reason) = node.policy.refusal(name, count) else {
            return Ok(());
        };
        node.statistics.refused += 1;
        self.tell(id, Event::HookRefused, &named(name, reason));
        Err(Errno::EPERM)
    }

    fn join(&mut self, first: u64, second: u64) {
        self.hook(first).peer = Some(second);
        self.hook(second).peer = Some(first);
    }

    /// `mkpeer`
    pub(crate) fn make_peer(&mut self, id: u32, kind: Kind, ours: &[u8], theirs: &[u8]) -> Result {
        let peer = self.add_node(kind);
        let (first, second) = (self.new_hook(ours), self.new_hook(theirs));
        if let Err(errno) = self.attach(id, first) {
            self.hooks.remove(&first);
            self.hooks.remove(&second);
            self.remove_node(peer);
            return Err(errno);
        }
        // A new node accepts any hook.
        self.attach(peer, second)?;
        self.join(first, second);
        self.tell_connected(first);
        self.hook(first).connected = true;
        self.hook(second).connected = true;
        Ok(())
    }

    /// `connect`, as far as the first node does it.
    pub(crate) fn connect_first(&mut self, id: u32, other: u32, ours: &[u8], theirs: &[u8]) -> Result {
        if self.find_hook(other, theirs).is_some() {
            return Err(Errno::EEXIST);
        }
        let first = self.new_hook(ours);
        if let Err(errno) = self.attach(id, first) {
            self.hooks.remove(&first);
            return Err(errno);
        }
        let second = self.new_hook(theirs);
        self.join(first, second);
        let sent = self.step(other, Step::Second(second));
        if sent.is_err() {
            self.remove_hook(first);
            self.hooks.remove(&second);
        }
        sent
    }

    /// The second node takes its hook, and has the first one agree.
    pub(crate) fn connect_second(&mut self, id: u32, second: u64) -> Result {
        if let Err(errno) = self.attach(id, second) {
            self.remove_hook(second);
            return Err(errno);
        }
        self.tell_connected(second);
        let first = self.hooks[&second].peer.ok_or(Errno::ENOENT)?;
        let node = self.hooks[&first].node.ok_or(Errno::ENOENT)?;
        self.step(node, Step::First(first))?;
        self.hook(second).connected = true;
        Ok(())
    }

    /// The first node learns that it is connected.
    pub(crate) fn agree(&mut self, first: u64) {
        if self.hooks.contains_key(&first) {
            self.tell_connected(first);
            self.hook(first).connected = true;
        }
    }

    /// Removes a hook and has its other end removed.
    pub(crate) fn remove_hook(&mut self, id: u64) {
        let Some(hook) = self.hooks.get_mut(&id) else { return };
        let was_told = hook.connected;
        hook.connected = false;
        if let Some(peer) = hook.peer.take() {
            self.hook(peer).peer = None;
            if let Some(node) = self.hooks[&peer].node {
                // A peer that cannot be reached is going anyway.
                let _ = self.step(node, Step::RemoveHook(peer));
            }
        }
        let Some(hook) = self.hooks.remove(&id) else { return };
        if let Some(node) = hook.node {
            self.lose_hook(node, id, &hook, was_told);
        }
    }

    fn lose_hook(&mut self, id: u32, hook: u64, lost: &Hook, was_told: bool) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.hooks.retain(|other| *other != hook);
        let (is_last, valid, kind) = (node.hooks.is_empty(), node.valid, node.kind);
        if kind == Kind::Socket && was_told {
            self.tell_removed(id, lost);
        }
        let stays = match kind {
            Kind::Socket => self.socket_nodes[&id].lingers,
            Kind::Hub { persistent } => persistent,
            Kind::Hole | Kind::Echo => false,
        };
        if is_last && valid && !stays {
            self.remove_soon(id);
        }
    }

    /// Has a node removed as soon as nobody works on it.
    pub(crate) fn remove_soon(&mut self, id: u32) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.valid = false;
            let _ = self.step(id, Step::Remove);
        }
    }

    /// Removes a node.
    pub(crate) fn remove_node(&mut self, id: u32) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.valid = false;
        if let Some(node) = self.socket_nodes.get_mut(&id) {
            node.life = Life::Closing;
            self.tell(id, Event::ShuttingDown, &[]);
        }
        while let Some(hook) = self.nodes[&id].hooks.first().copied() {
            self.remove_hook(hook);
        }
        self.nodes.remove(&id);
        let Some(node) = self.socket_nodes.get_mut(&id) else {
            return;
        };
        node.life = Life::Over;
        for number in [node.control, node.data].into_iter().flatten() {
            let socket = self.socket(number);
            socket.shut = true;
            socket.at_end = true;
            socket.connected = false;
        }
    }

    fn tell_connected(&mut self, id: u64) {
        let hook = &self.hooks[&id];
        let (Some(node), Some(peer)) = (hook.node, hook.peer) else {
            return;
        };
        let peer = &self.hooks[&peer];
        // While the two are being connected, the first node is known to its hook.
        let other = peer.node.and_then(|id| self.nodes.get(&id));
        let mut arguments = field(&hook.name, address::NAME);
        arguments.extend(field(&peer.name, address::NAME));
        arguments.extend(field(
            other.map_or("", |node| node.kind.type_name()).as_bytes(),
            address::NAME,
        ));
        arguments.extend(other.map_or(0, |node| node.id).to_le_bytes());
        self.tell(node, Event::HookConnected, &arguments);
    }

    fn tell_removed(&mut self, id: u32, hook: &Hook) {
        let why = match (self.socket_nodes[&id].life, hook.leaving) {
            (Life::Closing | Life::Over, _) => Why::Shutdown,
            (Life::Running, true) => Why::Removed,
            (Life::Running, false) => Why::Peer,
        };
        self.tell(id, Event::HookRemoved, &named(&hook.name, why as u32));
    }
}

/// A name and a number, the arguments of several events.
fn named(name: &[u8], number: u32) -> Vec<u8> {
    let mut arguments = field(name, address::NAME);
    arguments.extend(number.to_le_bytes());
    arguments
}
