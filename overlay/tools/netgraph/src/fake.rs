//! A netgraph in memory, for tests: nodes, hooks, names, paths and the generic messages, with the kernel's error numbers.
//!
//! It knows a few node types by the hooks they accept, and converts messages between "binary" and ASCII by leaving the text
//! as it is. Packets sent into a `hub` or `hole` go nowhere; between sockets they arrive.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Instant;

use crate::address::{Address, Start};
use crate::errno::Errno;
use crate::transport::{Endpoint, Protocol, Received, Transport};
use crate::wire::{GENERIC_COOKIE, HAS_REPLY, IS_REPLY, Message, READONLY, until_zero};

mod answers;
mod kinds;

/// A kernel in memory; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Fake(Rc<RefCell<World>>);

#[derive(Debug, Default)]
struct World {
    nodes: BTreeMap<u32, Node>,
    last_id: u32,
    changes: u32,
    modules: Vec<String>,
    /// The longest address that is taken, in bytes; 0 for any.
    longest_address: usize,
}

#[derive(Debug, Default)]
struct Node {
    name: Option<String>,
    kind: String,
    hooks: Vec<Hook>,
    settings: BTreeMap<String, String>,
    messages: VecDeque<(Vec<u8>, String)>,
    packets: VecDeque<(Vec<u8>, String)>,
}

#[derive(Debug, Clone)]
struct Hook {
    name: String,
    peer: u32,
    peer_hook: String,
}

impl Fake {
    /// A kernel with these Ethernet interfaces and nothing else.
    #[must_use]
    pub fn with_interfaces(names: &[&str]) -> Self {
        let fake = Self::default();
        for name in names {
            let id = fake.0.borrow_mut().add("ether");
            fake.0.borrow_mut().nodes.entry(id).or_default().name = Some((*name).to_owned());
        }
        fake
    }

    /// From now on refuses longer addresses, as the stock ng_socket module does those over 31 bytes.
    pub fn limit_addresses(&self, bytes: usize) {
        self.0.borrow_mut().longest_address = bytes;
    }

    /// An address in memory that no other kernel has.
    #[must_use]
    pub fn place(&self) -> *const () {
        Rc::as_ptr(&self.0).cast()
    }

    /// How many messages so far changed anything.
    #[must_use]
    pub fn changes(&self) -> u32 {
        self.0.borrow().changes
    }

    /// The modules that were loaded, in order.
    #[must_use]
    pub fn modules(&self) -> Vec<String> {
        self.0.borrow().modules.clone()
    }

    /// Puts a control message into the queue of the node with that name, as if another node had sent it.
    pub fn inject(&self, name: &str, message: &Message) {
        let mut world = self.0.borrow_mut();
        if let Some(id) = world.by_name(name) {
            let entry = (message.to_bytes(), "[ff]:".to_owned());
            world.nodes.entry(id).or_default().messages.push_back(entry);
        }
    }
}

impl Transport for Fake {
    type Endpoint = FakeSocket;

    fn open(&self, protocol: Protocol) -> Result<FakeSocket, Errno> {
        let node = match protocol {
            Protocol::Control => self.0.borrow_mut().add("socket"),
            Protocol::Data => 0,
        };
        Ok(FakeSocket {
            world: self.clone(),
            protocol,
            node: RefCell::new(node),
        })
    }

    fn load_module(&self, name: &str) -> Result<(), Errno> {
        if !kinds::is_module(name) {
            return Err(Errno::ENOENT);
        }
        self.0.borrow_mut().modules.push(name.to_owned());
        Ok(())
    }
}

/// A socket of a [`Fake`].
#[derive(Debug)]
pub struct FakeSocket {
    world: Fake,
    protocol: Protocol,
    /// 0: not attached.
    node: RefCell<u32>,
}

impl Drop for FakeSocket {
    fn drop(&mut self) {
        if self.protocol == Protocol::Control {
            self.world.0.borrow_mut().remove(*self.node.borrow());
        }
    }
}

impl Endpoint for FakeSocket {
    fn bind(&self, name: &str) -> Result<(), Errno> {
        self.world.0.borrow_mut().name(*self.node.borrow(), name)
    }

    fn connect(&self, address: &str) -> Result<(), Errno> {
        let world = self.world.0.borrow();
        let node = world.resolve(0, address)?;
        if world.nodes[&node].kind != "socket" {
            return Err(Errno::EINVAL);
        }
        *self.node.borrow_mut() = node;
        Ok(())
    }

