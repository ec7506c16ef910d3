//! `ng validate`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use graph::Graph;
use serde::Serialize;

use crate::failure::{Failure, Result};
use crate::script;

/// Where the appliance keeps its graph.
pub const DEFAULT_FILE: &str = "/usr/local/etc/ngforge/graph.yaml";

/// Check a graph file without touching anything
///
/// Works on any system. Every mistake is told with the line it is in; what is allowed but most likely not meant is a
/// warning, on standard error. With --json, mistakes and warnings are part of the output.
#[derive(Debug, Args)]
pub struct Validate {
    /// The graph; - is standard input
    #[arg(value_name = "FILE", default_value = DEFAULT_FILE)]
    file: PathBuf,

    /// Print only the network interfaces that the graph needs, one a line
    #[arg(long, conflicts_with = "schema")]
    interfaces: bool,

    /// Print the JSON Schema of graph files, for editors
    #[arg(long, conflicts_with = "file")]
    schema: bool,
}

#[derive(Serialize)]
struct Output {
    file: String,
    valid: bool,
    #[serde(flatten)]
    contents: Option<Contents>,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
}

/// What a good file holds.
#[derive(Serialize)]
struct Contents {
    nodes: usize,
    edges: usize,
    interfaces: Vec<String>,
}

/// A mistake or a warning. Lines and columns are counted from 1, columns in characters.
#[derive(Serialize)]
struct Finding {
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
    hint: Option<String>,
}

impl Validate {
    pub fn run(&self, json: bool) -> Result<()> {
        let mut out = io::stdout().lock();
        if self.schema {
            return Ok(out.write_all(graph::SCHEMA.as_bytes())?);
        }
        let text = script::read(&self.file)?;
        let result = Graph::parse(&text, &self.file);
        if json {
            let output = Output::new(&self.file, &result);
            serde_json::to_writer(&mut out, &output).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        let graph = result.map_err(refused)?;
        for warning in graph.warnings() {
            tell!("{warning}");
        }
        if !json {
            self.print(&graph, &mut out)?;
        }
        Ok(())
    }

    fn print(&self, graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
        let contents = Contents::of(graph);
        if self.interfaces {
            return contents.interfaces.iter().try_for_each(|name| writeln!(out, "{name}"));
        }
        let interfaces = graph::suggest::listed(&contents.interfaces);
        let Contents { nodes, edges, .. } = contents;
        let file = self.file.display();
        writeln!(out, "{file}: {nodes} nodes, {edges} edges; interfaces: {interfaces}")
    }
}

impl Output {
    fn new(file: &Path, result: &Result<Graph, graph::Error>) -> Self {
        let errors = result.as_ref().err().into_iter().flat_map(graph::Error::all);
        let warnings = result.as_ref().map_or(&[][..], Graph::warnings);
        Self {
            file: file.display().to_string(),
            valid: result.is_ok(),
            contents: result.as_ref().ok().map(Contents::of),
            errors: errors.map(Finding::of).collect(),
            warnings: warnings.iter().map(|warning| Finding::of(&warning.about)).collect(),
        }
    }
}

impl Contents {
    fn of(graph: &Graph) -> Self {
        Self {
            nodes: graph.nodes().len(),
            edges: graph.edges().len(),
            interfaces: names(graph),
        }
    }
}

impl Finding {
    fn of(error: &graph::Error) -> Self {
        Self {
            file: error.file.display().to_string(),
            line: error.line(),
            column: error.position.map(|position| position.column),
            message: error.message.clone(),
            hint: error.hint.clone(),
        }
    }
}

/// The interfaces that the graph needs, by name where that is how they are chosen.
fn names(graph: &Graph) -> Vec<String> {
    let name = |interface: graph::Interface| match interface.selector {
        graph::Selector::Name(name) => name,
        selector => selector.to_string(),
    };
    graph.interfaces().map(name).collect()
}

/// Reads and checks a graph file.
pub fn read(file: &Path) -> Result<Graph> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::File {
        path: file.display().to_string(),
        error,
    })?;
    Graph::parse(&text, file).map_err(refused)
}

fn refused(error: graph::Error) -> Failure {
    Failure::Graph {
        error: Box::new(error),
        offline: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> serde_json::Value {
        let file = Path::new("x.yaml");
        serde_json::to_value(Output::new(file, &Graph::parse(text, file))).unwrap()
    }

    #[test]
    fn the_appliances_own_graph_is_good() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../graph.yaml"));
        let graph = read(file).unwrap();
        assert_eq!(names(&graph), ["vtnet1", "vtnet2"]);
        assert!(graph.warnings().is_empty());
    }

    #[test]
    fn editors_get_every_mistake_with_its_place() {
        let output = output("version: 1\nnodes:\n  a: { typ: tee }\n  b: { type: hub, mac: x }\n");
        assert_eq!(
            (&output["valid"], &output["nodes"]),
            (&false.into(), &serde_json::Value::Null)
        );
        let errors = output["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 2, "{errors:?}");
        let expected = serde_json::json!({
            "file": "x.yaml", "line": 3, "column": 8,
            "message": "unknown key `typ`", "hint": "did you mean `type`?"
        });
        assert_eq!(errors[0], expected);
    }

    #[test]
    fn editors_get_warnings_of_good_files() {
        let output = output("version: 1\nnodes:\n  a: { interface: em0 }\n");
        assert_eq!((&output["valid"], &output["nodes"]), (&true.into(), &1.into()));
        assert_eq!(output["interfaces"], serde_json::json!(["em0"]));
        assert_eq!(output["warnings"][0]["line"], 3);
        assert_eq!(output["errors"], serde_json::json!([]));
    }
}
