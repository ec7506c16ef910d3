//! What the kernel in memory tells about its nodes, in the kernel's layouts.

use super::{Node, World, kinds};
use crate::wire::padded;

impl World {
    pub(super) fn describe(&self, id: u32) -> Vec<u8> {
        let node = &self.nodes[&id];
        let mut bytes = padded::<32>(node.name.as_deref().unwrap_or_default()).to_vec();
        bytes.extend(padded::<32>(&node.kind));
        bytes.extend(id.to_ne_bytes());
        bytes.extend(kinds::count(node.hooks.len()));
        bytes
    }

    pub(super) fn describe_links(&self, id: u32) -> Vec<u8> {
        let mut bytes = self.describe(id);
        for hook in &self.nodes[&id].hooks {
            bytes.extend(padded::<32>(&hook.name));
            bytes.extend(padded::<32>(&hook.peer_hook));
            bytes.extend(self.describe(hook.peer));
        }
        bytes
    }

    pub(super) fn describe_all(&self, wanted: impl Fn(&Node) -> bool) -> Vec<u8> {
        let ids: Vec<u32> = self
            .nodes
            .iter()
            .filter(|(_, node)| wanted(node))
            .map(|(id, _)| *id)
            .collect();
        let mut bytes = kinds::count(ids.len()).to_vec();
        ids.iter().for_each(|&id| bytes.extend(self.describe(id)));
        bytes
    }

    pub(super) fn describe_types(&self) -> Vec<u8> {
        let mut bytes = kinds::count(kinds::NAMES.len()).to_vec();
        for name in kinds::NAMES {
            bytes.extend(padded::<32>(name));
            bytes.extend(kinds::count(
                self.nodes.values().filter(|node| node.kind == name).count(),
            ));
        }
        bytes
    }
}
