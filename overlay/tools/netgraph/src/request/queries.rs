//! Messages without arguments: questions, and the end of a node.

use crate::info::{HookList, NodeInfo, TypeInfo, parse_nodes, parse_types};
use crate::request::{QUERY, nothing};
use crate::wire::{GENERIC_COOKIE, Malformed, Reader};

without_arguments! { GENERIC_COOKIE;
    /// `NGM_SHUTDOWN`: the node breaks its links and, unless it is of a lasting kind such as an Ethernet interface, goes.
    Shutdown = 1, "shutdown", false -> (): nothing;
    /// `NGM_NODEINFO`: the node itself.
    GetNodeInfo = 6 | QUERY, "nodeinfo", true -> NodeInfo: node;
    /// `NGM_LISTHOOKS`: the node and its links.
    ListHooks = 7 | QUERY, "listhooks", true -> HookList: HookList::parse;
    /// `NGM_LISTNAMES`: every node that has a name; any node can be asked.
    ListNames = 8 | QUERY, "listnames", true -> Vec<NodeInfo>: parse_nodes;
    /// `NGM_LISTNODES`: every node; any node can be asked.
    ListNodes = 9 | QUERY, "listnodes", true -> Vec<NodeInfo>: parse_nodes;
    /// `NGM_LISTTYPES`: every node type that is loaded; any node can be asked.
    ListTypes = 10 | QUERY, "listtypes", true -> Vec<TypeInfo>: parse_types;
}

fn node(bytes: &[u8]) -> Result<NodeInfo, Malformed> {
    NodeInfo::read(&mut Reader::new("a node's description", bytes))
}
