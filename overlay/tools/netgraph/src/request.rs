//! The generic control messages as types: what every node understands (netgraph(4), "Control messages").

use crate::address::Address;
use crate::error::Operation;
use crate::info::{HookList, NodeInfo, TypeInfo, parse_nodes, parse_types};
use crate::names::{HookName, NodeName, TypeName};
use crate::wire::{HAS_REPLY, Malformed, Message, READONLY, Reader, padded, until_zero};

/// Size of a path field with its terminating zero (`NG_PATHSIZ`).
const PATH: usize = 512;

/// Size of a name field with its terminating zero (`NG_HOOKSIZ` and the like).
const NAME: usize = 32;

/// A generic control message together with its answer.
pub trait Request {
    /// The command number, flag bits included.
    const COMMAND: u32;
    /// The command's name, as NGM_ASCII2BINARY takes it.
    const NAME: &'static str;
    /// Which operation it is in error messages.
    const OPERATION: Operation;
    /// Whether an answer comes back.
    const ANSWERED: bool = Self::COMMAND & HAS_REPLY != 0;
    /// What the answer holds; `()` without one.
    type Reply;

    /// The arguments' bytes.
    fn arguments(&self) -> Vec<u8>;

    /// Reads the answer's arguments.
    ///
    /// # Errors
    /// They are not of the layout that belongs to the command.
    fn reply(bytes: &[u8]) -> Result<Self::Reply, Malformed>;
}

macro_rules! requests {
    ($($(#[$doc:meta])* $type:ident = $number:literal $(| $flags:ident)?, $name:literal -> $reply:ty: $parse:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $type;

            impl Request for $type {
                const COMMAND: u32 = $number $(| $flags)?;
                const NAME: &'static str = $name;
                const OPERATION: Operation = Operation::$type;
                type Reply = $reply;

                fn arguments(&self) -> Vec<u8> {
                    Vec::new()
                }

                fn reply(bytes: &[u8]) -> Result<$reply, Malformed> {
                    $parse(bytes)
                }
            }
        )*
    };
}

/// Reads, and is always answered.
const QUERY: u32 = READONLY | HAS_REPLY;

requests! {
    /// `NGM_SHUTDOWN`: the node breaks its links and, unless it is of a lasting kind such as an Ethernet interface, goes.
    Shutdown = 1, "shutdown" -> (): nothing;
    /// `NGM_NODEINFO`: the node itself.
    GetNodeInfo = 6 | QUERY, "nodeinfo" -> NodeInfo: node;
    /// `NGM_LISTHOOKS`: the node and its links.
    ListHooks = 7 | QUERY, "listhooks" -> HookList: HookList::parse;
    /// `NGM_LISTNAMES`: every node that has a name; any node can be asked.
    ListNames = 8 | QUERY, "listnames" -> Vec<NodeInfo>: parse_nodes;
    /// `NGM_LISTNODES`: every node; any node can be asked.
    ListNodes = 9 | QUERY, "listnodes" -> Vec<NodeInfo>: parse_nodes;
    /// `NGM_LISTTYPES`: every node type that is loaded; any node can be asked.
    ListTypes = 10 | QUERY, "listtypes" -> Vec<TypeInfo>: parse_types;
    /// `NGM_TEXT_STATUS`: the node's state in words; EINVAL from types that have none.
    TextStatus = 11 | QUERY, "textstatus" -> String: text;
}

fn nothing(_: &[u8]) -> Result<(), Malformed> {
    Ok(())
}

fn node(bytes: &[u8]) -> Result<NodeInfo, Malformed> {
    NodeInfo::read(&mut Reader::new("a node's description", bytes))
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside functions that can fail")]
fn text(bytes: &[u8]) -> Result<String, Malformed> {
    Ok(until_zero(bytes))
}

/// `NGM_MKPEER`: makes a node and connects it (`struct ngm_mkpeer`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakePeer {
    /// The new node's type.
    pub type_name: TypeName,
    /// The hook on the node that gets the message.
    pub hook: HookName,
    /// The hook on the new node.
    pub peer_hook: HookName,
}

impl Request for MakePeer {
    const COMMAND: u32 = 2;
    const NAME: &'static str = "mkpeer";
    const OPERATION: Operation = Operation::MakePeer;
    type Reply = ();

    fn arguments(&self) -> Vec<u8> {
        let mut bytes = padded::<NAME>(self.type_name.as_str()).to_vec();
        bytes.extend(padded::<NAME>(self.hook.as_str()));
        bytes.extend(padded::<NAME>(self.peer_hook.as_str()));
        bytes
    }

    fn reply(_: &[u8]) -> Result<(), Malformed> {
        Ok(())
    }
}

/// `NGM_CONNECT`: links two nodes that exist (`struct ngm_connect`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// The other node; a relative address starts at the node that gets the message.
    pub peer: Address,
    /// The hook on the node that gets the message.
    pub hook: HookName,
    /// The hook on the other node.
    pub peer_hook: HookName,
}