    fn send(&self, bytes: &[u8], to: Option<&str>) -> Result<(), Errno> {
        let mut world = self.world.0.borrow_mut();
        let own = *self.node.borrow();
        if !world.nodes.contains_key(&own) {
            return Err(Errno::ENOTCONN);
        }
        match self.protocol {
            Protocol::Control => {
                let to = to.ok_or(Errno::EDESTADDRREQ)?;
                if world.longest_address > 0 && to.len() > world.longest_address {
                    return Err(Errno::EINVAL);
                }
                let to = world.resolve(own, to)?;
                let message = Message::from_bytes(bytes).map_err(|_| Errno::EINVAL)?;
                world.apply(own, to, &message)
            }
            Protocol::Data => world.pass(own, to, bytes),
        }
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<Option<Received>, Errno> {
        let mut world = self.world.0.borrow_mut();
        let node = world.nodes.get_mut(&self.node.borrow()).ok_or(Errno::ENOTCONN)?;
        let queue = match self.protocol {
            Protocol::Control => &mut node.messages,
            Protocol::Data => &mut node.packets,
        };
        let Some((bytes, from)) = queue.pop_front() else {
            return Ok(None);
        };
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        Ok(Some(Received { length, from }))
    }

    fn wait(&self, _: Option<Instant>) -> Result<bool, Errno> {
        // Nothing happens in this kernel while its only thread waits.
        let world = self.world.0.borrow();
        let node = world.nodes.get(&self.node.borrow()).ok_or(Errno::ENOTCONN)?;
        Ok(match self.protocol {
            Protocol::Control => !node.messages.is_empty(),
            Protocol::Data => !node.packets.is_empty(),
        })
    }

    fn reserve(&self, bytes: usize) -> Result<usize, Errno> {
        Ok(bytes)
    }
}

impl World {
    fn add(&mut self, kind: &str) -> u32 {
        self.last_id += 1;
        let node = Node {
            kind: kind.to_owned(),
            ..Node::default()
        };
        self.nodes.insert(self.last_id, node);
        self.last_id
    }

    fn by_name(&self, name: &str) -> Option<u32> {
        let mut nodes = self.nodes.iter();
        nodes.find_map(|(id, node)| (node.name.as_deref() == Some(name)).then_some(*id))
    }

    fn resolve(&self, here: u32, address: &str) -> Result<u32, Errno> {
        let address: Address = address.parse().map_err(|_| Errno::EINVAL)?;
        let start = match address.start() {
            Start::Here => here,
            Start::Id(id) => id.0,
            Start::Name(name) => self.by_name(&name).ok_or(Errno::ENOENT)?,
        };
        let mut node = self.nodes.get_key_value(&start).ok_or(Errno::ENOENT)?;
        for hop in address.hops() {
            let hook = node.1.hook(hop).ok_or(Errno::ENOENT)?;
            node = self.nodes.get_key_value(&hook.peer).ok_or(Errno::ENXIO)?;
        }
        Ok(*node.0)
    }

    fn name(&mut self, id: u32, name: &str) -> Result<(), Errno> {
        match self.by_name(name) {
            Some(other) if other == id => return Ok(()),
            Some(_) => return Err(Errno::EADDRINUSE),
            None => {}
        }
        self.nodes.get_mut(&id).ok_or(Errno::ENOTCONN)?.name = Some(name.to_owned());
        Ok(())
    }

    fn remove(&mut self, id: u32) {
        for hook in self.nodes.get(&id).map(|node| node.hooks.clone()).unwrap_or_default() {
            self.unhook(id, &hook.name);
        }
        self.nodes.remove(&id);
    }

    /// Breaks a link; nodes that live by their links go with their last one.
    fn unhook(&mut self, id: u32, hook: &str) {
        let Some(hook) = self.nodes.get(&id).and_then(|node| node.hook(hook)).cloned() else {
            return;
        };
        for (node, name) in [(id, &hook.name), (hook.peer, &hook.peer_hook)] {
            let Some(node_entry) = self.nodes.get_mut(&node) else {
                continue;
            };
            node_entry.hooks.retain(|hook| hook.name != *name);
            if node_entry.hooks.is_empty() && !kinds::lasts(&node_entry.kind) {
                self.nodes.remove(&node);
            }
        }
    }

    fn link(&mut self, a: (u32, String), b: (u32, String)) -> Result<(), Errno> {
        if a == b {
            return Err(Errno::EEXIST);
        }
        for (id, hook) in [&a, &b] {
            let node = &self.nodes[id];
            if node.hook(hook).is_some() {
                return Err(Errno::EEXIST);
            }
            if !kinds::accepts(&node.kind, hook) {
                return Err(Errno::EINVAL);
            }
        }
        for ((id, name), (peer, peer_hook)) in [(a.clone(), b.clone()), (b, a)] {
            let hooks = &mut self.nodes.entry(id).or_default().hooks;
            hooks.push(Hook { name, peer, peer_hook });
        }
        Ok(())
    }

    fn pass(&mut self, from: u32, hook: Option<&str>, packet: &[u8]) -> Result<(), Errno> {
        let node = &self.nodes[&from];
        let hook = match (hook, node.hooks.as_slice()) {
            (Some(name), _) => node.hook(name).ok_or(Errno::EHOSTUNREACH)?,
            (None, [only]) => only,
            (None, _) => return Err(Errno::EDESTADDRREQ),
        };
        let entry = (packet.to_vec(), hook.peer_hook.clone());
        let peer = hook.peer;
        self.nodes.entry(peer).or_default().packets.push_back(entry);
        Ok(())
    }

