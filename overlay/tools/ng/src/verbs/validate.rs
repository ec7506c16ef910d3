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
            interfaces: graph.interfaces().map(|interface| interface.name).collect(),
        };
        if json {
            println!("{}", serde_json::to_string(&output).unwrap_or_default());
        } else {
            println!(
                "{}: {} nodes, {} edges; interfaces: {}",
                output.file,
                output.nodes,
                output.edges,
                graph::suggest::listed(&output.interfaces)
            );
        }
        Ok(())
    }
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
