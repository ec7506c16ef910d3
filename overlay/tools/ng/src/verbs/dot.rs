//! `ng dot`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use clap::Args;
use netgraph::{Address, HookList, ListHooks, ListNodes, NodeInfo, Transport};
use serde::Serialize;

use super::NodeJson;
use crate::failure::Result;
use crate::session::Session;

/// Types whose nodes are network interfaces, drawn round.
const INTERFACES: [&str; 3] = ["ether", "eiface", "iface"];

/// Print the graph in the language of graphviz
///
/// Nodes are boxes, or ellipses if they are interfaces; each link is a line with its two hooks at the ends.
/// `ng dot | dot -Tsvg` draws it. Nodes stand in the order of their names, so that two outputs can be compared; ng's own
/// node is left out unless it has hooks.
#[derive(Debug, Args)]
pub struct Dot {
    /// Only what can be reached from this node
    path: Option<Address>,
}

#[derive(Serialize)]
struct Output<'a> {
    nodes: Vec<NodeJson<'a>>,
}

impl Dot {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let mut lists = match &self.path {
            Some(path) => reachable(session, path)?,
            None => everything(session)?,
        };
        lists.sort_by(|a, b| rank(&a.node).cmp(&rank(&b.node)));
        let nodes = lists.iter().map(|list| NodeJson::new(&list.node, Some(&list.links)));
        let output = Output { nodes: nodes.collect() };
        session.print(&output, |out| write!(out, "{}", text(&lists)))
    }
}

/// Every node but ng's own, which comes and goes with the command. Nodes that went meanwhile are left out.
fn everything<T: Transport>(session: &mut Session<T>) -> Result<Vec<HookList>> {
    let own = session.request(&Address::here(), &ListHooks)?.node.id;
    let nodes = session.request(&Address::here(), &ListNodes)?;
    let shown = nodes.iter().filter(|node| node.id != own || node.hooks > 0);
    let lists = shown.filter_map(|node| session.socket.request(&node.address(), &ListHooks).ok());
    Ok(lists.collect())
}

/// A node and all that its links lead to, however far.
fn reachable<T: Transport>(session: &mut Session<T>, path: &Address) -> Result<Vec<HookList>> {
    let mut lists = vec![session.request(path, &ListHooks)?];
    let mut seen = BTreeSet::from([lists[0].node.id]);
    let mut next = 0;
    while next < lists.len() {
        for peer in lists[next]
            .links
            .iter()
            .map(|link| link.peer.clone())
            .collect::<Vec<_>>()
        {
            if seen.insert(peer.id) {
                lists.extend(session.socket.request(&peer.address(), &ListHooks));
            }
        }
        next += 1;
    }
    Ok(lists)
}

/// Nodes with a name come first, in its order; the rest in the order of their IDs.
fn rank(node: &NodeInfo) -> (bool, Option<&str>, u32) {
    (node.name.is_none(), node.name.as_deref(), node.id.0)
}

/// The graph; `lists` are in the order in which the nodes are to stand.
fn text(lists: &[HookList]) -> String {
    let mut text = String::from("graph netgraph {\n    node [shape=box, fontsize=12];\n    edge [fontsize=10];\n");
    for list in lists {
        text += &node_line(&list.node);
    }
    for (left, right) in links(lists) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "    \"{:x}\" -- \"{:x}\" [taillabel=\"{}\", headlabel=\"{}\"];",
            lists[left.0].node.id.0,
            lists[right.0].node.id.0,
            escaped(left.1),
            escaped(right.1)
        );
    }
    text + "}\n"
}

fn node_line(node: &NodeInfo) -> String {
    let (id, kind) = (node.id.0, escaped(&node.type_name));
    let label = match &node.name {
        Some(name) => format!("{}:\\n{kind} [{id:x}]", escaped(name)),
        None => format!("{kind} [{id:x}]"),
    };
    let shape = if INTERFACES.contains(&node.type_name.as_str()) {
        ", shape=ellipse"
    } else {
        ""
    };
    format!("    \"{id:x}\" [label=\"{label}\"{shape}];\n")
}

/// An end of a link: its node's place in the list, and its hook.
type End<'a> = (usize, &'a str);

/// Each link once, though both of its nodes tell of it. One that leads to a node that is not listed is left out.
fn links(lists: &[HookList]) -> BTreeSet<(End<'_>, End<'_>)> {
    let places: BTreeMap<_, _> = lists
        .iter()
        .enumerate()
        .map(|(place, list)| (list.node.id, place))
        .collect();
    let mut links = BTreeSet::new();
    for (place, list) in lists.iter().enumerate() {
        for link in &list.links {
            let Some(peer) = places.get(&link.peer.id) else {
                continue;
            };
            let (here, there) = ((place, link.hook.as_str()), (*peer, link.peer_hook.as_str()));
            links.insert((here.min(there), here.max(there)));
        }
    }
    links
}

/// Text inside a quoted label: graphviz gives a meaning to quotes, backslashes and ampersands there. What cannot be seen
/// is shown as Rust writes it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => safe.push_str("\\\""),
            '\\' => safe.push_str("\\\\"),
            '&' => safe.push_str("&amp;"),
            hidden if hidden.is_control() => safe += &format!("\\{}", hidden.escape_default()),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_show_every_name_as_it_is() {
        let rows = [
            ("link0", "link0"),
            ("say \"hi\"", "say \\\"hi\\\""),
            ("C:\\N", "C:\\\\N"),
            ("R&amp;D", "R&amp;amp;D"),
            ("a\nb\u{7f}", "a\\\\nb\\\\u{7f}"),
            ("größe", "größe"),
        ];
        for (name, label) in rows {
            assert_eq!(escaped(name), label, "{name:?}");
        }
    }
}
