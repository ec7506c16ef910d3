//! In which order it is done.
//!
//! Names first, so that every declared node that is there can be addressed; then what goes, so that hooks become free, with
//! a hold on nodes that would go with it; then what comes, along the edges, from nodes that are there; at last what nodes
//! are told. Of the edges that can be made next, the first one in the file is.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use netgraph::HookName;
use rustc_hash::FxHashSet;

use super::edges::Differences;
use super::matching::Matched;
use super::records::sentence;
use super::{Action, Plan, Told};
use crate::catalog;
use crate::error::Error;
use crate::{End, Graph, Kind, Origin};

/// Puts the differences into order.
pub fn order(matched: &Matched<'_>, differences: Differences) -> Result<Plan, Error> {
    let kept = (
        matched.declared.len() - differences.remade.len(),
        differences.kept.len(),
    );
    let mut planner = Planner::new(matched, &differences);
    planner.adopt();
    planner.hold(&differences);
    planner.tear_down(differences);
    planner.link()?;
    planner.make_unlinked();
    planner.release();
    planner.tell();
    Ok(Plan {
        actions: planner.actions,
        kept,
        made_nodes: planner.made_nodes,
        made_edges: planner.made_edges,
        greatest: matched.greatest,
    })
}

/// The ease with which a node is made that has a spare hook.
const BEST: u8 = 3;

struct Planner<'a> {
    matched: &'a Matched<'a>,
    graph: &'a Graph,
    actions: Vec<(Option<Origin>, Action)>,
    /// Whether each declared node is there at this point of the plan.
    there: Vec<bool>,
    /// The missing edges of each declared node.
    edges_of: Vec<Vec<usize>>,
    /// How many missing edges are not made yet.
    open: usize,
    is_open: Vec<bool>,
    /// Edges with an end that is there.
    ready: BinaryHeap<Reverse<usize>>,
    /// Ends by which nodes are held until all edges are made.
    held: Vec<End>,
    /// Edges whose own hook holds a node, with that end.
    blocked: Vec<(usize, End)>,
    /// Declared nodes and edges that are made.
    made_nodes: Vec<usize>,
    made_edges: Vec<usize>,
}

impl<'a> Planner<'a> {
    fn new(matched: &'a Matched<'a>, differences: &Differences) -> Self {
        let graph = matched.graph;
        let mut edges_of = vec![Vec::new(); graph.nodes().len()];
        let mut is_open = vec![false; graph.edges().len()];
        for &index in &differences.missing {
            let edge = &graph.edges()[index];
            edges_of[edge.left.node].push(index);
            if edge.right.node != edge.left.node {
                edges_of[edge.right.node].push(index);
            }
            is_open[index] = true;
        }
        let mut there: Vec<bool> = matched.live.iter().map(Option::is_some).collect();
        for &node in &differences.remade {
            there[node] = false;
        }
        Self {
            matched,
            graph,
            actions: Vec::new(),
            there,
            edges_of,
            open: differences.missing.len(),
            is_open,
            ready: BinaryHeap::new(),
            held: Vec::new(),
            blocked: Vec::new(),
            made_nodes: Vec::new(),
            made_edges: Vec::new(),
        }
    }

    fn act(&mut self, origin: impl Into<Option<Origin>>, action: Action) {
        self.actions.push((origin.into(), action));
    }

    fn adopt(&mut self) {
        for &(origin, node) in &self.matched.adopted {
            if let Some(live) = self.matched.live[node] {
                self.act(origin, Action::Adopt { id: live.id, node });
            }
        }
    }

    /// Holds the nodes that would go with their last link.
    fn hold(&mut self, differences: &Differences) {
        for end in &differences.held {
            self.held.push(end.clone());
            self.act(Origin::Node(end.node), Action::Hold { end: end.clone() });
        }
    }

