//! One edge.

use netgraph::HookName;

use super::{EdgePlace, Names, Notes, Objection};
use crate::error::{Mistake, Position};
use crate::yaml::{Value, What};
use crate::{Edge, End, Graph, catalog, suggest};

/// How an edge is written.
pub const FORM: &str = "`- wan.lower -- tap0.left`";

/// Signs that are written in place of `--`.
const OTHER_SIGNS: [&str; 9] = ["<-->", "<->", "-->", "->", "<-", "–", "—", "==", "-"];

/// Reads an edge; None when something is wrong with it, which is noted.
pub fn read(item: &Value<'_>, graph: &Graph, names: &Names<'_>, notes: &mut Notes) -> Option<(Edge, EdgePlace)> {
    let Some(text) = item.text() else {
        notes.wrong(no_text(item));
        return None;
    };
    let parts = text.split_once("--").filter(|(_, right)| !right.contains("--"));
    let Some((left, right)) = parts else {
        let mistake = Mistake::new(item.at, format!("`{text}` is no edge"));
        notes.wrong(mistake.hint(other_sign(text).unwrap_or_else(form)));
        return None;
    };
    let start = |part: &str| place(item, text, text.len() - part.len());
    let (left_at, right_at) = (item.at, start(right.trim_start()));
    let left = read_end(left.trim(), left_at, graph, names, notes);
    let right = read_end(right.trim(), right_at, graph, names, notes);
    let (left, right) = (left?, right?);
    let place = EdgePlace {
        edge: item.at,
        left: left_at,
        right: right_at,
    };
    Some((Edge { left, right }, place))
}

fn form() -> String {
    format!("an edge is written {FORM}")
}

fn no_text(item: &Value<'_>) -> Mistake {
    let mistake = Mistake::new(item.at, format!("an edge is a text, but this is {}", item.kind()));
    match &item.what {
        What::Map(entries) => match entries.as_slice() {
            [(key, value)] => {
                let other = value.text().unwrap_or("node.hook");
                mistake.hint(format!("write `{} -- {other}`, without a colon", key.text))
            }
            _ => mistake.hint(form()),
        },
        _ => mistake.hint(form()),
    }
}

/// What to write when two ends are joined by something else than `--`.
fn other_sign(text: &str) -> Option<String> {
    let found = OTHER_SIGNS.iter().find_map(|sign| text.split_once(sign));
    let (left, right) = found.or_else(|| text.split_once(char::is_whitespace))?;
    let is_end = |end: &str| end.contains('.') && !end.contains(char::is_whitespace);
    let (left, right) = (left.trim(), right.trim());
    (is_end(left) && is_end(right)).then(|| format!("write `{left} -- {right}`"))
}

/// Where a part of a text stands, by its distance from the start in bytes.
fn place(item: &Value<'_>, text: &str, offset: usize) -> Position {
    let quote = usize::from(matches!(item.what, What::Quoted(_)));
    let characters = text.get(..offset).map_or(0, |before| before.chars().count());
    Position {
        line: item.at.line,
        column: item.at.column + quote + characters,
    }
}

fn read_end(end: &str, at: Position, graph: &Graph, names: &Names<'_>, notes: &mut Notes) -> Option<End> {
    let (node, hook) = notes.accept(at, split(end))?;
    let hook: Option<HookName> = notes.accept(at, hook_name(hook));
    match names.get(node) {
        Some(Some(node)) => {
            let end = End {
                node: *node,
                hook: hook?,
            };
            notes.accept(at, check_hook(graph, &end)).map(|()| end)
        }
        Some(None) => None,
        None => {
            let names: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
            let hint = suggest::hint(node, &names).unwrap_or_else(|| "there are no nodes at all".to_owned());
            notes.wrong(Mistake::new(at, format!("there is no node `{node}`")).hint(hint));
            None
        }
    }
}

fn split(end: &str) -> Result<(&str, &str), Objection> {
    if let Some(parts) = end.split_once('.') {
        return Ok(parts);
    }
    let hint = match end.split_once(':') {
        Some((node, hook)) if !hook.is_empty() => format!("write `{node}.{hook}`, with a dot"),
        _ => form(),
    };
    Err((format!("`{end}` is no end of an edge"), Some(hint)))
}

fn hook_name(hook: &str) -> Result<HookName, Objection> {
    hook.parse().map_err(|error: netgraph::NameError| {
        let several = hook.contains('.') || hook.contains(char::is_whitespace);
        (error.to_string(), several.then(form))
    })
}

/// A hook must be one that its node accepts.
fn check_hook(graph: &Graph, end: &End) -> Result<(), Objection> {
    let type_name = graph.nodes[end.node].type_name();
    match catalog::objection(type_name, end.hook.as_str()) {
        None => Ok(()),
        Some(hint) => Err((
            format!("a node of type {type_name} has no hook `{}`", end.hook),
            Some(hint),
        )),
    }
}
