//! `ng destroy`.

use std::path::{Path, PathBuf};

use clap::Args;
use graph::Kind;
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
}

#[derive(Serialize)]
struct Output {
    file: String,
    shut_down: Vec<String>,
}

impl Destroy {
    /// The file that declares it.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Reads the file only, so that a wrong one is told without root and without netgraph.
    pub fn check(&self) -> Result<()> {
        validate::read(&self.file).map(drop)
    }

    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let graph = &validate::read(&self.file)?;
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
