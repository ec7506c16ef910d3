//! Packets on their way through the graph.

use crate::buffer::Datagram;
use crate::errno::{Errno, Result};
use crate::node::Kind;
use crate::world::World;

/// Hooks that a packet may cross before it is said to go round for ever.
const MOST: u32 = 24;

/// The address that the receiver of a packet sees: as long as the hook's name needs.
fn hook_address(name: &[u8]) -> Vec<u8> {
    let mut address = vec![u8::try_from(name.len() + 3).unwrap_or(u8::MAX), 32];
    address.extend(name);
    address.push(0);
    address
}

impl World {
    /// Whether a packet out of a hook comes to an end.
    pub(crate) fn is_finite(&self, hook: u64) -> bool {
        let mut left = MOST;
        self.walk(hook, &mut left);
        left > 0
    }

    fn walk(&self, hook: u64, left: &mut u32) {
        let Some(peer) = self.peer(hook).filter(|_| *left > 0) else {
            return;
        };
        *left -= 1;
        for next in self.onward(peer) {
            self.walk(next, left);
        }
    }

    /// The hooks that a packet leaves by that came in by `hook`, in their order.
    fn onward(&self, hook: u64) -> Vec<u64> {
        let Some(node) = self.hooks[&hook].node.and_then(|id| self.nodes.get(&id)) else {
            return Vec::new();
        };
        match node.kind {
            Kind::Hub { .. } => node.hooks.iter().copied().filter(|other| *other != hook).collect(),
            Kind::Echo => vec![hook],
            Kind::Hole | Kind::Socket => Vec::new(),
        }
    }

    /// Sends a packet out of a hook; all its ways are tried, and the first failure counts.
    pub(crate) fn send_packet(&mut self, hook: u64, bytes: &[u8]) -> Result {
        let peer = self.peer(hook).ok_or(Errno::ENETDOWN)?;
        let node = self.hooks[&peer].node.ok_or(Errno::ENETDOWN)?;
        if self.nodes[&node].kind == Kind::Socket {
            let name = self.hooks[&peer].name.clone();
            return self.receive_packet(node, &name, bytes);
        }
        let mut result = Ok(());
        for next in self.onward(peer) {
            result = result.and(self.send_packet(next, bytes));
        }
        result
    }

    fn receive_packet(&mut self, id: u32, hook: &[u8], bytes: &[u8]) -> Result {
        let Some(node) = self.socket_nodes.get_mut(&id) else {
            return Err(Errno::EINVAL);
        };
        let Some(socket) = node.data.and_then(|number| self.sockets.get_mut(&number)) else {
            node.statistics.no_listener += 1;
            return Ok(());
        };
        let added = socket.received.add(Datagram {
            from: hook_address(hook),
            bytes: bytes.to_vec(),
        });
        match added {
            Ok(()) => node.statistics.data_in += 1,
            Err(_) => {
                socket.note_loss();
                node.statistics.full += 1;
            }
        }
        added
    }
}
