use std::path::PathBuf;

use clap::Args;
use graph::{Graph, Kind};
use netgraph::{Errno, GetNodeInfo, Transport};
use serde::Serialize;

use super::validate::{self, DEFAULT_FILE};
use crate::explain;
use crate::failure::Result;
use crate::session::Session;

/// Shut down the nodes that a file declares
///
/// Interfaces stay and only lose their links. A node of another type than declared is left alone.
#[derive(Debug, Args)]
pub struct Destroy {
    /// The graph
    #[arg(value_name = "FILE", default_value = DEFAULT_FILE)]
    file: PathBuf,

    /// The file's content, once it is read
    #[arg(skip)]
    graph: Option<Graph>,
}

#[derive(Serialize)]
struct Output {
    file: String,
    shut_down: Vec<String>,
}

impl Destroy {
    /// Reads the file, before anything else is touched.
    pub fn read(mut self) -> Result<Self> {
        self.graph = Some(validate::read(&self.file)?);
        Ok(self)
    }

    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let read;
        let graph = match &self.graph {
            Some(graph) => graph,
            None => {
                read = validate::read(&self.file)?;
                &read
            }
        };
        let mut shut_down = Vec::new();
        for node in graph.nodes().iter().filter(|node| matches!(node.kind, Kind::Type(_))) {
            let address = node.address();
            match session.socket.request(&address, &GetNodeInfo) {
                Ok(live) if live.type_name == node.type_name() => {
                    session.request(&address, &netgraph::Shutdown)?;
                    shut_down.push(node.name.to_string());
                }
                Ok(_) => {}
                Err(error) if error.errno() == Some(Errno::ENOENT) => {}
                Err(error) => return Err(explain::refusal(&mut session.socket, error)),
            }
        }
        let output = Output {
            file: self.file.display().to_string(),
            shut_down,
        };
        session.print(&output, |out| {
            output
                .shut_down
                .iter()
                .try_for_each(|name| writeln!(out, "shut down {name}"))
        })
    }
}
