//! From text to a checked [`Graph`].
//!
//! Every mistake that does not follow from another one is noted, so that a file is mended in one go. The order is: what is
//! no YAML ends it; then nodes, then edges; and what concerns the graph as a whole when these are good.

mod edge;
mod fields;
mod interface;
mod node;

use std::path::Path;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::error::{Error, Mistake, Position, Warning};
use crate::yaml::{self, Value};
use crate::{Graph, catalog, checks, names};

#[cfg(test)]
pub use {interface::SELECTOR_KEYS, node::NODE_KEYS};

use fields::Fields;

/// The only version of the file's syntax.
const VERSION: &str = "1";

/// The keys of a graph.
pub const GRAPH_KEYS: [&str; 6] = ["version", "nodes", "edges", "jail", "loops", "types"];

/// More mistakes than that are not told at once.
const MAX_MISTAKES: usize = 20;

/// What is found wrong, or doubtful.
#[derive(Debug, Default)]
pub struct Notes {
    mistakes: Vec<Mistake>,
    doubts: Vec<Mistake>,
}

impl Notes {
    /// Something has to be mended.
    pub fn wrong(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    /// Something looks unintended.
    pub fn doubt(&mut self, doubt: Mistake) {
        self.doubts.push(doubt);
    }

    /// The value; an objection is noted with its place.
    fn accept<T>(&mut self, at: Position, result: Result<T, Objection>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err((message, hint)) => {
                self.wrong(Mistake::new(at, message).hint(hint.unwrap_or_default()));
                None
            }
        }
    }

    /// Whether nothing is wrong so far.
    pub fn is_good(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// Whether so much is wrong that no more is looked for.
    pub fn is_full(&self) -> bool {
        self.mistakes.len() >= MAX_MISTAKES
    }
}

/// What is wrong, and what to do about it.
pub type Objection = (String, Option<String>);

/// Where the parts of a graph stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Each node.
    pub nodes: Vec<NodePlace>,
    /// Each edge.
    pub edges: Vec<EdgePlace>,
}

/// Where the parts of a node stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePlace {
    /// Its name.
    pub name: Position,
    /// What it is: its type or interface.
    pub kind: Position,
    /// The name that its interface is to have, if it is to have one.
    pub rename: Option<Position>,
    /// Each of its messages.
    pub messages: Vec<Position>,
}

/// Where the parts of an edge stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgePlace {
    /// The edge.
    pub edge: Position,
    /// Its left end.
    pub left: Position,
    /// Its right end.
    pub right: Position,
}

/// Reads and checks a graph.
pub fn parse(text: &str, file: &Path) -> Result<Graph, Error> {
    let mut notes = Notes::default();
    let document = yaml::read(text).map_err(|mistake| mistake.into_error(file, text))?;
    let mut graph = Graph {
        nodes: Vec::new(),
        edges: Vec::new(),
        jail: None,
        loops: false,
        warnings: Vec::new(),
        places: Places::default(),
        file: file.to_owned(),
        text: text.to_owned(),
    };
    read_graph(&mut graph, &document, &mut notes);
    if notes.is_good() {
        checks::check(&graph, &mut notes);
    }
    if let Some(error) = Error::of_all(notes.mistakes, file, text) {
        return Err(error);
    }
    graph.warnings = Warning::of_all(notes.doubts, file, text);
    Ok(graph)
}

fn read_graph(graph: &mut Graph, document: &Value<'_>, notes: &mut Notes) {
    let Some(fields) = Fields::read(document, "a graph", "`version: 1`", &GRAPH_KEYS, notes) else {
        return;
    };
    if !check_version(&fields, document.at, notes) {
        return;
    }
    if let Some(jail) = fields.text("jail", notes) {
        graph.jail = notes.accept(jail.0, names::check_jail(jail.1).map(|()| jail.1.to_owned()));
    }
    if let Some((at, text)) = fields.text("loops", notes) {
        graph.loops = text == "allow";
        if !graph.loops {
            let message = format!("`{text}` has no meaning for `loops`");
            notes.wrong(Mistake::new(at, message).hint("write `loops: allow`, or leave the line out"));
        }
    }
    let own = own_types(&fields, notes);
    let names = read_nodes(graph, &fields, &own, notes);
    read_edges(graph, &fields, &names, notes);
}

/// Whether the rest can be read as this version.
fn check_version(fields: &Fields<'_, '_>, start: Position, notes: &mut Notes) -> bool {
    let hint = format!("write `version: {VERSION}`");
    if !fields.has("version") {
        if !fields.are_strange() {
            notes.wrong(Mistake::new(start, "the key `version` is missing").hint(hint + " in the first line"));
        }
        return true;
    }
    let Some((at, version)) = fields.text("version", notes) else {
        return true;
    };
    if version != VERSION {
        notes.wrong(Mistake::new(at, format!("version {version} of the syntax is not known")).hint(hint));
    }
    version == VERSION
}

/// Types that the file says are no slip.
fn own_types<'v>(fields: &Fields<'v, '_>, notes: &mut Notes) -> Vec<&'v str> {
    let mut own = Vec::new();
    for item in fields.list("types", "`types: [ mytype ]`", notes) {
        match item.text() {
            Some(name) if catalog::find(name).is_some() => {
                notes.doubt(Mistake::new(
                    item.at,
                    format!("the type `{name}` is known without being listed"),
                ));
            }
            Some(name) => own.extend(notes.accept(item.at, node::type_name(name).map(|_| name))),
            None => notes.wrong(Mistake::new(
                item.at,
                format!("a type is a name, but this is {}", item.kind()),
            )),
        }
    }
    own
}

/// By name; None where a node is wrong in itself, or there twice.
type Names<'v> = FxHashMap<&'v str, Option<usize>>;

fn read_nodes<'v>(graph: &mut Graph, fields: &Fields<'v, '_>, own: &[&str], notes: &mut Notes) -> Names<'v> {
    let (entries, repeated) = fields.map("nodes", "`tap0: { type: tee }`", notes);
    let mut names = Names::with_capacity_and_hasher(entries.len(), FxBuildHasher);
    for (key, value) in entries {
        if notes.is_full() {
            break;
        }
        let node = node::read(key, value, own, notes);
        // A colon is part of the key when the space behind it is missing.
        let name = key.text.split(':').next().unwrap_or("");
        names.insert(name, node.as_ref().map(|_| graph.nodes.len()));
        if let Some((node, place)) = node {
            graph.nodes.push(node);
            graph.places.nodes.push(place);
        }
    }
    names.extend(repeated.into_iter().map(|name| (name, None)));
    names
}

fn read_edges(graph: &mut Graph, fields: &Fields<'_, '_>, names: &Names<'_>, notes: &mut Notes) {
    for item in fields.list("edges", edge::FORM, notes) {
        if notes.is_full() {
            break;
        }
        if let Some((edge, place)) = edge::read(item, graph, names, notes) {
            graph.edges.push(edge);
            graph.places.edges.push(place);
        }
    }
}

#[cfg(test)]
mod tests;
