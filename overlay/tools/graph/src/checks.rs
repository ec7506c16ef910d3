//! What concerns a graph as a whole: nodes that are the same, hooks that are used twice or not at all, and loops.

pub mod loops;

use std::borrow::Cow;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::catalog::{self, Life};
use crate::error::{Mistake, Position};
use crate::parse::{NodePlace, Notes};
use crate::{End, Graph, Kind, Node, Selector};

/// Notes what is wrong with a graph whose nodes and edges are good by themselves.
pub fn check(graph: &Graph, notes: &mut Notes) {
    check_names(graph, notes);
    check_selectors(graph, notes);
    let hooks = hooks_in_use(graph, notes);
    for (index, node) in graph.nodes.iter().enumerate() {
        let place = &graph.places.nodes[index];
        check_hooks(node, place, &hooks[index], notes);
        check_linked(node, place, &hooks[index], notes);
    }
    if !graph.loops && notes.is_good() {
        loops::check(graph, notes);
    }
}

/// No two nodes can have one name in netgraph, and no two interfaces one name.
fn check_names(graph: &Graph, notes: &mut Notes) {
    let mut live: FxHashMap<Cow<'_, str>, usize> =
        FxHashMap::with_capacity_and_hasher(graph.nodes.len(), FxBuildHasher);
    let mut names: FxHashMap<&str, usize> = FxHashMap::default();
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Some(first) = live.insert(node.live_name(), index) {
            notes.wrong(same_node(graph, first, index));
        }
        if let Kind::Interface(Selector::Name(name)) = &node.kind {
            names.insert(name, index);
        }
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(name) = &node.rename else { continue };
        if let Some(other) = names.insert(name, index).filter(|other| *other != index) {
            let place = &graph.places.nodes[index];
            let message = format!(
                "the interfaces of `{}` and `{}` would both be called `{name}`",
                graph.nodes[other].name, node.name
            );
            let mistake = Mistake::new(place.rename.unwrap_or(place.name), message);
            notes.wrong(mistake.hint("an interface needs a name of its own"));
        }
    }
}

fn same_node(graph: &Graph, first: usize, second: usize) -> Mistake {
    let (first, node) = (&graph.nodes[first], &graph.nodes[second]);
    let place = &graph.places.nodes[second];
    let message = format!(
        "`{}` and `{}` are both the node `{}:`",
        first.name,
        node.name,
        node.live_name()
    );
    let mistake = Mistake::new(place.name, message);
    match (&first.kind, &node.kind) {
        (Kind::Interface(_), Kind::Interface(_)) => mistake.hint(format!(
            "an interface has one node: use `{}` in the edges of both",
            first.name
        )),
        _ => mistake.hint("call one of them something else"),
    }
}

/// No interface can be chosen twice by the same thing; by different ones, only the machine can tell.
fn check_selectors(graph: &Graph, notes: &mut Notes) {
    let mut seen: Vec<(&Selector, &Node)> = Vec::new();
    for (node, place) in graph.nodes.iter().zip(&graph.places.nodes) {
        let selector = match &node.kind {
            Kind::Interface(Selector::Name(_)) | Kind::Type(_) => continue,
            Kind::Interface(selector) => selector,
        };
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == selector) {
            let message = format!(
                "`{}` and `{}` are both the interface with {selector}",
                first.name, node.name
            );
            let hint = format!("an interface has one node: use `{}` in the edges of both", first.name);
            notes.wrong(Mistake::new(place.kind, message).hint(hint));
        }
        seen.push((selector, node));
    }
}

/// The hooks that edges lead to, by node, with their places. Each can be used once.
fn hooks_in_use<'g>(graph: &'g Graph, notes: &mut Notes) -> Vec<Vec<(&'g str, Position)>> {
    let mut hooks = vec![Vec::new(); graph.nodes.len()];
    let mut taken: FxHashMap<&End, usize> = FxHashMap::with_capacity_and_hasher(2 * graph.edges.len(), FxBuildHasher);
    for (index, (edge, place)) in graph.edges.iter().zip(&graph.places.edges).enumerate() {
        let node = &graph.nodes[edge.left.node];
        if edge.left.node == edge.right.node && node.type_name() == "bridge" {
            let message = format!(
                "this edge leads from `{}` to itself, which ng_bridge(4) refuses",
                node.name
            );
            notes.wrong(Mistake::new(place.edge, message));
        }
        for (end, at) in [(&edge.left, place.left), (&edge.right, place.right)] {
            if let Some(first) = taken.insert(end, index) {
                let line = graph.places.edges[first].edge.line;
                let message = format!("the hook `{}` is taken by the edge of line {line}", graph.end(end));
                let hint = free_hook(graph, end.node).map(|hook| format!("`{hook}` is free"));
                notes.wrong(Mistake::new(at, message).hint(hint.unwrap_or_default()));
                continue;
            }
            hooks[end.node].push((end.hook.as_str(), at));
        }
    }
    hooks
}

