//! A live graph as a declared one: the file that makes the same graph.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use netgraph::NodeId;

use crate::checks::loops;
use crate::parse::Places;
use crate::plan::{LiveNode, Snapshot};
use crate::{Edge, End, Graph, Kind, Node, Selector, catalog};

/// A live graph, or a part of one, in the words of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dump {
    nodes: Vec<Dumped>,
    edges: Vec<(DumpedEnd, DumpedEnd)>,
    left_out: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Dumped {
    name: String,
    id: NodeId,
    type_name: String,
    /// Of the nodes of interfaces: the interface.
    interface: Option<String>,
    messages: Vec<(String, String)>,
}

/// A node, by index, and a hook.
type DumpedEnd = (usize, String);

impl Dump {
    /// The nodes that are wanted, with the links between them. Sockets belong to processes and are left out.
    #[must_use]
    pub fn of(snapshot: &Snapshot, is_wanted: &dyn Fn(&LiveNode) -> bool) -> Self {
        let mut dump = Self::default();
        let mut index_of = HashMap::new();
        let nodes = snapshot
            .nodes
            .iter()
            .filter(|node| node.type_name != "socket" && is_wanted(node));
        for node in nodes {
            index_of.insert(node.id, dump.nodes.len());
            dump.add(node);
        }
        let mut edges = BTreeSet::new();
        for node in &snapshot.nodes {
            for link in &node.links {
                let (Some(&own), Some(&peer)) = (index_of.get(&node.id), index_of.get(&link.peer)) else {
                    dump.leave_out(node, link, snapshot, &index_of);
                    continue;
                };
                let (left, right) = ((own, link.hook.clone()), (peer, link.peer_hook.clone()));
                edges.insert(if left <= right { (left, right) } else { (right, left) });
            }
        }
        dump.edges = edges.into_iter().collect();
        dump
    }

    fn add(&mut self, node: &LiveNode) {
        let own_name = node.name.clone().filter(|_| !node.is_nameless());
        let is_free = |name: &str| self.nodes.iter().all(|other| other.name != name);
        let mut inventions = (0..).map(|count| format!("{}{}", node.stand_in(), "x".repeat(count)));
        let name = own_name.or_else(|| inventions.find(|name| is_free(name)));
        self.nodes.push(Dumped {
            name: name.unwrap_or_default(),
            id: node.id,
            type_name: node.type_name.clone(),
            interface: node.name.clone().filter(|_| node.type_name == "ether"),
            messages: Vec::new(),
        });
    }

    /// A link of a wanted node to one that is not.
    fn leave_out(
        &mut self,
        node: &LiveNode,
        link: &crate::plan::Link,
        snapshot: &Snapshot,
        index_of: &HashMap<NodeId, usize>,
    ) {
        if let Some(&own) = index_of.get(&node.id) {
            let peer = snapshot.nodes.iter().find(|other| other.id == link.peer);
            let peer = peer.map_or_else(
                || link.peer.to_string(),
                |peer| format!("{} ({})", peer.label(), peer.type_name),
            );
            let own = &self.nodes[own].name;
            self.left_out
                .push(format!("{own}.{} leads to {peer}, hook {}", link.hook, link.peer_hook));
        }
    }

    /// The nodes, as ID, name in the file and type.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &str, &str)> {
        self.nodes
            .iter()
            .map(|node| (node.id, node.name.as_str(), node.type_name.as_str()))
    }

    /// The links, as node and hook of both ends.
    pub fn links(&self) -> impl Iterator<Item = ((String, String), (String, String))> {
        let end = |(node, hook): &DumpedEnd| (self.nodes[*node].name.clone(), hook.clone());
        self.edges.iter().map(move |(left, right)| (end(left), end(right)))
    }

    /// Says of an interface's node how the interface is called, where that is not the node's name.
    pub fn name_interface(&mut self, node: NodeId, interface: &str) {
        for dumped in self.nodes.iter_mut().filter(|dumped| dumped.id == node) {
            dumped.interface = Some(interface.to_owned());
        }
    }

    /// Adds a message to the node of that name.
    pub fn tell(&mut self, node: &str, command: &str, arguments: &str) {
        for dumped in self.nodes.iter_mut().filter(|dumped| dumped.name == node) {
            dumped.messages.push((command.to_owned(), arguments.to_owned()));
        }
    }

    /// The graph, as if it had been read.
    #[must_use]
    pub fn to_graph(&self, file: &Path) -> Graph {
        Graph {
            text: self.to_yaml(),
            file: file.to_owned(),
            ..self.bare()
        }
    }

    fn bare(&self) -> Graph {
        Graph {
            nodes: self.nodes.iter().filter_map(Dumped::to_node).collect(),
            edges: self.edges.iter().filter_map(to_edge).collect(),
            jail: None,
            loops: true,
            warnings: Vec::new(),
            places: Places::default(),
            file: PathBuf::new(),
            text: String::new(),
        }
    }

    /// The text of the file.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut text = String::from("version: 1\n");
        if loops::has_one(&self.bare()) {
            text.push_str("loops: allow\n");
        }
        let strange: BTreeSet<&str> = self.nodes.iter().map(|node| node.type_name.as_str()).collect();
        let strange: Vec<String> = strange
            .into_iter()
            .filter(|kind| catalog::find(kind).is_none())
            .map(scalar)
            .collect();
        if !strange.is_empty() {
            let _ = writeln!(text, "types: [ {} ]", strange.join(", "));
        }
        text.push_str(if self.nodes.is_empty() {
            "nodes: {}\n"
        } else {
            "nodes:\n"
        });
        for node in &self.nodes {
            let _ = writeln!(text, "  {}: {}", scalar(&node.name), node.in_yaml());
        }
        text.push_str(if self.edges.is_empty() {
            "edges: []\n"
        } else {
            "edges:\n"
        });
        let end = |(node, hook): &DumpedEnd| format!("{}.{hook}", self.nodes[*node].name);
        for (left, right) in &self.edges {
            let _ = writeln!(text, "  - {}", scalar(&format!("{} -- {}", end(left), end(right))));
        }
        for line in &self.left_out {
            let _ = writeln!(text, "# left out: {line}");
        }
        text
    }
}