    fn tear_down(&mut self, differences: Differences) {
        for link in differences.dropped {
            let (left, right, tapped) = (link.left, link.right, link.tapped);
            self.act(None, Action::Disconnect { left, right, tapped });
        }
        let remade = differences.remade.iter().filter_map(|&node| self.matched.live[node]);
        let removed: Vec<_> = self.matched.removed.iter().copied().chain(remade).collect();
        for node in removed {
            let (id, label, type_name) = (node.id, node.label(), node.type_name.clone());
            self.act(None, Action::Remove { id, label, type_name });
        }
    }

    /// Makes the missing edges, and the missing nodes along them.
    fn link(&mut self) -> Result<(), Error> {
        for node in 0..self.there.len() {
            if self.there[node] {
                self.arrive(node);
            }
        }
        while self.open > 0 {
            match self.ready.pop() {
                Some(Reverse(edge)) => self.make_edge(edge),
                None if self.unblock() => {}
                None => self.start_alone()?,
            }
        }
        Ok(())
    }

    /// A node is there: its edges can be made.
    fn arrive(&mut self, node: usize) {
        self.there[node] = true;
        let blocked = |edge: usize| self.blocked.iter().any(|(other, _)| *other == edge);
        let ready: Vec<usize> = self.edges_of[node]
            .iter()
            .copied()
            .filter(|&edge| !blocked(edge))
            .collect();
        self.ready.extend(ready.into_iter().map(Reverse));
    }

    fn make_edge(&mut self, index: usize) {
        if !std::mem::take(&mut self.is_open[index]) {
            return;
        }
        self.open -= 1;
        let edge = &self.graph.edges()[index];
        let (left, right) = (edge.left.clone(), edge.right.clone());
        let (action, new) = match (self.there[left.node], self.there[right.node]) {
            (true, true) => (Action::Connect { left, right }, None),
            (true, false) => (Action::Make { at: left, new: right }, Some(edge.right.node)),
            (false, _) => (Action::Make { at: right, new: left }, Some(edge.left.node)),
        };
        self.act(Origin::Edge(index), action);
        self.made_edges.push(index);
        if let Some(node) = new {
            self.made_nodes.push(node);
            self.arrive(node);
        }
    }

    /// Frees the hook of an edge by which a node was held, now that its other edges are made.
    fn unblock(&mut self) -> bool {
        let Some((index, end)) = self.blocked.pop() else {
            return false;
        };
        self.act(Origin::Edge(index), Action::Release { end });
        self.ready.push(Reverse(index));
        true
    }

    /// Makes a node from our own one, in a part of the graph where nothing is there yet.
    fn start_alone(&mut self) -> Result<(), Error> {
        let Some(node) = self.easiest() else { return Ok(()) };
        self.made_nodes.push(node);
        match self.first_hook(node) {
            First::Spare(end) => {
                self.held.push(end.clone());
                self.act(Origin::Node(node), Action::MakeAlone { new: end });
            }
            First::Lasting(end) => {
                self.act(Origin::Node(node), Action::MakeAlone { new: end.clone() });
                self.act(Origin::Node(node), Action::Release { end });
            }
            First::OfEdge(edge, end) => {
                self.blocked.push((edge, end.clone()));
                self.act(Origin::Node(node), Action::MakeAlone { new: end });
            }
            First::None => return Err(cannot_start(self.graph, node)),
        }
        self.arrive(node);
        Ok(())
    }

    /// The missing node that is best made from our own one: of those that are as good, the one with the most edges.
    fn easiest(&self) -> Option<usize> {
        let candidates = || (0..self.there.len()).filter(|&node| !self.there[node] && self.open_edges(node) > 0);
        let by_edges = |node: usize| (self.open_edges(node), Reverse(node));
        let first = candidates().max_by_key(|&node| by_edges(node))?;
        if self.ease(first) == BEST {
            return Some(first);
        }
        candidates().max_by_key(|&node| (self.ease(node), by_edges(node)))
    }

