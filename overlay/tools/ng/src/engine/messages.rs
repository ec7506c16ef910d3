//! Messages of declared nodes: sent when they would change something.

use graph::{Told, catalog, words};
use netgraph::{Message, Transport};

use super::Need;
use super::work::{Replaced, Work};
use crate::explain::{self, message};
use crate::failure::Result;

/// A message, ready to be sent.
pub(super) struct Prepared {
    /// Whether it would change anything.
    pub need: Need,
    binary: Message,
}

impl<T: Transport> Work<'_, T> {
    /// Finds out whether a message would change anything.
    ///
    /// One that sets what another one asks for is compared with the answer; of a structure, only the fields that are
    /// declared. Any other one changes something when the node has not been sent it before.
    pub(super) fn message(&mut self, node: usize, message: usize, told: Told) -> Result<Prepared> {
        let (command, arguments) = self.graph.nodes()[node].messages[message].clone();
        let is_structure = arguments.starts_with('{');
        let current = if told == Told::Fresh && !is_structure {
            None
        } else {
            self.current(node, &command, &arguments)
        };
        let merged = current.as_ref().and_then(|(_, words)| words::merge(words, &arguments));
        let binary = self.binary(node, &command, merged.as_deref().unwrap_or(&arguments))?;
        let need = match (current, told) {
            (Some((data, _)), _) if data == binary.data => Need::Nothing,
            (Some((_, words)), _) => Need::Change(Some(words)),
            (None, Told::Before) => Need::Nothing,
            (None, Told::Fresh | Told::Never) => Need::Change(None),
        };
        Ok(Prepared { need, binary })
    }

    /// Sends a message of a node unless it would change nothing.
    pub(super) fn send(&mut self, node: usize, message: usize, told: Told) -> Result<Need> {
        let Prepared { need, binary } = self.message(node, message, told)?;
        if need == Need::Nothing {
            return Ok(need);
        }
        let declared = &self.graph.nodes()[node];
        let sent = self.session.socket.send(&declared.address(), binary);
        sent.map_err(|error| explain::refusal(&mut self.session.socket, error))?;
        if let Need::Change(Some(words)) = &need {
            self.replaced.push(Replaced {
                node: declared.live_name().into_owned(),
                message: (declared.messages[message].0.clone(), words.clone()),
            });
        }
        Ok(need)
    }

    fn binary(&mut self, node: usize, command: &str, arguments: &str) -> Result<Message> {
        let address = self.address_of(node);
        let binary = self.session.socket.to_binary(&address, command, arguments);
        binary.map_err(|error| message::refusal(&mut self.session.socket, &address, command, error))
    }

    /// What the node answers to the message that asks for what that one sets, in bytes and in words; None when there is no
    /// such pair.
    fn current(&mut self, node: usize, command: &str, arguments: &str) -> Option<(Vec<u8>, String)> {
        let declared = &self.graph.nodes()[node];
        let (getter, key) = getter(declared.type_name(), command, arguments)?;
        let address = self.address_of(node);
        let answer = self.session.socket.command(&address, &getter, &key).ok()??.message;
        let (_, words) = self.session.socket.to_ascii(&address, &answer).ok()?;
        Some((answer.data, words))
    }
}

/// The command that asks for what another one sets, and its arguments. Of types that are not known here, it is called `get`
/// as the other one is called `set`.
fn getter(type_name: &str, command: &str, arguments: &str) -> Option<(String, String)> {
    let Some(kind) = catalog::find(type_name) else {
        return Some((format!("get{}", command.strip_prefix("set")?), String::new()));
    };
    let setting = kind.setting(command)?;
    let key = match setting.key {
        None => String::new(),
        Some(key) => words::fields(arguments)?
            .into_iter()
            .find(|(name, _)| *name == key)?
            .1
            .to_owned(),
    };
    Some((setting.get.to_owned(), key))
}
