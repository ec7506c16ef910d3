//! From text to a checked [`Graph`].

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use netgraph::{HookName, NodeName, TypeName};
use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use crate::error::Error;
use crate::locate::{Step, locate, position};
use crate::{Edge, End, Graph, Kind, Mac, Node, Origin, Selector, arguments, catalog, suggest};

/// The only version of the file's syntax.
const VERSION: u64 = 1;

/// The longest name of an interface in bytes (`IFNAMSIZ` of net/if.h, less the terminating zero).
const MAX_INTERFACE: usize = 15;

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping with the keys `version`, `nodes` and `edges`"
)]
struct RawGraph {
    version: u64,
    jail: Option<String>,
    #[serde(default)]
    nodes: Entries<RawNode>,
    edges: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping such as `{ type: tee }`")]
struct RawNode {
    interface: Option<RawInterface>,
    r#type: Option<String>,
    messages: Option<Vec<Value>>,
    mac: Option<String>,
    rename: Option<String>,
    jail: Option<String>,
}

/// An interface, by its name or by what is stable.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawInterface {
    Name(String),
    Selector(Selector),
}

/// A mapping in its order, without double keys.
struct Entries<T>(Vec<(String, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_unit<E>(self) -> Result<Entries<T>, E> {
        Ok(Entries::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
        let mut entries: Vec<(String, T)> = Vec::new();
        let mut seen = HashMap::new();
        while let Some(key) = map.next_key_seed(FreshKey(&seen))? {
            seen.insert(key.clone(), ());
            entries.push((key, map.next_value()?));
        }
        Ok(Entries(entries))
    }
}

/// A key that was not there before.
struct FreshKey<'a>(&'a HashMap<String, ()>);

impl<'de> DeserializeSeed<'de> for FreshKey<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FreshKey<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<String, E> {
        if self.0.contains_key(key) {
            return Err(E::custom(format_args!("there are two nodes `{key}`")));
        }
        Ok(key.to_owned())
    }
}

/// Reads and checks a graph.
pub fn parse(text: &str, file: &Path) -> Result<Graph, Error> {
    let raw: RawGraph = serde_yaml::from_str(text).map_err(|error| of_yaml(&error, text, file))?;
    if raw.version != VERSION {
        let place = locate(text, &[Step::Value("version")]);
        let message = format!("version {} of the syntax is not known", raw.version);
        return Err(Error::new(file, text, place, message).hint(Some(format!("write `version: {VERSION}`"))));
    }
    let mut graph = Graph {
        nodes: Vec::new(),
        edges: Vec::new(),
        jail: raw.jail,
        file: file.to_owned(),
        text: text.to_owned(),
    };
    for (name, node) in raw.nodes.0 {
        let node = read_node(&graph, &name, node)?;
        graph.nodes.push(node);
    }
    check_live_names(&graph)?;
    let mut taken = HashMap::new();
    for (index, edge) in raw.edges.unwrap_or_default().iter().enumerate() {
        let refuse = |(message, hint): Objection| graph.error(Origin::Edge(index), message, hint);
        let edge = read_edge(&graph, edge).map_err(refuse)?;
        for end in [&edge.left, &edge.right] {
            check_end(&graph, end, index, &mut taken).map_err(refuse)?;
        }
        graph.edges.push(edge);
    }
    check_unlinked(&graph)?;
    Ok(graph)
}

/// What is wrong, and what to do about it.
type Objection = (String, Option<String>);

/// An error of the YAML reader, in our words where it is about keys.
fn of_yaml(error: &serde_yaml::Error, text: &str, file: &Path) -> Error {
    let place = position(error);
    let mut message = error.to_string();
    if let Some(place) = place {
        let suffix = format!(" at line {} column {}", place.line, place.column);
        message = message.replace(&suffix, "");
    }
    if let Some((_, unknown)) = message.split_once("unknown field ") {
        let words: Vec<&str> = unknown.split('`').skip(1).step_by(2).collect();
        if let [key, known @ ..] = words.as_slice() {
            let hint = suggest::hint(key, known);
            return Error::new(file, text, place, format!("unknown key `{key}`")).hint(hint);
        }
    }
    Error::new(file, text, place, message.replace("missing field ", "missing key "))
}

