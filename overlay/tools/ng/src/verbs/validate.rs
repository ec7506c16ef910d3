//! `ng validate`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use graph::Graph;
use serde::Serialize;

use crate::failure::{Failure, Result};

/// Where the appliance keeps its graph.
pub const DEFAULT_FILE: &str = "/usr/local/etc/ngforge/graph.yaml";

/// Check a graph file without touching anything
///
/// Works on any system. Mistakes are told with the line they are in.
#[derive(Debug, Args)]
pub struct Validate {
    /// The graph
    #[arg(value_name = "FILE", default_value = DEFAULT_FILE)]
    file: PathBuf,

    /// Print only the network interfaces that the graph needs, one a line
    #[arg(long)]
    interfaces: bool,
}

#[derive(Serialize)]
struct Output {
    file: String,
    nodes: usize,
    edges: usize,
    interfaces: Vec<String>,
}

impl Validate {
    pub fn run(&self, json: bool) -> Result<()> {
        let graph = read(&self.file)?;
        let output = Output {
            file: self.file.display().to_string(),
            nodes: graph.nodes().len(),
            edges: graph.edges().len(),
            interfaces: names(&graph),
        };
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, &output).map_err(io::Error::from)?;
            writeln!(out)?;
        } else if self.interfaces {
            output.interfaces.iter().try_for_each(|name| writeln!(out, "{name}"))?;
        } else {
            let interfaces = graph::suggest::listed(&output.interfaces);
            let Output { file, nodes, edges, .. } = output;
            writeln!(out, "{file}: {nodes} nodes, {edges} edges; interfaces: {interfaces}")?;
        }
        Ok(())
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
    Graph::parse(&text, file).map_err(|error| Failure::Graph {
        error: Box::new(error),
        offline: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_appliances_own_graph_is_good() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../graph.yaml"));
        let graph = read(file).unwrap();
        assert_eq!(names(&graph), ["vtnet1", "vtnet2"]);
    }
}
