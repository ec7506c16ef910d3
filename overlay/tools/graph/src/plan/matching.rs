//! Which live node each declared one is.

use netgraph::{HookName, NodeId};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::record::Record;
use super::snapshot::{Link, LiveNode, Snapshot};
use crate::error::Error;
use crate::{End, Graph, Kind, Node, Origin, catalog, suggest};

/// The declared graph beside the live one.
pub struct Matched<'a> {
    pub graph: &'a Graph,
    pub record: &'a Record,
    /// The live node of each declared one.
    pub live: Vec<Option<&'a LiveNode>>,
    /// Declared nodes by the live one.
    pub declared: FxHashMap<NodeId, usize>,
    pub by_id: FxHashMap<NodeId, &'a LiveNode>,
    pub by_name: FxHashMap<&'a str, &'a LiveNode>,
    /// Declared nodes whose live ones are to be named, with what in the file asks for it.
    pub adopted: Vec<(Origin, usize)>,
    /// The greatest ID that there is.
    pub greatest: u32,
    /// Nodes that are to be shut down, in the record's order.
    pub removed: Vec<&'a LiveNode>,
    /// The hooks of each declared node that edges need.
    hooks_of: Vec<Vec<&'a str>>,
}

/// Finds the live nodes by name, and those without a name by the links that lead to them.
pub fn match_nodes<'a>(graph: &'a Graph, snapshot: &'a Snapshot, record: &'a Record) -> Result<Matched<'a>, Error> {
    let named = |node: &'a LiveNode| node.name.as_deref().map(|name| (name, node));
    let mut hooks_of = vec![Vec::new(); graph.nodes().len()];
    for end in graph.edges().iter().flat_map(|edge| [&edge.left, &edge.right]) {
        hooks_of[end.node].push(end.hook.as_str());
    }
    let mut matched = Matched {
        hooks_of,
        graph,
        record,
        live: Vec::with_capacity(graph.nodes().len()),
        declared: FxHashMap::with_capacity_and_hasher(graph.nodes().len(), FxBuildHasher),
        by_id: snapshot.nodes.iter().map(|node| (node.id, node)).collect(),
        by_name: snapshot.nodes.iter().filter_map(named).collect(),
        greatest: snapshot.nodes.iter().map(|node| node.id.0).max().unwrap_or(0),
        adopted: Vec::new(),
        removed: Vec::new(),
    };
    for (index, node) in graph.nodes().iter().enumerate() {
        let live = matched.named(node, snapshot);
        let live = live.map_err(|(message, hint)| graph.error(Origin::Node(index), message, hint))?;
        matched.declared.extend(live.map(|live| (live.id, index)));
        if live.is_some_and(|live| live.assumed) {
            matched.adopted.push((Origin::Node(index), index));
        }
        matched.live.push(live);
    }
    if snapshot.nodes.iter().any(LiveNode::is_nameless) {
        matched.adopt_stand_ins(snapshot);
        while matched.adopt_along_edges() {}
    }
    matched.find_removed();
    Ok(matched)
}

