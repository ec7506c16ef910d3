//! `NG_CONTROL`: the socket that makes the node, and its control messages.

use kpi::memory::{Arc, Wait};
use kpi::netgraph::{Item, Message, Node, NodeName, Spare, set_private, take_private};
use kpi::raw::ng_message::NG_NODESIZ;
use kpi::socket::{Address, Kind, Name, Outgoing, Patience, Protocol, Socket, SocketList};
use kpi::thread::Thread;
use kpi::{Errno, Result};

use crate::data::admit;
use crate::node::{SocketNode, SocketType};
use crate::request::{self, Request, Subject};

/// A control socket.
pub(crate) struct Control {
    node: Arc<SocketNode>,
    /// For netstat(1): also after the node is gone.
    id: u32,
}

/// Makes a node of type `socket` for `private`.
///
/// The node can be found, and so shut down, from the moment it exists. If that happened before it had its data, nobody
/// would have told us: so look again.
fn make_node(private: &mut Arc<SocketNode>) -> Result<u32> {
    let node = Node::create::<SocketType>()?;
    let id = node.id();
    if let Some(private) = private.unique() {
        private.join(node.clone());
    }
    set_private::<SocketType>(&node, Arc::clone(private))?;
    if node.is_valid() {
        return Ok(id);
    }
    drop(take_private::<SocketType>(&node));
    Err(Errno::ENXIO)
}

// The only copies of the socket lie in the node's state, as `control`, and in a send, which runs inside a method of the
// socket. detach takes the former out under the state's mutex, under which every other thread uses it; an attach that
// fails drops the state, or leaves it to a shutdown that has taken place.
impl Protocol for Control {
    const KIND: Kind = Kind::Control;

    type Sender = Spare<Request>;

    fn sockets() -> &'static SocketList {
        crate::glue::sockets()
    }

    fn attach(socket: Socket, thread: &Thread) -> Result<Self> {
        admit(socket, thread)?;
        let mut node = SocketNode::new(socket)?;
        match make_node(&mut node) {
            Ok(id) => Ok(Self { node, id }),
            Err(errno) => {
                drop(node.state().node.take());
                node.close_control();
                Err(errno)
            }
        }
    }

    fn detach(self) {
        self.node.close_control();
    }

    fn node_id(&self) -> u32 {
        self.id
    }

    fn bind(&self, address: &Address<'_>) -> Result {
        // A sockaddr_ng of at least one byte and its NUL, and no longer than a node's name.
        if address.data().len() < 2 || address.data().len() > NG_NODESIZ || !address.is_terminated() {
            return Err(Errno::EINVAL);
        }
        // The kernel takes the name a node has already for no change, also if that is none.
        if address.text().is_empty() {
            return Err(Errno::EINVAL);
        }
        let name = NodeName::new(address.text())?;
        let mut state = self.node.state();
        let node = state.node.as_ref().ok_or(Errno::ENOTCONN)?;
        if !node.name().is_empty() {
            return Err(Errno::EINVAL);
        }
        node.set_name(&name)?;
        self.node.tell_name(&mut state);
        Ok(())
    }

    fn connect(&self, _: &Address<'_>) -> Result {
        Err(Errno::EINVAL)
    }

    fn send(&self, socket: Socket, spare: &mut Spare<Request>, outgoing: Outgoing<'_>) -> Result {
        let path = outgoing.address.as_ref().ok_or(Errno::EDESTADDRREQ)?.path();
        let message = Message::from_datagram(&outgoing.datagram, Wait::Sleep)?;
        drop(outgoing.datagram);
        request::check(&message)?;
        request::load_type(&message, &outgoing.thread)?;
        let header = message.header();
        let subject = Subject::of(&message);
        let item = match outgoing.patience {
            Patience::Wait => Item::with_message(message, Wait::Sleep)?,
            Patience::Return => Item::with_message(message, Wait::Never).map_err(|_| Errno::ENOBUFS)?,
        };
        // The reference is not kept while the sender waits: a virtual network is not destroyed before its nodes are.
        let (node, question) = self.node.sending(header.token)?;
        let item = item.address_path(Some(&node), path.as_c_str())?;
        drop(node);
        let request = Request::new(&item, subject, Arc::clone(&self.node), question);
        request.send(item, spare, socket, outgoing.patience)
    }

    fn received(&self) {
        self.node.make_up();
    }

    fn name(&self) -> Result<Name> {
        let node = self.node.node().map_err(|_| Errno::EINVAL)?;
        Ok(Name {
            name: node.name(),
            id: node.id(),
        })
    }

    fn has_node(&self) -> bool {
        self.node.node().is_ok()
    }
}
