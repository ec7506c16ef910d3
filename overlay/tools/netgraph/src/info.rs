//! What the kernel tells about nodes, hooks and types: the structures of netgraph/ng_message.h.

use crate::address::Address;
use crate::names::NodeId;
use crate::wire::{Malformed, Reader};

/// Size of a name field with its terminating zero (`NG_NODESIZ` and the like).
const NAME: usize = 32;

/// A node (`struct nodeinfo`, 72 bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeInfo {
    /// Its global name, if it has one; as the kernel gave it, unchecked.
    pub name: Option<String>,
    /// The name of its type.
    pub type_name: String,
    /// Its ID.
    pub id: NodeId,
    /// How many hooks it has.
    pub hooks: u32,
}

impl NodeInfo {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let name = reader.text::<NAME>()?;
        Ok(Self {
            name: (!name.is_empty()).then_some(name),
            type_name: reader.text::<NAME>()?,
            id: NodeId(reader.u32()?),
            hooks: reader.u32()?,
        })
    }

    /// The address of the node, by ID.
    #[must_use]
    pub fn address(&self) -> Address {
        self.id.into()
    }

    /// How to speak of the node: `name:`, or `[id]:` when it has no name.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) => format!("{name}:"),
            None => format!("{}:", self.id),
        }
    }
}

/// One link of a node to another one (`struct linkinfo`, 136 bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkInfo {
    /// The hook on this side; as the kernel gave it, unchecked.
    pub hook: String,
    /// The hook on the other side.
    pub peer_hook: String,
    /// The node on the other side.
    pub peer: NodeInfo,
}

/// A node and its links (`struct hooklist`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookList {
    /// The node.
    pub node: NodeInfo,
    /// Its links, in the kernel's order.
    pub links: Vec<LinkInfo>,
}

impl HookList {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("a list of hooks", bytes);
        let node = NodeInfo::read(&mut reader)?;
        let links = (0..node.hooks)
            .map(|_| {
                Ok(LinkInfo {
                    hook: reader.text::<NAME>()?,
                    peer_hook: reader.text::<NAME>()?,
                    peer: NodeInfo::read(&mut reader)?,
                })
            })
            .collect::<Result<_, Malformed>>()?;
        Ok(Self { node, links })
    }
}

/// A node type (`struct typeinfo`, 36 bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeInfo {
    /// The type's name.
    pub name: String,
    /// How many nodes of it live.
    pub nodes: u32,
}

/// `struct namelist`: a count, then as many nodes.
pub(crate) fn parse_nodes(bytes: &[u8]) -> Result<Vec<NodeInfo>, Malformed> {
    let mut reader = Reader::new("a list of nodes", bytes);
    let count = reader.u32()?;
    (0..count).map(|_| NodeInfo::read(&mut reader)).collect()
}

/// `struct typelist`: a count, then as many types.
pub(crate) fn parse_types(bytes: &[u8]) -> Result<Vec<TypeInfo>, Malformed> {
    let mut reader = Reader::new("a list of types", bytes);
    let count = reader.u32()?;
    (0..count)
        .map(|_| {
            Ok(TypeInfo {
                name: reader.text::<NAME>()?,
                nodes: reader.u32()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::padded;

    fn node_bytes(name: &str, id: u32, hooks: u32) -> Vec<u8> {
        let mut bytes = padded::<NAME>(name).to_vec();
        bytes.extend(padded::<NAME>("tee"));
        bytes.extend(id.to_ne_bytes());
        bytes.extend(hooks.to_ne_bytes());
        bytes
    }

    #[test]
    fn a_node_has_72_bytes_and_may_be_unnamed() {
        let bytes = node_bytes("", 0x1f, 2);
        assert_eq!(bytes.len(), 72);
        let node = NodeInfo::read(&mut Reader::new("a node", &bytes)).unwrap();
        assert_eq!((node.name.as_ref(), node.label().as_str()), (None, "[1f]:"));
    }

    #[test]
    fn hooks_follow_their_node() {
        let mut bytes = node_bytes("tap0", 1, 1);
        bytes.extend(padded::<NAME>("left"));
        bytes.extend(padded::<NAME>("lower"));
        bytes.extend(node_bytes("vtnet1", 2, 1));
        assert_eq!(bytes.len(), 72 + 136);
        let list = HookList::parse(&bytes).unwrap();
        assert_eq!(list.links[0].peer.label(), "vtnet1:");
        assert!(HookList::parse(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn a_count_past_the_end_is_refused() {
        let bytes = u32::MAX.to_ne_bytes();
        assert!(parse_nodes(&bytes).is_err());
        assert!(parse_types(&bytes).is_err());
    }
}