    fn reply(&mut self, to: u32, from: u32, message: &Message, data: Vec<u8>) {
        let reply = Message {
            flags: message.flags | IS_REPLY,
            data,
            ..message.clone()
        };
        let entry = (reply.to_bytes(), format!("[{from:x}]:"));
        self.nodes.entry(to).or_default().messages.push_back(entry);
    }

    fn apply(&mut self, from: u32, to: u32, message: &Message) -> Result<(), Errno> {
        let before = self.changes;
        let answer = if message.cookie == GENERIC_COOKIE {
            self.generic(to, message)?
        } else {
            self.changes += u32::from(message.name.starts_with("set"));
            self.nodes.get_mut(&to).ok_or(Errno::ENOENT)?.own_message(message)?
        };
        self.changes += u32::from(message.cookie == GENERIC_COOKIE && message.command < 6 && before == self.changes);
        if let Some(data) = answer {
            self.reply(from, to, message, data);
        }
        Ok(())
    }

    fn generic(&mut self, to: u32, message: &Message) -> Result<Option<Vec<u8>>, Errno> {
        let data = &message.data;
        let text = |at: usize, size: usize| data.get(at..at + size).map(until_zero).ok_or(Errno::EINVAL);
        match message.command & !(READONLY | HAS_REPLY) {
            1 if kinds::lasts(&self.nodes[&to].kind) => {
                for hook in self.nodes[&to].hooks.clone() {
                    self.unhook(to, &hook.name);
                }
            }
            1 => self.remove(to),
            2 => self.make_peer(to, &text(0, 32)?, text(32, 32)?, text(64, 32)?)?,
            3 => {
                let peer = self.resolve(to, &text(0, 512)?)?;
                self.link((to, text(512, 32)?), (peer, text(544, 32)?))?;
            }
            4 => self.name(to, &text(0, 32)?)?,
            5 => self.unhook(to, &text(0, 32)?),
            6 => return Ok(Some(self.describe(to))),
            7 => return Ok(Some(self.describe_links(to))),
            8 => return Ok(Some(self.describe_all(|node| node.name.is_some()))),
            9 => return Ok(Some(self.describe_all(|_| true))),
            10 => return Ok(Some(self.describe_types())),
            12 => return Ok(Some(data.clone())),
            13 => return self.nodes[&to].to_binary(data).map(Some),
            _ => return Err(Errno::EINVAL),
        }
        Ok(None)
    }

    /// The name that a new node of the type has from the beginning.
    fn first_name(&self, kind: &str) -> Option<String> {
        let prefix = kinds::prefix(kind)?;
        let mut names = (0..).map(|number| format!("{prefix}{number}"));
        names.find(|name| self.by_name(name).is_none())
    }

    fn make_peer(&mut self, at: u32, kind: &str, hook: String, peer_hook: String) -> Result<(), Errno> {
        if !kinds::exists(kind) {
            return Err(Errno::ENOENT);
        }
        if !kinds::can_be_made(kind) {
            return Err(Errno::EINVAL);
        }
        let new = self.add(kind);
        self.nodes.entry(new).or_default().name = self.first_name(kind);
        self.link((at, hook), (new, peer_hook)).inspect_err(|_| {
            self.nodes.remove(&new);
        })
    }
}

impl Node {
    fn hook(&self, name: &str) -> Option<&Hook> {
        self.hooks.iter().find(|hook| hook.name == name)
    }

    fn to_binary(&self, data: &[u8]) -> Result<Vec<u8>, Errno> {
        let words = Message::from_bytes(data).map_err(|_| Errno::EINVAL)?;
        if !kinds::knows(&self.kind, &words.name) {
            return Err(Errno::ENOSYS);
        }
        if !kinds::takes(&words.name, &until_zero(&words.data)) {
            return Err(Errno::EINVAL);
        }
        let binary = Message {
            cookie: 1,
            command: 1,
            data: until_zero(&words.data).into_bytes(),
            ..words
        };
        Ok(binary.to_bytes())
    }

    /// `setX` keeps its argument, and `getX` gives it back.
    fn own_message(&mut self, message: &Message) -> Result<Option<Vec<u8>>, Errno> {
        if !kinds::knows(&self.kind, &message.name) {
            return Err(Errno::EINVAL);
        }
        if let Some(what) = message.name.strip_prefix("get") {
            let value = self.settings.get(what).map_or("0", String::as_str);
            return Ok(Some(value.as_bytes().to_vec()));
        }
        if let Some(what) = message.name.strip_prefix("set") {
            let value = String::from_utf8_lossy(&message.data).into_owned();
            self.settings.insert(what.to_owned(), value);
        }
        Ok(None)
    }
}
