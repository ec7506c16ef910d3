//! Messages in words: converted by the node that they are for.

use std::time::Instant;

use super::{Incoming, Socket};
use crate::address::Address;
use crate::error::{Operation, Result};
use crate::request::{ToAscii, ToBinary};
use crate::transport::Transport;
use crate::wire::{Message, until_zero};

impl<T: Transport> Socket<T> {
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
        let arguments = until_zero(&words.data);
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
        let deadline = if message.has_reply() {
            self.deadline()
        } else {
            Some(Instant::now())
        };
        let token = self.send(to, message)?;
        self.answer(Operation::Receive, to, token, deadline)
    }
}
