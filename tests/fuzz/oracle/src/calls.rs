//! The system calls. Sockets have numbers that the caller chooses.

use crate::address::{self, NAME};
use crate::buffer::{self, Datagram, size};
use crate::errno::{Errno, Result};
use crate::message::{GENERIC, Message, generic};
use crate::node::Kind;
use crate::socket_node::{Event, SocketNode};
use crate::world::{Role, Socket, World};

/// The longest ancillary data that sendmsg(2) takes.
const LONGEST_ANCILLARY: usize = 2048;

/// Which half of a connection shutdown(2) ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// `SHUT_RD`
    Read,
    /// `SHUT_WR`
    Write,
    /// `SHUT_RDWR`
    Both,
}

/// What recvfrom(2) gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A datagram.
    Datagram(Datagram),
    /// Nothing: shutdown(2) has ended reading.
    Nothing,
}

/// What is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The datagram.
    pub bytes: &'a [u8],
    /// The `sockaddr`.
    pub to: Option<&'a [u8]>,
    /// Ancillary data.
    pub ancillary: Option<&'a [u8]>,
}

impl World {
    /// socket(2) of `NG_CONTROL`, by root. Returns the node's ID.
    pub fn open_control(&mut self, number: usize) -> u32 {
        let id = self.add_node(Kind::Socket);
        self.socket_nodes.insert(id, SocketNode::new(id, number));
        self.sockets.insert(number, Socket::new(Role::Control(id)));
        id
    }

    /// socket(2) of `NG_DATA`, by root.
    pub fn open_data(&mut self, number: usize) {
        self.sockets.insert(number, Socket::new(Role::Data(None)));
    }

    /// close(2)
    pub fn close(&mut self, number: usize) {
        let Some(socket) = self.sockets.remove(&number) else {
            return;
        };
        let (Role::Control(id) | Role::Data(Some(id))) = socket.role else {
            return;
        };
        let Some(node) = self.socket_nodes.get_mut(&id) else {
            return;
        };
        match socket.role {
            Role::Control(_) => node.control = None,
            Role::Data(_) => {
                node.data = None;
                self.tell(id, Event::DataSocket, &0_u32.to_le_bytes());
            }
        }
        let node = &self.socket_nodes[&id];
        if node.control.is_none() && node.data.is_none() {
            self.remove_soon(id);
            self.settle();
            self.socket_nodes.remove(&id);
        }
    }

    /// The socket is passed to a process without privileges, which uses it from now on.
    pub fn pass_on(&mut self, number: usize) {
        self.socket(number).privileged = false;
    }

    /// bind(2)
    ///
    /// # Errors
    /// `EOPNOTSUPP`: a data socket. `ENOTCONN`: the node is gone. `EINVAL`, `EADDRINUSE`: not this name, or not another one.
    pub fn bind(&mut self, number: usize, sockaddr: &[u8]) -> Result {
        let data = address::data(sockaddr)?;
        let Role::Control(id) = self.socket(number).role else {
            return Err(Errno::EOPNOTSUPP);
        };
        let name = address::bindable(data)?;
        let node = self.nodes.get(&id).ok_or(Errno::ENOTCONN)?;
        if !node.name.is_empty() {
            return Err(Errno::EINVAL);
        }
        self.name(id, name)?;
        self.tell_name(id);
        Ok(())
    }

    /// connect(2)
    ///
    /// # Errors
    /// `EISCONN`, `EADDRINUSE`: the socket, or the node, has one already. `ENOENT`, `EINVAL`: no such node, or none of
    /// type `socket`, or a relative address; or it is a control socket.
    pub fn connect(&mut self, number: usize, sockaddr: &[u8]) -> Result {
        let data = address::data(sockaddr)?;
        let socket = self.socket(number);
        socket.error = None;
        match socket.role {
            Role::Control(_) => return Err(Errno::EINVAL),
            Role::Data(Some(_)) => return Err(Errno::EISCONN),
            Role::Data(None) => {}
        }
        let id = self.resolve(None, address::text(data))?;
        let node = self.socket_nodes.get_mut(&id).ok_or(Errno::EINVAL)?;
        if node.data.is_some() {
            return Err(Errno::EADDRINUSE);
        }
        node.data = Some(number);
        let socket = self.socket(number);
        socket.role = Role::Data(Some(id));
        socket.connected = true;
        self.tell(id, Event::DataSocket, &1_u32.to_le_bytes());
        Ok(())
    }

