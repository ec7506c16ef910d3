//! Changes as people and programs read them.

use graph::{Action, End, Graph, LiveEnd};
use serde::Serialize;

use super::{Change, Outcome};

/// What was, or would be, changed, in JSON.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The graph's file.
    pub file: String,
    /// Whether it was only planned.
    pub dry_run: bool,
    /// How many changes there are.
    pub changed: usize,
    /// Declared nodes that were there and stay untouched.
    pub kept_nodes: usize,
    /// Declared edges that were there and stay untouched.
    pub kept_edges: usize,
    /// Each change, in the order in which they are made.
    pub actions: Vec<Told>,
}

/// One change.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The line of the file that asks for it, counted from 1; none when something is declared no longer.
    pub line: Option<usize>,
    /// What is done, in words.
    pub action: String,
    /// What is there instead now, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
}

impl Report {
    /// Tells of an outcome.
    pub fn new(graph: &Graph, file: String, dry_run: bool, outcome: &Outcome) -> Self {
        let line = |change: &Change| graph.position(change.origin?).map(|position| position.line);
        let told = outcome.changes.iter().map(|change| Told {
            line: line(change),
            action: change.action.describe(graph),
            now: change.now.clone(),
        });
        Self {
            file,
            dry_run,
            changed: outcome.changes.len(),
            kept_nodes: outcome.kept.0,
            kept_edges: outcome.kept.1,
            actions: told.collect(),
        }
    }
}

/// The lines of a readable difference: `+` for what comes, `-` for what goes, `~` for what becomes different. Links that
/// are there only while others change are left out.
pub fn difference(graph: &Graph, changes: &[Change]) -> Vec<String> {
    changes.iter().flat_map(|change| lines(graph, change)).collect()
}

fn lines(graph: &Graph, change: &Change) -> Vec<String> {
    let node = |index: usize| {
        let node = &graph.nodes()[index];
        format!("+ node {} ({})", node.name, node.type_name())
    };
    match &change.action {
        Action::Hold { .. } | Action::Release { .. } => Vec::new(),
        Action::Disconnect { left, right, .. } => vec![format!("- edge {} -- {}", live(left), live(right))],
        Action::Remove { label, type_name, .. } => vec![format!("- node {label} ({type_name})")],
        Action::Make { at, new } => vec![node(new.node), edge(graph, at, new)],
        Action::MakeAlone { new } => vec![node(new.node)],
        Action::Connect { left, right } => vec![edge(graph, left, right)],
        Action::Send { node, message, .. } => {
            let (command, arguments) = &graph.nodes()[*node].messages[*message];
            let message = format!("{command} {arguments}");
            vec![format!(
                "~ {}: {}{}",
                graph.nodes()[*node].name,
                message.trim_end(),
                now(change)
            )]
        }
        action => vec![format!("~ {}{}", action.describe(graph), now(change))],
    }
}

fn edge(graph: &Graph, left: &End, right: &End) -> String {
    let node = |end: &End| graph.nodes()[end.node].name.as_str();
    let (one, other) = (node(left), node(right));
    [
        "+ edge ",
        one,
        ".",
        left.hook.as_str(),
        " -- ",
        other,
        ".",
        right.hook.as_str(),
    ]
    .concat()
}

/// What is there instead, behind a change.
fn now(change: &Change) -> String {
    change
        .now
        .as_ref()
        .map_or_else(String::new, |now| format!("  (now {})", now.trim()))
}

fn live(end: &LiveEnd) -> String {
    format!("{}.{}", end.label, end.hook)
}