impl Request for Connect {
    const COMMAND: u32 = 3;
    const NAME: &'static str = "connect";
    const OPERATION: Operation = Operation::Connect;
    type Reply = ();

    fn arguments(&self) -> Vec<u8> {
        let mut bytes = padded::<PATH>(self.peer.as_str()).to_vec();
        bytes.extend(padded::<NAME>(self.hook.as_str()));
        bytes.extend(padded::<NAME>(self.peer_hook.as_str()));
        bytes
    }

    fn reply(_: &[u8]) -> Result<(), Malformed> {
        Ok(())
    }
}

/// `NGM_NAME`: names a node (`struct ngm_name`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(pub NodeName);

impl Request for Name {
    const COMMAND: u32 = 4;
    const NAME: &'static str = "name";
    const OPERATION: Operation = Operation::Name;
    type Reply = ();

    fn arguments(&self) -> Vec<u8> {
        padded::<NAME>(self.0.as_str()).to_vec()
    }

    fn reply(_: &[u8]) -> Result<(), Malformed> {
        Ok(())
    }
}

/// `NGM_RMHOOK`: breaks a link (`struct ngm_rmhook`). A hook that is not there is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveHook(pub HookName);

impl Request for RemoveHook {
    const COMMAND: u32 = 5;
    const NAME: &'static str = "rmhook";
    const OPERATION: Operation = Operation::RemoveHook;
    type Reply = ();

    fn arguments(&self) -> Vec<u8> {
        padded::<NAME>(self.0.as_str()).to_vec()
    }

    fn reply(_: &[u8]) -> Result<(), Malformed> {
        Ok(())
    }
}

/// `NGM_TEXT_CONFIG`: reads a node's configuration as text, or sets it; EINVAL from types that have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextConfig(pub Option<String>);

impl Request for TextConfig {
    const COMMAND: u32 = 14;
    const NAME: &'static str = "textconfig";
    const OPERATION: Operation = Operation::TextConfig;
    const ANSWERED: bool = true;
    type Reply = String;

    fn arguments(&self) -> Vec<u8> {
        self.0.as_ref().map_or_else(Vec::new, |text| {
            let mut bytes = text.clone().into_bytes();
            bytes.push(0);
            bytes
        })
    }

    fn reply(bytes: &[u8]) -> Result<String, Malformed> {
        text(bytes)
    }
}

/// `NGM_BINARY2ASCII`: a node puts a message of its own kind into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToAscii(pub Message);

/// `NGM_ASCII2BINARY`: a node makes a message of its own kind from words.
///
/// The message's name says which command; its data is the arguments' text with a terminating zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToBinary(pub Message);

impl Request for ToAscii {
    const COMMAND: u32 = 12 | QUERY;
    const NAME: &'static str = "binary2ascii";
    const OPERATION: Operation = Operation::ToAscii;
    type Reply = Message;

    fn arguments(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn reply(bytes: &[u8]) -> Result<Message, Malformed> {
        Message::from_bytes(bytes)
    }
}

impl Request for ToBinary {
    const COMMAND: u32 = 13 | QUERY;
    const NAME: &'static str = "ascii2binary";
    const OPERATION: Operation = Operation::ToBinary;
    type Reply = Message;

    fn arguments(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn reply(bytes: &[u8]) -> Result<Message, Malformed> {
        Message::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_have_the_sizes_that_the_kernel_insists_on() {
        let hook: HookName = "a".parse().unwrap();
        let mkpeer = MakePeer {
            type_name: "tee".parse().unwrap(),
            hook: hook.clone(),
            peer_hook: hook.clone(),
        };
        assert_eq!(mkpeer.arguments().len(), 96);
        let connect = Connect {
            peer: Address::here(),
            hook: hook.clone(),
            peer_hook: hook.clone(),
        };
        assert_eq!(connect.arguments().len(), 576);
        assert_eq!(Name("n".parse().unwrap()).arguments().len(), 32);
        assert_eq!(RemoveHook(hook).arguments().len(), 32);
    }

    #[test]
    fn command_numbers_carry_their_flags() {
        assert_eq!(Shutdown::COMMAND, 1);
        assert_eq!(ListTypes::COMMAND, 0x3000_000a);
        assert_eq!(ToBinary::COMMAND, 0x3000_000d);
        assert_eq!(
            (Shutdown::ANSWERED, ListTypes::ANSWERED, TextConfig::ANSWERED),
            (false, true, true)
        );
    }

    #[test]
    fn a_configuration_is_sent_as_a_terminated_text() {
        assert_eq!(TextConfig(Some("on".into())).arguments(), b"on\0");
        assert!(TextConfig(None).arguments().is_empty());
    }
}
