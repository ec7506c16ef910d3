//! A process's own node in the graph: its control and data sockets.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::address::{Address, STOCK_MAX_ADDRESS, Start};
use crate::errno::Errno;
use crate::error::{Error, Operation, Result};
use crate::info::NodeInfo;
use crate::kernel::Kernel;
use crate::names::NodeName;
use crate::request::{GetNodeInfo, ListHooks, ListNames, Request, ToAscii, ToBinary};
use crate::transport::{Endpoint, Protocol, Transport};
use crate::wire::{GENERIC_COOKIE, Message};

mod data;
#[cfg(test)]
mod tests;

/// How long an answer is waited for, unless [`Socket::set_timeout`] says otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Room for answers, in bytes. The kernel's default of 20 KiB (`net.graph.recvspace`) holds the list of 284 nodes, and
/// what does not fit is lost.
const ROOM: usize = 1 << 20;

/// A control message and its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The message.
    pub message: Message,
    /// The node it came from, as `[id]:`.
    pub from: Address,
}

/// A node of type `socket` that belongs to this process; it goes when this is dropped.
///
/// One control socket, and a data socket from the first use of it on (ng_socket(4)).
#[derive(Debug)]
pub struct Socket<T: Transport = Kernel> {
    transport: T,
    control: T::Endpoint,
    data: Option<T::Endpoint>,
    buffer: Vec<u8>,
    /// What came while an answer to something else was waited for, oldest first.
    waiting: VecDeque<Incoming>,
    token: u32,
    timeout: Duration,
}

impl Socket<Kernel> {
    /// Makes a node of the running kernel, with a name or without.
    ///
    /// # Errors
    /// Not root, no ng_socket module, or the name is taken.
    pub fn open(name: Option<&NodeName>) -> Result<Self> {
        Self::open_on(Kernel, name)
    }
}

impl<T: Transport> Socket<T> {
    /// The same, of another kernel.
    ///
    /// # Errors
    /// As for [`Socket::open`].
    pub fn open_on(transport: T, name: Option<&NodeName>) -> Result<Self> {
        let refused = |operation, path: &str| {
            let path = path.to_owned();
            move |errno| Error::Refused { operation, path, errno }
        };
        let control = transport
            .open(Protocol::Control)
            .map_err(refused(Operation::Open, ""))?;
        let room = control.reserve(ROOM).map_err(refused(Operation::Open, ""))?;
        if let Some(name) = name {
            control
                .bind(name.as_str())
                .map_err(refused(Operation::Bind, name.as_str()))?;
        }
        Ok(Self {
            transport,
            control,
            data: None,
            buffer: vec![0; room],
            waiting: VecDeque::new(),
            token: 0,
            timeout: TIMEOUT,
        })
    }

    /// How long to wait for an answer from now on.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Loads a kernel module, such as `ng_ether`; one that is there already is no error.
    ///
    /// # Errors
    /// There is none of that name, or this process may not load it.
    pub fn load_module(&self, name: &str) -> Result<()> {
        self.transport.load_module(name).map_err(|errno| Error::Refused {
            operation: Operation::Load,
            path: name.to_owned(),
            errno,
        })
    }

    /// Sends a generic message and waits for its answer, if it has one.
    ///
    /// # Errors
    /// There is no such node, it refuses, or no answer comes in time.
    pub fn request<R: Request>(&mut self, to: &Address, request: &R) -> Result<R::Reply> {
        let message = Message {
            command: R::COMMAND,
            flags: 0,
            token: 0,
            cookie: GENERIC_COOKIE,
            name: R::NAME.to_owned(),
            data: request.arguments(),
        };
        let token = self.deliver(R::OPERATION, to, message)?;
        let data = if R::ANSWERED {
            self.answer(R::OPERATION, to, token, Some(Instant::now() + self.timeout))?
                .map(|incoming| incoming.message.data)
                .ok_or_else(|| Error::NoAnswer {
                    operation: R::OPERATION,
                    path: to.to_string(),
                    waited: self.timeout,
                })?
        } else {
            Vec::new()
        };
        R::reply(&data).map_err(|source| Error::Malformed {
            operation: R::OPERATION,
            path: to.to_string(),
            source,
        })
    }

    /// Sends any message, under a fresh token, which is returned.
    ///
    /// When this returns, the node has applied the message.
    ///
    /// # Errors
    /// There is no such node, or it refuses.
    pub fn send(&mut self, to: &Address, message: Message) -> Result<u32> {
        self.deliver(Operation::Send, to, message)
    }

    /// The answer to the message with that token, if it comes before the deadline.
    ///
    /// # Errors
    /// The own node is gone, or something was lost.
    pub fn reply_to(&mut self, to: &Address, token: u32, deadline: Instant) -> Result<Option<Incoming>> {
        self.answer(Operation::Receive, to, token, Some(deadline))
    }

    /// Has the node make a message from a command's name and arguments in words (NGM_ASCII2BINARY).
    ///
    /// # Errors
    /// The node's type does not know the command (ENOSYS), or the arguments are not in its form (EINVAL).
    pub fn to_binary(&mut self, at: &Address, command: &str, arguments: &str) -> Result<Message> {
        let mut data = arguments.as_bytes().to_vec();
        data.push(0);
        let words = Message {
            command: 0,
            flags: 0,
            token: 0,
            cookie: 0,
            name: command.to_owned(),
            data,
        };
        self.request(at, &ToBinary(words))
    }