fn read_node(graph: &Graph, name: &str, raw: RawNode) -> Result<Node, Error> {
    let at = |path: &[Step<'_>], message: String| {
        let mut full = vec![Step::Value("nodes")];
        full.extend_from_slice(path);
        Error::new(&graph.file, &graph.text, locate(&graph.text, &full), message)
    };
    let key = [Step::Key(name)];
    let parsed: NodeName = name.parse().map_err(|error| at(&key, format!("{error}")))?;
    let kind = match (raw.interface, raw.r#type) {
        (Some(RawInterface::Name(interface)), None) => {
            check_interface(&interface)
                .map_err(|message| at(&[Step::Value(name), Step::Value("interface")], message))?;
            Kind::Interface(Selector::Name(interface))
        }
        (Some(RawInterface::Selector(selector)), None) => Kind::Interface(selector),
        (None, Some(kind)) => {
            let place = [Step::Value(name), Step::Value("type")];
            Kind::Type(read_type(&kind).map_err(|message| at(&place, message))?)
        }
        (None, None) => {
            let error = at(&key, format!("node `{name}` is of no kind"));
            return Err(error.hint(Some("give it `interface: NAME` or `type: TYPE`".to_owned())));
        }
        (Some(_), Some(_)) => {
            return Err(at(
                &key,
                format!("node `{name}` has both `interface` and `type`; it can be one only"),
            ));
        }
    };
    let mut messages = Vec::new();
    for (index, entry) in raw.messages.unwrap_or_default().iter().enumerate() {
        let place = [Step::Value(name), Step::Value("messages"), Step::Item(index)];
        messages.push(arguments::message(entry).map_err(|message| at(&place, message))?);
    }
    let mac = raw.mac.map(|text| text.parse::<Mac>()).transpose();
    let mac = mac.map_err(|message| at(&[Step::Value(name), Step::Value("mac")], message))?;
    Ok(Node {
        name: parsed,
        kind,
        messages,
        mac,
        rename: raw.rename,
        jail: raw.jail,
    })
}

fn check_interface(name: &str) -> Result<(), String> {
    let printable = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
    if name.is_empty() || !name.bytes().all(printable) {
        return Err(format!("`{name}` cannot be the name of an interface"));
    }
    if name.len() > MAX_INTERFACE {
        return Err(format!(
            "the interface name `{name}` has {} bytes; {MAX_INTERFACE} is the most",
            name.len()
        ));
    }
    Ok(())
}

/// Types whose nodes cannot be made by a message.
fn read_type(name: &str) -> Result<TypeName, String> {
    match name {
        "ether" => Err("nodes of type ether come with their interface: write `interface: NAME`".to_owned()),
        "socket" => Err("nodes of type socket belong to processes and cannot be declared".to_owned()),
        _ => name.parse().map_err(|error: netgraph::NameError| error.to_string()),
    }
}

/// Two declared nodes must not be the same live one.
fn check_live_names(graph: &Graph) -> Result<(), Error> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Some(first) = seen.insert(node.live_name(), index) {
            let message = format!(
                "`{}` and `{}` are both the node `{}:`",
                graph.nodes[first].name,
                node.name,
                node.live_name()
            );
            return Err(graph.error(Origin::Node(index), message, None));
        }
    }
    Ok(())
}

fn read_edge(graph: &Graph, edge: &str) -> Result<Edge, Objection> {
    let form = || Some("an edge is written `node.hook -- node.hook`".to_owned());
    let ends: Vec<&str> = edge.split("--").map(str::trim).collect();
    let [left, right] = ends.as_slice() else {
        return Err((format!("`{edge}` is no edge"), form()));
    };
    Ok(Edge {
        left: read_end(graph, left).map_err(|(message, hint)| (message, hint.or_else(form)))?,
        right: read_end(graph, right).map_err(|(message, hint)| (message, hint.or_else(form)))?,
    })
}

fn read_end(graph: &Graph, end: &str) -> Result<End, Objection> {
    let Some((node, hook)) = end.split_once('.') else {
        return Err((format!("`{end}` is no end of an edge"), None));
    };
    let hook: HookName = hook
        .parse()
        .map_err(|error: netgraph::NameError| (error.to_string(), None))?;
    match graph.nodes.iter().position(|candidate| candidate.name.as_str() == node) {
        Some(node) => Ok(End { node, hook }),
        None => {
            let names: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
            let hint = suggest::hint(node, &names).unwrap_or_else(|| "there are no nodes at all".to_owned());
            Err((format!("there is no node `{node}`"), Some(hint)))
        }
    }
}

/// A hook must be one that its node accepts, and be used once.
fn check_end(
    graph: &Graph,
    end: &End,
    edge: usize,
    taken: &mut HashMap<(usize, HookName), usize>,
) -> Result<(), Objection> {
    let node = &graph.nodes[end.node];
    if let Some(hint) = catalog::objection(node.type_name(), end.hook.as_str()) {
        let message = format!("a node of type {} has no hook `{}`", node.type_name(), end.hook);
        return Err((message, Some(hint)));
    }
    match taken.insert((end.node, end.hook.clone()), edge) {
        Some(first) => {
            let line = graph.position(Origin::Edge(first)).map_or(0, |place| place.line);
            let message = format!("the hook `{}` is taken by the edge of line {line}", graph.end(end));
            Err((message, None))
        }
        None => Ok(()),
    }
}

/// A node that is to be made needs a link to be made by, unless its type has a known hook and lives without one.
fn check_unlinked(graph: &Graph) -> Result<(), Error> {
    for (index, node) in graph.nodes.iter().enumerate() {
        let linked = graph
            .edges
            .iter()
            .any(|edge| edge.left.node == index || edge.right.node == index);
        let made = matches!(node.kind, Kind::Type(_));
        if made && !linked && catalog::of_lasting_type(node.type_name()).is_none() {
            let message = format!("no edge leads to `{}`", node.name);
            let hint = format!(
                "a node of type {} is made with its first link and goes with its last",
                node.type_name()
            );
            return Err(graph.error(Origin::Node(index), message, Some(hint)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