    /// How well a node can be made from our own one: best so that it goes with us, should we be killed in between.
    fn ease(&self, node: usize) -> u8 {
        match self.first_hook(node) {
            First::Spare(_) => BEST,
            First::OfEdge(..) => 2,
            First::Lasting(_) => 1,
            First::None => 0,
        }
    }

    fn first_hook(&self, node: usize) -> First {
        if let Some(end) = lasting_end(self.graph, node) {
            return First::Lasting(end);
        }
        if let Some(end) = self.matched.first_end(node) {
            return First::Spare(end);
        }
        let mut open = self.edges_of[node].iter().copied().filter(|&edge| self.is_open[edge]);
        match (open.next(), open.next_back()) {
            (Some(_), Some(last)) => {
                let edge = &self.graph.edges()[last];
                let end = if edge.left.node == node {
                    &edge.left
                } else {
                    &edge.right
                };
                First::OfEdge(last, end.clone())
            }
            _ => First::None,
        }
    }

    fn open_edges(&self, node: usize) -> usize {
        self.edges_of[node].iter().filter(|&&edge| self.is_open[edge]).count()
    }

    /// Makes missing nodes that have no edges.
    fn make_unlinked(&mut self) {
        for node in 0..self.there.len() {
            if self.there[node] {
                continue;
            }
            if let Some(end) = lasting_end(self.graph, node) {
                self.made_nodes.push(node);
                self.act(Origin::Node(node), Action::MakeAlone { new: end.clone() });
                self.act(Origin::Node(node), Action::Release { end });
            }
        }
    }

    fn release(&mut self) {
        for end in std::mem::take(&mut self.held) {
            self.act(Origin::Node(end.node), Action::Release { end });
        }
    }

    /// What nodes and their interfaces are told.
    fn tell(&mut self) {
        let fresh: FxHashSet<usize> = self.made_nodes.iter().copied().collect();
        for (node, declared) in self.graph.nodes().iter().enumerate() {
            for message in 0..declared.messages.len() {
                let told = if fresh.contains(&node) {
                    Told::Fresh
                } else {
                    self.told(node, message)
                };
                self.act(Origin::Message(node, message), Action::Send { node, message, told });
            }
            if declared.mac.is_some() {
                self.act(Origin::Node(node), Action::SetMac { node });
            }
            // The interfaces that are there have been renamed before: their nodes are called as they are.
            if declared.rename.is_some() && matches!(declared.kind, Kind::Type(_)) {
                self.act(Origin::Node(node), Action::Rename { node });
            }
            if declared.jail.is_some() {
                self.act(Origin::Node(node), Action::MoveToJail { node });
            }
        }
    }

    /// Whether a node that is there has been sent a message before.
    fn told(&self, node: usize, message: usize) -> Told {
        let declared = &self.graph.nodes()[node];
        let before = self.matched.record.messages.get(declared.live_name().as_ref());
        match before {
            Some(sent) if sent.contains(&sentence(&declared.messages[message])) => Told::Before,
            _ => Told::Never,
        }
    }
}

/// By which hook a node is made from our own one.
enum First {
    /// One that nothing else needs.
    Spare(End),
    /// The only one; the node stays when the link goes.
    Lasting(End),
    /// That of its last edge, which waits until the others are made.
    OfEdge(usize, End),
    /// There is none.
    None,
}

fn lasting_end(graph: &Graph, node: usize) -> Option<End> {
    let hook = catalog::of_lasting_type(graph.nodes()[node].type_name())?;
    let hook = hook.parse::<HookName>().ok()?;
    Some(End { node, hook })
}

fn cannot_start(graph: &Graph, node: usize) -> Error {
    let declared = &graph.nodes()[node];
    let message = format!(
        "`{}` cannot be made: nothing that is there leads to it, and a node of type {} that has one link only goes when \
         that link is moved",
        declared.name,
        declared.type_name()
    );
    let hint = "link it to an interface, or to a node of another type".to_owned();
    graph.error(Origin::Node(node), message, Some(hint))
}