    /// Has the node put a message of its own kind into words (NGM_BINARY2ASCII): name and arguments.
    ///
    /// # Errors
    /// The node's type does not know the message (ENOSYS).
    pub fn to_ascii(&mut self, at: &Address, message: &Message) -> Result<(String, String)> {
        let words = self.request(at, &ToAscii(message.clone()))?;
        let arguments = crate::wire::until_zero(&words.data);
        Ok((words.name, arguments))
    }

    /// Sends a command in words and returns the answer when there is one.
    ///
    /// An answer is waited for if the command is always answered; otherwise only one that is there at once is taken.
    ///
    /// # Errors
    /// As for [`Self::to_binary`] and [`Self::send`].
    pub fn command(&mut self, to: &Address, command: &str, arguments: &str) -> Result<Option<Incoming>> {
        let message = self.to_binary(to, command, arguments)?;
        let wait = if message.has_reply() {
            self.timeout
        } else {
            Duration::ZERO
        };
        let token = self.send(to, message)?;
        self.reply_to(to, token, Instant::now() + wait)
    }

    /// The oldest control message that is no awaited answer; None when none comes before the deadline.
    ///
    /// # Errors
    /// The own node is gone, or something was lost.
    pub fn receive(&mut self, deadline: Option<Instant>) -> Result<Option<Incoming>> {
        if let Some(incoming) = self.waiting.pop_front() {
            return Ok(Some(incoming));
        }
        self.next(Operation::Receive, ".", deadline)
    }

    /// The node at an address, found hop by hop by messages to short addresses only.
    ///
    /// # Errors
    /// ENOENT when the node or a hook on the way does not exist.
    pub fn resolve(&mut self, address: &Address) -> Result<NodeInfo> {
        let absent = || Error::Refused {
            operation: Operation::GetNodeInfo,
            path: address.to_string(),
            errno: Errno::ENOENT,
        };
        let here = Address::here();
        let mut node = match address.start() {
            Start::Here => self.request(&here, &GetNodeInfo)?,
            Start::Id(id) => self.request(&id.into(), &GetNodeInfo)?,
            Start::Name(name) => {
                let mut nodes = self.request(&here, &ListNames)?.into_iter();
                nodes
                    .find(|node| node.name.as_deref() == Some(&name))
                    .ok_or_else(absent)?
            }
        };
        for hop in address.hops() {
            let mut links = self.request(&node.address(), &ListHooks)?.links.into_iter();
            node = links.find(|link| link.hook == hop).ok_or_else(absent)?.peer;
        }
        Ok(node)
    }

    fn deliver(&mut self, operation: Operation, to: &Address, mut message: Message) -> Result<u32> {
        // The kernel's own conversions keep tokens below 2^31 (netgraph(3)).
        self.token = (self.token + 1) & 0x7fff_ffff;
        message.token = self.token;
        let bytes = message.to_bytes();
        let mut sent = self.control.send(&bytes, Some(to.as_str()));
        if sent == Err(Errno::EINVAL) && to.as_str().len() > STOCK_MAX_ADDRESS {
            // The stock module refuses long addresses, so the node is addressed by its ID.
            sent = match self.resolve(to) {
                Ok(node) => self.control.send(&bytes, Some(node.address().as_str())),
                Err(error) => Err(error.errno().unwrap_or(Errno::EINVAL)),
            };
        }
        match sent {
            Ok(()) => Ok(message.token),
            Err(errno) => Err(Error::Refused {
                operation,
                path: to.to_string(),
                errno,
            }),
        }
    }

    fn answer(
        &mut self,
        operation: Operation,
        to: &Address,
        token: u32,
        deadline: Option<Instant>,
    ) -> Result<Option<Incoming>> {
        let mine = |incoming: &Incoming| incoming.message.is_reply() && incoming.message.token == token;
        if let Some(position) = self.waiting.iter().position(mine) {
            return Ok(self.waiting.remove(position));
        }
        while let Some(incoming) = self.next(operation, to.as_str(), deadline)? {
            if mine(&incoming) {
                return Ok(Some(incoming));
            }
            self.waiting.push_back(incoming);
        }
        Ok(None)
    }

    /// Reads one control message.
    fn next(&mut self, operation: Operation, path: &str, deadline: Option<Instant>) -> Result<Option<Incoming>> {
        let refused = |errno| Error::Refused {
            operation,
            path: path.to_owned(),
            errno,
        };
        let Some(received) = receive_before(&self.control, &mut self.buffer, deadline).map_err(refused)? else {
            return Ok(None);
        };
        let malformed = |source| Error::Malformed {
            operation,
            path: path.to_owned(),
            source,
        };
        let message = Message::from_bytes(&self.buffer[..received.length]).map_err(malformed)?;
        let from = received.from.parse()?;
        Ok(Some(Incoming { message, from }))
    }

    /// The control socket, to wait for it by other means.
    pub fn control_endpoint(&self) -> &T::Endpoint {
        &self.control
    }

    /// The data socket, once it is open.
    pub fn data_endpoint(&self) -> Option<&T::Endpoint> {
        self.data.as_ref()
    }
}

/// Receives one datagram; None at the deadline. Signals do not end the wait.
fn receive_before<E: Endpoint>(
    endpoint: &E,
    buffer: &mut [u8],
    deadline: Option<Instant>,
) -> Result<Option<crate::transport::Received>, Errno> {
    loop {
        if let Some(received) = endpoint.receive(buffer)? {
            return Ok(Some(received));
        }
        match endpoint.wait(deadline) {
            Ok(true) | Err(Errno::EINTR) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

impl<T: Transport> AsFd for Socket<T>
where
    T::Endpoint: AsFd,
{
    /// The control socket.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}
