//! `ng interfaces`: for the service that applies the graph at boot.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use graph::{Graph, Kind, Selector};
use serde::Serialize;

use super::validate::{self, DEFAULT_FILE};
use crate::failure::{Failure, Result};
use crate::guard;
use crate::host::Host;
use crate::state::State;

/// Print the names that the network interfaces of a graph have at present, one a line
///
/// Those that the file chooses by hardware address, PCI address or order are looked up on this machine.
#[derive(Debug, Args)]
pub struct Interfaces {
    /// The graph
    #[arg(value_name = "FILE", default_value = DEFAULT_FILE)]
    file: PathBuf,

    /// Of the last graph that was applied and confirmed instead
    #[arg(long, conflicts_with = "file")]
    confirmed: bool,
}

#[derive(Serialize)]
struct Output {
    file: String,
    interfaces: Vec<String>,
}

impl Interfaces {
    pub fn run(&self, host: &dyn Host, state: &State, json: bool) -> Result<()> {
        let graph = if self.confirmed {
            guard::confirmed(state)?
        } else {
            validate::read(&self.file)?
        };
        let output = Output {
            file: self.file.display().to_string(),
            interfaces: names(&graph, host)?,
        };
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, &output).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            output.interfaces.iter().try_for_each(|name| writeln!(out, "{name}"))?;
        }
        Ok(())
    }
}

/// What the interfaces are called now, in the file's order.
fn names(graph: &Graph, host: &dyn Host) -> Result<Vec<String>> {
    let resolved = graph.resolve(&host.interfaces()?).map_err(|error| Failure::Graph {
        error: Box::new(error),
        offline: false,
    })?;
    let name = |node: &graph::Node| match &node.kind {
        Kind::Interface(Selector::Name(name)) => Some(name.clone()),
        _ => None,
    };
    Ok(resolved.nodes().iter().filter_map(name).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use graph::NetworkInterface;

    use super::*;
    use crate::host::fake::Machine;

    fn card(name: &str, slot: u8) -> NetworkInterface {
        NetworkInterface {
            name: name.to_owned(),
            mac: format!("02:00:00:00:00:0{slot}").parse().ok(),
            factory_mac: None,
            pci: format!("pci0:0:{slot}:0").parse().ok(),
            jail: None,
        }
    }

    fn asked(nodes: &str) -> Result<Vec<String>> {
        let machine = Machine::new(vec![card("em0", 5), card("wan0", 4), card("em2", 6)]);
        let text = format!("version: 1\nnodes:\n{nodes}");
        let graph = Graph::parse(&text, Path::new("x.yaml")).unwrap();
        names(&graph, &machine)
    }

    #[test]
    fn what_is_stable_becomes_a_name() {
        let nodes = "  a: { interface: { order: 2 } }
  b: { interface: { mac: '02:00:00:00:00:05' } }
  c: { interface: em1, rename: wan0 }
  d: { type: bridge }
edges: [ a.lower -- d.link0 ]
";
        assert_eq!(asked(nodes).unwrap(), ["em2", "em0", "wan0"]);
    }

    #[test]
    fn what_is_not_there_is_told_with_its_line() {
        let failure = asked("  a: { interface: em0 }\n  b: { interface: { pci: 'pci0:9:9:9' } }\n").unwrap_err();
        let said = failure.to_string();
        assert!(said.contains("x.yaml:4:") && said.contains("pci0:9:9:9"), "{said}");
        assert_eq!(failure.status(), 71);
    }
}
