//! The graph file that a command line names.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use clap::Args;
use graph::Graph;

use super::validate::{self, DEFAULT_FILE};
use crate::failure::Result;
use crate::state::Applied;

/// A graph file, read once: what was checked is what is applied, even when somebody writes to the file meanwhile.
#[derive(Debug, Args)]
pub struct Declared {
    /// The graph
    #[arg(value_name = "FILE", default_value = DEFAULT_FILE)]
    file: PathBuf,

    #[arg(skip)]
    graph: OnceCell<Box<Graph>>,
}

impl Declared {
    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What it declares. A wrong file is told without root and without netgraph.
    pub fn graph(&self) -> Result<&Graph> {
        if let Some(graph) = self.graph.get() {
            return Ok(graph);
        }
        let graph = Box::new(validate::read(&self.file)?);
        Ok(self.graph.get_or_init(|| graph))
    }

    /// The jail that the graph is for.
    pub fn jail(&self) -> Result<Option<String>> {
        Ok(self.graph()?.jail().map(str::to_owned))
    }

    /// What is remembered of it once it is applied.
    pub fn applied(&self) -> Result<Applied> {
        Ok(Applied {
            file: std::path::absolute(&self.file).unwrap_or_else(|_| self.file.clone()),
            text: self.graph()?.text().to_owned(),
        })
    }
}
