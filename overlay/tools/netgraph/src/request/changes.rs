//! Messages that change the graph.

use crate::address::Address;
use crate::error::Operation;
use crate::names::{HookName, NodeName, TypeName};
use crate::request::{NAME, PATH, Request};
use crate::wire::{Malformed, padded};

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
}