    /// getsockname(2): the whole `sockaddr`, of FreeBSD 14.
    ///
    /// # Errors
    /// `EINVAL`: there is no node, or no more.
    pub fn name_of(&self, number: usize) -> Result<Vec<u8>> {
        let (Role::Control(id) | Role::Data(Some(id))) = self.sockets[&number].role else {
            return Err(Errno::EINVAL);
        };
        let node = self.nodes.get(&id).ok_or(Errno::EINVAL)?;
        let mut sockaddr = vec![34, 32];
        sockaddr.extend(&node.name);
        sockaddr.resize(2 + NAME, 0);
        Ok(sockaddr)
    }

    /// What the socket layer refuses before the protocol sees it.
    fn admit_datagram(&mut self, number: usize, outgoing: Outgoing<'_>) -> Result {
        outgoing.to.map(address::data).transpose()?;
        if outgoing
            .ancillary
            .is_some_and(|ancillary| ancillary.len() > LONGEST_ANCILLARY)
        {
            return Err(Errno::EMSGSIZE);
        }
        let gone = !self.has_node(number);
        let socket = self.socket(number);
        if socket.shut {
            return Err(Errno::ENOTCONN);
        }
        if let Some(errno) = socket.error.take() {
            return Err(errno);
        }
        if !socket.connected && outgoing.to.is_none() {
            let is_data = matches!(socket.role, Role::Data(_));
            return Err(if is_data && gone {
                Errno::ENOTCONN
            } else {
                Errno::EDESTADDRREQ
            });
        }
        let (bytes, ancillary) = (size(outgoing.bytes), size(outgoing.ancillary.unwrap_or(&[])));
        if bytes + ancillary > socket.longest {
            return Err(Errno::EMSGSIZE);
        }
        if outgoing.ancillary.is_some() {
            return Err(Errno::EINVAL);
        }
        Ok(())
    }

    fn has_node(&self, number: usize) -> bool {
        match self.sockets[&number].role {
            Role::Control(id) | Role::Data(Some(id)) => self.nodes.contains_key(&id),
            Role::Data(None) => false,
        }
    }

    /// Whether a data socket's packet, sent so, would go round for ever: the model has no end of it, nor has the kernel.
    #[must_use]
    pub fn is_endless(&self, number: usize, to: Option<&[u8]>) -> bool {
        let Role::Data(Some(id)) = self.sockets[&number].role else {
            return false;
        };
        self.way_out(id, to).is_ok_and(|hook| !self.is_finite(hook))
    }

    /// sendmsg(2), which does not wait for room.
    ///
    /// # Errors
    /// Many.
    pub fn send(&mut self, number: usize, outgoing: Outgoing<'_>) -> Result<usize> {
        self.admit_datagram(number, outgoing)?;
        match self.sockets[&number].role {
            Role::Control(id) => self.send_message(number, id, outgoing)?,
            Role::Data(Some(id)) => {
                let hook = self.way_out(id, outgoing.to)?;
                self.send_packet(hook, outgoing.bytes)?;
                if let Some(node) = self.socket_nodes.get_mut(&id) {
                    node.statistics.data_out += 1;
                }
            }
            Role::Data(None) => return Err(Errno::ENOTCONN),
        }
        Ok(outgoing.bytes.len())
    }

    fn send_message(&mut self, number: usize, id: u32, outgoing: Outgoing<'_>) -> Result {
        let path = address::text(outgoing.to.map(address::data).transpose()?.ok_or(Errno::EDESTADDRREQ)?);
        let message = Message::read(outgoing.bytes)?;
        load_type(&message, self.sockets[&number].privileged)?;
        if let Some(node) = self.socket_nodes.get_mut(&id) {
            node.awaited = message.token;
            node.answer_lost = false;
            node.statistics.control_out += 1;
        }
        let to = self.resolve(Some(id), path)?;
        let renames = message.cookie == GENERIC && message.command == generic::NAME && !message.is_answer();
        let result = self.deliver(id, to, &message);
        if renames {
            self.tell_name(to);
        }
        if self.socket_nodes[&id].answer_lost {
            // The sender learns of it here, not by the next call as well.
            let socket = self.socket(number);
            socket.error = socket.error.filter(|errno| *errno != Errno::ENOBUFS);
            return Err(Errno::ENOBUFS);
        }
        result
    }

