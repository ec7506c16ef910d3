//! What tests see of the graph, and what is left of it in the end.

use core::sync::atomic::Ordering;

use kpi::Errno;

use super::gate::Mode;
use super::hook::HookRef;
use super::node::NodeRef;
use super::{State, path, state, worker};
use crate::sync::lock;
use crate::thread::{self, Vnet};

/// A node, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Its ID.
    pub id: u32,
    /// Its name, empty if it has none.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Whether it has not been shut down.
    pub valid: bool,
    /// Where it is.
    pub vnet: Vnet,
    /// Its hooks, the latest first.
    pub hooks: Vec<HookView>,
    /// How often it is referred to: by itself, its hooks, items, and whoever keeps it.
    pub references: u32,
    /// How many items wait for it.
    pub waiting: usize,
}

/// A hook, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookView {
    /// Its name.
    pub name: String,
    /// Whether both sides have agreed to the connection.
    pub valid: bool,
    /// The node at the other end, 0 if there is none.
    pub peer: u32,
    /// The hook at the other end.
    pub peer_hook: String,
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

impl HookView {
    fn of(hook: &HookRef) -> Self {
        let peer = hook.peer();
        let node = peer.as_ref().and_then(HookRef::node);
        Self {
            name: text(&hook.name()),
            valid: hook.is_valid(),
            peer: node.map_or(0, |node| node.id()),
            peer_hook: peer.map_or_else(String::new, |peer| text(&peer.name())),
        }
    }
}

impl NodeView {
    fn of(node: &NodeRef) -> Self {
        let references = node.reference_count() - 1; // Without ours.
        let hooks = state().topology().hooks_of(node);
        Self {
            id: node.id(),
            name: text(&node.name()),
            kind: text(node.kind().name().to_bytes()),
            valid: node.is_valid(),
            vnet: node.vnet(),
            hooks: hooks.iter().map(HookView::of).collect(),
            references,
            waiting: node.gate().waiting(),
        }
    }
}

/// All nodes of all vnets, by vnet and ID.
pub fn snapshot() -> Vec<NodeView> {
    let nodes = state().topology().nodes();
    nodes.iter().map(NodeView::of).collect()
}

/// Has the next node get the ID 1 again, as after boot, and forgets what nodes of type `capture` received.
///
/// For tests that run many times in one kernel and are to see the same each time. Nodes that are there keep their IDs.
pub fn start_over() {
    state().topology().restart_ids();
    *lock(&state().captured) = Default::default();
}

/// A node of the calling thread's vnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By ID.
    Id(u32),
    /// By name, or `[id]`.
    Name(String),
}

impl From<u32> for Target {
    fn from(id: u32) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for Target {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl Target {
    pub(super) fn find(&self) -> Result<NodeRef, Errno> {
        let vnet = thread::vnet();
        let node = match self {
            Self::Id(id) => state().topology().by_id(vnet, *id),
            Self::Name(name) => path::find_node(vnet, name.as_bytes()),
        };
        node.ok_or(Errno::ENOENT)
    }
}

/// Keeps a node busy: what is sent to it is queued until this is dropped.
pub struct Held(NodeRef);

/// Waits until nobody works on a node, and keeps it busy from then on.
///
/// # Errors
/// `ENOENT`: there is no such node.
pub fn hold(node: impl Into<Target>) -> Result<Held, Errno> {
    let node = node.into().find()?;
    node.gate().occupy();
    Ok(Held(node))
}

impl Held {
    /// How many items wait for the node.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.gate().waiting()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        worker::schedule(&self.0, self.0.gate().leave(Mode::Writer));
    }
}

/// One line for each node, queue, hook and type that should not be there any more when the kernel is taken down.
pub(super) fn leftovers() -> Vec<String> {
    let mut left: Vec<String> = snapshot().iter().map(describe).collect();
    let hooks = state().topology().hook_count();
    let listed: usize = snapshot().iter().map(|node| node.hooks.len()).sum();
    if hooks > listed {
        left.push(format!(
            "netgraph: {} hooks that are on no node are still referred to",
            hooks - listed
        ));
    }
    let kinds = state().topology().kind_list();
    let kinds = kinds.iter().filter(|(name, _)| !is_own(name));
    left.extend(kinds.map(|(name, nodes)| format!("netgraph: type {} is registered, with {nodes} nodes", text(name))));
    left
}

/// Whether a type is one of ours, which no module has to unregister.
fn is_own(name: &[u8]) -> bool {
    let loaded = lock(&state().loaded);
    loaded.keys().any(|own| own.as_bytes() == name)
}

fn describe(node: &NodeView) -> String {
    let hooks: Vec<&str> = node.hooks.iter().map(|hook| hook.name.as_str()).collect();
    format!(
        "netgraph: node [{:x}]: ({}, named {:?}, vnet {}) has {} references, {} items waiting, hooks {hooks:?}",
        node.id, node.kind, node.name, node.vnet.0, node.references, node.waiting
    )
}

/// A line about the items that were never freed.
pub(super) fn lost_items(state: &State) -> Option<String> {
    let items = state.items.load(Ordering::Relaxed);
    (items != 0).then(|| format!("netgraph: {items} items were never freed"))
}

/// The hook of a node that a test names.
pub(super) fn hook_of(node: &NodeRef, name: &str) -> Result<HookRef, Errno> {
    let name = std::ffi::CString::new(name).map_err(|_| Errno::EINVAL)?;
    super::native::hook(node, &name).ok_or(Errno::ENOENT)
}