impl<'a> Matched<'a> {
    /// The live node of that name, which must be of the declared type unless it is ours to replace.
    fn named(&mut self, node: &Node, snapshot: &Snapshot) -> Result<Option<&'a LiveNode>, (String, Option<String>)> {
        let found = self.by_name.get(node.live_name().as_ref()).copied();
        match (&node.kind, found) {
            (_, Some(live)) if live.type_name == node.type_name() => Ok(Some(live)),
            (_, Some(live)) if self.record.owns(live) => Ok(None),
            (_, Some(live)) => Err((
                format!(
                    "the node `{}:` exists, but is of type {}, not {}",
                    node.live_name(),
                    live.type_name,
                    node.type_name()
                ),
                Some("give this one another name, or shut that one down".to_owned()),
            )),
            (Kind::Type(_), None) => Ok(None),
            (Kind::Interface(_), None) => Err(no_interface(&node.live_name(), snapshot)),
        }
    }

    /// Declared nodes that are called as a dump calls nodes without names.
    fn adopt_stand_ins(&mut self, snapshot: &'a Snapshot) {
        let nameless = snapshot.nodes.iter().filter(|node| node.is_nameless());
        let stand_ins: FxHashMap<String, &LiveNode> = nameless.map(|node| (node.stand_in(), node)).collect();
        for (index, node) in self.graph.nodes().iter().enumerate() {
            let found = stand_ins.get(node.name.as_str()).copied();
            let found = found.filter(|live| self.live[index].is_none() && live.type_name == node.type_name());
            if let Some(live) = found {
                self.declared.insert(live.id, index);
                self.live[index] = Some(live);
                self.adopted.push((Origin::Node(index), index));
            }
        }
    }

    /// One round: every edge that leads from a matched node to a nameless one of the right type.
    fn adopt_along_edges(&mut self) -> bool {
        let before = self.adopted.len();
        for (index, edge) in self.graph.edges().iter().enumerate() {
            for (from, to) in [(&edge.left, &edge.right), (&edge.right, &edge.left)] {
                if let Some(live) = self.adoptable(from, to) {
                    self.declared.insert(live.id, to.node);
                    self.live[to.node] = Some(live);
                    self.adopted.push((Origin::Edge(index), to.node));
                }
            }
        }
        self.adopted.len() > before
    }

    fn adoptable(&self, from: &End, to: &End) -> Option<&'a LiveNode> {
        let node = &self.graph.nodes()[to.node];
        if self.live[to.node].is_some() || matches!(node.kind, Kind::Interface(_)) {
            return None;
        }
        let link = self.live[from.node]?.link(from.hook.as_str())?;
        let live = self.by_id.get(&link.peer).copied()?;
        let fits = live.is_nameless() && live.type_name == node.type_name() && link.peer_hook == to.hook.as_str();
        (fits && !self.declared.contains_key(&live.id)).then_some(live)
    }

    /// What was made and is declared no longer.
    fn find_removed(&mut self) {
        for name in self.record.nodes.keys() {
            let Some(live) = self.by_name.get(name.as_str()) else {
                continue;
            };
            if self.record.owns(live) && !self.declared.contains_key(&live.id) {
                self.removed.push(live);
            }
        }
    }

    pub fn removed_ids(&self) -> FxHashSet<NodeId> {
        self.removed.iter().map(|node| node.id).collect()
    }

    /// A hook that a live node has besides those that are in use or declared, for when it has no other links.
    pub fn spare_end(&self, node: usize, live: &LiveNode) -> Option<End> {
        self.unused_end(node, &|hook| live.link(hook).is_some())
    }

    /// A hook that no edge needs of a node that is to be made.
    pub fn first_end(&self, node: usize) -> Option<End> {
        self.unused_end(node, &|_| false)
    }

    fn unused_end(&self, node: usize, in_use: &dyn Fn(&str) -> bool) -> Option<End> {
        let declared: FxHashSet<&str> = self.hooks_of[node].iter().copied().collect();
        let type_name = self.graph.nodes()[node].type_name();
        let hook = catalog::free_hook(type_name, &|hook| declared.contains(hook) || in_use(hook))?;
        let hook = hook.parse::<HookName>().ok()?;
        Some(End { node, hook })
    }

    /// The link at a declared end, if its node is there.
    pub fn link_at(&self, end: &End) -> Option<&'a Link> {
        self.live[end.node]?.link(end.hook.as_str())
    }
}

fn no_interface(name: &str, snapshot: &Snapshot) -> (String, Option<String>) {
    let ethers = snapshot.nodes.iter().filter(|node| node.type_name == "ether");
    let names: Vec<&str> = ethers.filter_map(|node| node.name.as_deref()).collect();
    let hint = if names.is_empty() {
        "there is no Ethernet interface with a netgraph node; is the module ng_ether loaded?".to_owned()
    } else {
        suggest::hint(name, &names).unwrap_or_default()
    };
    (format!("there is no interface `{name}`"), Some(hint))
}