    /// The hook that a packet leaves by.
    fn way_out(&self, id: u32, to: Option<&[u8]>) -> Result<u64> {
        self.node_of_socket(id).ok_or(Errno::ENOTCONN)?;
        let hooks = &self.nodes[&id].hooks;
        match to.map(address::data).transpose()?.map(address::text) {
            None | Some([]) => match hooks[..] {
                [only] => Ok(only),
                _ => Err(Errno::EDESTADDRREQ),
            },
            Some(name) if name.len() >= NAME => Err(Errno::EINVAL),
            Some(name) => self.find_hook(id, name).ok_or(Errno::EHOSTUNREACH),
        }
    }

    /// recvfrom(2) with `MSG_DONTWAIT` and room for everything; `peek` leaves the datagram there.
    ///
    /// # Errors
    /// `EWOULDBLOCK`: nothing has come. `ENOTCONN`: nor will. Else what was to be reported.
    pub fn receive(&mut self, number: usize, peek: bool) -> Result<Received> {
        let has_node = self.has_node(number);
        let socket = self.socket(number);
        let datagram = if peek {
            socket.received.first().cloned()
        } else {
            socket.received.take()
        };
        let failure = if socket.error.is_some() {
            &mut socket.error
        } else {
            &mut socket.loss
        };
        let received = match (datagram, *failure) {
            (Some(datagram), _) => Ok(Received::Datagram(datagram)),
            (None, Some(errno)) => {
                if !peek {
                    *failure = None;
                }
                Err(errno)
            }
            (None, None) if !socket.at_end => Err(Errno::EWOULDBLOCK),
            (None, None) if has_node => Ok(Received::Nothing),
            (None, None) => Err(Errno::ENOTCONN),
        };
        if let Role::Control(id) = socket.role {
            self.catch_up(id);
        }
        received
    }

    /// shutdown(2), of FreeBSD 14.
    ///
    /// # Errors
    /// `EOPNOTSUPP`: the protocols cannot end writing. `ENOTCONN`: the socket is not connected; reading has ended all the
    /// same.
    pub fn shutdown(&mut self, number: usize, how: How) -> Result {
        let socket = self.socket(number);
        if how != How::Write {
            socket.at_end = true;
            socket.received.clear();
        }
        match how {
            How::Write | How::Both => Err(Errno::EOPNOTSUPP),
            How::Read if socket.connected => Ok(()),
            How::Read => Err(Errno::ENOTCONN),
        }
    }

    /// `SO_RCVBUF`
    ///
    /// # Errors
    /// As [`buffer::limit`].
    pub fn set_receive_space(&mut self, number: usize, bytes: i32) -> Result {
        self.socket(number).received.set_limit(buffer::limit(bytes)?);
        Ok(())
    }

    /// `SO_SNDBUF`
    ///
    /// # Errors
    /// As [`buffer::limit`].
    pub fn set_send_space(&mut self, number: usize, bytes: i32) -> Result {
        self.socket(number).longest = buffer::limit(bytes)?;
        Ok(())
    }

    /// `SO_RERROR`
    pub fn set_reports_loss(&mut self, number: usize, reports: bool) {
        self.socket(number).reports_loss = reports;
    }

    /// `SO_ERROR`, which is taken away by asking.
    pub fn take_error(&mut self, number: usize) -> Option<Errno> {
        let socket = self.socket(number);
        socket.error.take().or_else(|| socket.loss.take())
    }
}

/// What `mkpeer` needs before it is sent: a type that is there, or a module that can be loaded, and there is none.
fn load_type(message: &Message, privileged: bool) -> Result {
    if message.cookie != GENERIC || message.command != generic::MKPEER {
        return Ok(());
    }
    if message.arguments.len() < 3 * NAME {
        return Err(Errno::EINVAL);
    }
    let kind = &message.arguments[..NAME];
    let name = address::until_nul(kind);
    let legal = name
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if name.is_empty() || name.len() == kind.len() || !legal {
        return Err(Errno::EINVAL);
    }
    if Kind::of_type(name).is_some() || Kind::is_known_otherwise(name) {
        return Ok(());
    }
    Err(if privileged { Errno::ENOENT } else { Errno::EPERM })
}

#[cfg(test)]
mod tests;