impl Dumped {
    fn to_node(&self) -> Option<Node> {
        let kind = match &self.interface {
            Some(interface) => Kind::Interface(Selector::Name(interface.clone())),
            None => Kind::Type(self.type_name.parse().ok()?),
        };
        Some(Node {
            name: self.name.parse().ok()?,
            kind,
            messages: self.messages.clone(),
            mac: None,
            rename: None,
            jail: None,
        })
    }

    fn in_yaml(&self) -> String {
        let kind = match &self.interface {
            Some(interface) => format!("interface: {}", scalar(interface)),
            None => format!("type: {}", scalar(&self.type_name)),
        };
        if self.messages.is_empty() {
            return format!("{{ {kind} }}");
        }
        let messages = self.messages.iter().map(|(command, arguments)| {
            if arguments.is_empty() {
                scalar(command)
            } else {
                format!("{}: {}", scalar(command), scalar(arguments))
            }
        });
        format!(
            "{{ {kind}, messages: [ {} ] }}",
            messages.collect::<Vec<_>>().join(", ")
        )
    }
}

fn to_edge(((left, hook), (right, peer_hook)): &(DumpedEnd, DumpedEnd)) -> Option<Edge> {
    let end = |node: usize, hook: &str| {
        Some(End {
            node,
            hook: hook.parse().ok()?,
        })
    };
    Some(Edge {
        left: end(*left, hook)?,
        right: end(*right, peer_hook)?,
    })
}

/// A text in YAML: as it stands where nothing can be taken for anything else, else in quotes.
fn scalar(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b' ');
    let begins = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
    );
    let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if number || (begins && !word && text.bytes().all(plain) && !text.ends_with(' ')) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                let _ = write!(quoted, "\\x{:02x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Link;

    fn node(id: u32, name: Option<&str>, kind: &str, links: &[(&str, u32, &str)]) -> LiveNode {
        LiveNode {
            id: NodeId(id),
            name: name.map(str::to_owned),
            assumed: false,
            type_name: kind.to_owned(),
            hooks: u32::try_from(links.len()).unwrap(),
            links: links
                .iter()
                .map(|(hook, peer, peer_hook)| Link {
                    hook: (*hook).to_owned(),
                    peer: NodeId(*peer),
                    peer_hook: (*peer_hook).to_owned(),
                    tapped: false,
                })
                .collect(),
        }
    }

    fn sample() -> Snapshot {
        Snapshot {
            nodes: vec![
                node(1, Some("vtnet1"), "ether", &[("lower", 2, "left")]),
                node(
                    2,
                    None,
                    "tee",
                    &[("left", 1, "lower"), ("right", 3, "link0"), ("left2right", 4, "x")],
                ),
                node(3, Some("on"), "bridge", &[("link0", 2, "right")]),
                node(4, Some("ng77"), "socket", &[("x", 2, "left2right")]),
            ],
        }
    }

    #[test]
    fn a_live_graph_is_written_as_a_file() {
        let mut dump = Dump::of(&sample(), &|_| true);
        dump.tell("vtnet1", "setpromisc", "1");
        dump.tell("on", "setconfig", "{ loopTimeout=60 }");
        let expected = "\
version: 1
nodes:
  vtnet1: { interface: vtnet1, messages: [ setpromisc: 1 ] }
  unnamed-2: { type: tee }
  \"on\": { type: bridge, messages: [ setconfig: \"{ loopTimeout=60 }\" ] }
edges:
  - vtnet1.lower -- unnamed-2.left
  - unnamed-2.right -- on.link0
# left out: unnamed-2.left2right leads to ng77 (socket), hook x
";
        assert_eq!(dump.to_yaml(), expected);
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let dump = Dump::of(&sample(), &|_| true);
        let file = Path::new("dump");
        let read = Graph::parse(&dump.to_yaml(), file).unwrap();
        let made = dump.to_graph(file);
        assert_eq!(
            (read.nodes(), read.edges(), read.text()),
            (made.nodes(), made.edges(), made.text())
        );
    }

    #[test]
    fn texts_that_could_be_something_else_are_quoted() {
        let rows = [
            ("sw0", "sw0"),
            ("on", "\"on\""),
            ("1a", "\"1a\""),
            ("a\"\\", "\"a\\\"\\\\\""),
            ("a #b", "\"a #b\""),
            ("", "\"\""),
            ("a\tb", "\"a\\x09b\""),
        ];
        for (text, written) in rows {
            assert_eq!(scalar(text), written);
            let read: String = serde_yaml::from_str(&scalar(text)).unwrap();
            assert_eq!(read, text);
        }
    }
}