/// A hook that could be used in place of one that is taken.
fn free_hook(graph: &Graph, node: usize) -> Option<String> {
    let kind = catalog::find(graph.nodes[node].type_name())?;
    let ends = graph.edges.iter().flat_map(|edge| [&edge.left, &edge.right]);
    let used: Vec<&str> = ends
        .filter(|end| end.node == node)
        .map(|end| end.hook.as_str())
        .collect();
    let numbered = kind
        .hooks
        .iter()
        .filter(|hooks| matches!(hooks, catalog::Hooks::Numbered { .. }));
    let free = numbered
        .filter_map(|hooks| hooks.free(&|name| used.contains(&name)))
        .next()?;
    Some(format!("{}.{free}", graph.nodes[node].name))
}

/// How many hooks, and which of them together, a node's type allows and needs.
fn check_hooks(node: &Node, place: &NodePlace, hooks: &[(&str, Position)], notes: &mut Notes) {
    let Some(kind) = catalog::find(node.type_name()) else {
        return;
    };
    let name = &node.name;
    if let Some((_, at)) = kind.most.and_then(|most| hooks.get(most)) {
        let message = format!(
            "a node of type {} has one hook only, and `{name}` would have more",
            kind.name
        );
        notes.wrong(Mistake::new(*at, message).hint("declare another node of the type"));
        return;
    }
    for set in kind.alternatives {
        let mut used = hooks.iter().filter(|(hook, _)| set.contains(hook));
        if let (Some((first, _)), Some((second, at))) = (used.next(), used.next()) {
            let message = format!("`{name}` cannot have `{first}` and `{second}` at once");
            notes.wrong(Mistake::new(*at, message).hint(format!("see ng_{}(4)", kind.name)));
            return;
        }
    }
    let has = |needed: &str| hooks.iter().any(|(hook, _)| *hook == needed);
    let missing: Vec<&str> = kind.needs.iter().copied().filter(|needed| !has(needed)).collect();
    if !missing.is_empty() && (!hooks.is_empty() || kind.life != Life::LastHook) {
        let missing = crate::suggest::listed(missing);
        let message = format!(
            "nothing leads to {missing} of `{name}`, without which a node of type {} is idle",
            kind.name
        );
        notes.doubt(Mistake::new(place.name, message));
    }
}

/// A node that is to be made needs a link to be made by, unless its type has a known hook and lives without one; an
/// interface that goes to a jail leaves its links behind.
fn check_linked(node: &Node, place: &NodePlace, hooks: &[(&str, Position)], notes: &mut Notes) {
    let name = &node.name;
    match (&node.kind, hooks.first()) {
        (Kind::Interface(_), Some((_, at))) if node.jail.is_some() => {
            let message = format!("the node of an interface goes to the jail with it, so no edge can lead to `{name}`");
            let hint = "move one end of an edge that can stay: an interface of type eiface";
            notes.wrong(Mistake::new(*at, message).hint(hint));
        }
        (Kind::Interface(_), None) if is_plain(node) => {
            notes.doubt(Mistake::new(
                place.name,
                format!("no edge leads to `{name}`, and nothing is done with it"),
            ));
        }
        (Kind::Type(kind), None) if is_short_lived(kind.as_str()) => {
            let hint = format!("a node of type {kind} is made with its first link and goes with its last");
            notes.wrong(Mistake::new(place.name, format!("no edge leads to `{name}`")).hint(hint));
        }
        _ => {}
    }
}

fn is_plain(node: &Node) -> bool {
    node.messages.is_empty() && node.mac.is_none() && node.rename.is_none() && node.jail.is_none()
}

fn is_short_lived(type_name: &str) -> bool {
    catalog::find(type_name).is_none_or(|kind| kind.life == Life::LastHook)
}

#[cfg(test)]
mod tests;
