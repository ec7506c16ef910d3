//! The control side of a socket: messages and their answers.

use std::time::{Duration, Instant};

use super::{Incoming, Socket, receive_before};
use crate::address::{Address, STOCK_MAX_ADDRESS};
use crate::errno::Errno;
use crate::error::{Error, Operation, Result};
use crate::request::Request;
use crate::transport::{Endpoint, Received, Transport};
use crate::wire::{IS_REPLY, Message};

/// Tokens are positive as a C `int`, which netgraph(3) returns them as.
const TOKENS: u32 = 0x7fff_ffff;

impl<T: Transport> Socket<T> {
    /// Sends a message and waits for its answer, if it has one, as long as [said](Self::set_timeout).
    ///
    /// Other messages that come meanwhile are kept for [`receive`](Self::receive).
    ///
    /// # Errors
    /// There is no such node, it refuses, or no answer comes in time.
    pub fn request<R: Request>(&mut self, to: &Address, request: &R) -> Result<R::Reply> {
        self.exchange(to, request, self.deadline(), self.timeout)
    }

    /// The same with an instant until which the answer is waited for.
    ///
    /// # Errors
    /// As for [`request`](Self::request). An answer that comes too late is given by [`receive`](Self::receive).
    pub fn request_before<R: Request>(&mut self, to: &Address, request: &R, deadline: Instant) -> Result<R::Reply> {
        let time = deadline.saturating_duration_since(Instant::now());
        self.exchange(to, request, Some(deadline), time)
    }

    fn exchange<R: Request>(
        &mut self,
        to: &Address,
        request: &R,
        deadline: Option<Instant>,
        waited: Duration,
    ) -> Result<R::Reply> {
        let operation = R::OPERATION;
        let token = self.deliver(operation, to, request.message())?;
        let data = if R::ANSWERED {
            let answer = self.answer(operation, to, token, deadline)?;
            let path = to.to_string();
            let none = Error::NoAnswer {
                operation,
                path,
                waited,
            };
            answer.ok_or(none)?.message.data
        } else {
            Vec::new()
        };
        R::reply(&data).map_err(|source| Error::Malformed {
            operation,
            path: to.to_string(),
            source,
        })
    }

    /// Sends any message, under a fresh token, which is returned.
    ///
    /// When this returns, the node has applied the message. Its answer, if there is one, is taken by
    /// [`reply_to`](Self::reply_to), or by [`receive`](Self::receive) with all the others.
    ///
    /// # Errors
    /// There is no such node, or it refuses.
    pub fn send(&mut self, to: &Address, message: Message) -> Result<u32> {
        self.deliver(Operation::Send, to, message)
    }

    /// Answers a message that came from another node or process: the same command and token, marked as the answer.
    ///
    /// # Errors
    /// The sender is gone, or has no room for it.
    pub fn reply(&mut self, to: &Incoming, data: Vec<u8>) -> Result<()> {
        let answer = Message {
            flags: to.message.flags | IS_REPLY,
            data,
            ..to.message.clone()
        };
        self.transmit(Operation::Reply, &to.from, &answer)
    }

    /// The answer to the message with that token, if it comes before the deadline.
    ///
    /// # Errors
    /// The own node is gone, or something was lost.
    pub fn reply_to(&mut self, to: &Address, token: u32, deadline: Instant) -> Result<Option<Incoming>> {
        self.answer(Operation::Receive, to, token, Some(deadline))
    }

    /// The oldest control message that is no awaited answer; None when none comes before the deadline. Without a deadline
    /// it waits for ever.
    ///
    /// # Errors
    /// The own node is gone (ENOTCONN), or something was lost (ENOBUFS), after which it can be called again.
    pub fn receive(&mut self, deadline: Option<Instant>) -> Result<Option<Incoming>> {
        self.pick(Operation::Receive, ".", deadline, |_| true)
    }

    /// The same without any wait: None when nothing is there.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive).
    pub fn try_receive(&mut self) -> Result<Option<Incoming>> {
        match self.waiting.pop_front() {
            Some(incoming) => Ok(Some(incoming)),
            None => self.read(Operation::Receive, ".", |socket| {
                socket.control.receive(&mut socket.buffer)
            }),
        }
    }

    fn deliver(&mut self, operation: Operation, to: &Address, mut message: Message) -> Result<u32> {
        self.token = (self.token + 1) & TOKENS;
        message.token = self.token;
        self.transmit(operation, to, &message)?;
        Ok(message.token)
    }

    fn transmit(&mut self, operation: Operation, to: &Address, message: &Message) -> Result<()> {
        let bytes = message.to_bytes();
        let mut sent = self.control.send(&bytes, Some(to.as_str()));
        if sent == Err(Errno::EINVAL) && to.as_str().len() > STOCK_MAX_ADDRESS {
            // The stock module refuses long addresses, so the node is addressed by its ID.
            sent = match self.resolve(to) {
                Ok(node) => self.control.send(&bytes, Some(node.address().as_str())),
                Err(error) => Err(error.errno().unwrap_or(Errno::EINVAL)),
            };
        }
        sent.map_err(|errno| Error::Refused {
            operation,
            path: to.to_string(),
            errno,
        })
    }

    pub(super) fn answer(
        &mut self,
        operation: Operation,
        to: &Address,
        token: u32,
        deadline: Option<Instant>,
    ) -> Result<Option<Incoming>> {
        let mine = |incoming: &Incoming| incoming.message.is_reply() && incoming.message.token == token;
        self.pick(operation, to.as_str(), deadline, mine)
    }

    /// The oldest message that is wanted; the others are kept.
    pub(super) fn pick(
        &mut self,
        operation: Operation,
        path: &str,
        deadline: Option<Instant>,
        wanted: impl Fn(&Incoming) -> bool,
    ) -> Result<Option<Incoming>> {
        if let Some(position) = self.waiting.iter().position(&wanted) {
            return Ok(self.waiting.remove(position));
        }
        let next = |socket: &mut Self| receive_before(&socket.control, &mut socket.buffer, deadline);
        while let Some(incoming) = self.read(operation, path, next)? {
            if wanted(&incoming) {
                return Ok(Some(incoming));
            }
            self.waiting.push_back(incoming);
        }
        Ok(None)
    }

    /// Reads one control message by `receive`, which fills the buffer.
    fn read(
        &mut self,
        operation: Operation,
        path: &str,
        receive: impl FnOnce(&mut Self) -> Result<Option<Received>, Errno>,
    ) -> Result<Option<Incoming>> {
        let received = receive(self).map_err(|errno| Error::Refused {
            operation,
            path: path.to_owned(),
            errno,
        })?;
        let Some(Received { length, from }) = received else {
            return Ok(None);
        };
        let message = Message::from_bytes(&self.buffer[..length]).map_err(|source| Error::Malformed {
            operation,
            path: path.to_owned(),
            source,
        })?;
        let from = from.parse()?;
        Ok(Some(Incoming { message, from }))
    }
}
