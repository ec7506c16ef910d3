//! `ng list`.

use clap::Args;
use netgraph::{Address, ListHooks, ListNames, ListNodes, NodeInfo, Transport};
use serde::Serialize;

use super::{NO_NAME, NodeJson, node_line, show};
use crate::failure::Result;
use crate::session::Session;
use crate::table::{Style, Table};

/// List all nodes
#[derive(Debug, Args)]
pub struct List {
    /// Only nodes that have a name
    #[arg(short = 'n')]
    named: bool,

    /// The hooks of each node, too
    #[arg(short = 'l')]
    long: bool,
}

#[derive(Serialize)]
struct Output<'a> {
    nodes: Vec<NodeJson<'a>>,
}

impl List {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let mut nodes = if self.named {
            session.request(&Address::here(), &ListNames)?
        } else {
            session.request(&Address::here(), &ListNodes)?
        };
        // The kernel's order is that of its tables; in this one, what was made last comes last.
        nodes.sort_by_key(|node| node.id);
        let heading = format!(
            "There are {} total {}nodes:",
            nodes.len(),
            if self.named { "named " } else { "" }
        );
        if self.long {
            // Nodes that went meanwhile are left out.
            let lists = nodes
                .iter()
                .filter_map(|node| session.socket.request(&node.address(), &ListHooks).ok());
            let lists: Vec<_> = lists.collect();
            let nodes = lists.iter().map(|list| NodeJson::new(&list.node, Some(&list.links)));
            let output = Output { nodes: nodes.collect() };
            let style = session.style;
            return session.print(&output, |out| {
                if style == Style::Plain {
                    writeln!(out, "{heading}")?;
                }
                for (place, list) in lists.iter().enumerate() {
                    write!(out, "{}", if place == 0 { "" } else { "\n" })?;
                    show::write(out, list, true, style)?;
                }
                Ok(())
            });
        }
        let output = Output {
            nodes: nodes.iter().map(|node| NodeJson::new(node, None)).collect(),
        };
        let style = session.style;
        session.print(&output, |out| match style {
            Style::Plain => {
                writeln!(out, "{heading}")?;
                nodes.iter().try_for_each(|node| writeln!(out, "{}", node_line(node)))
            }
            style => table(&nodes).write(out, style),
        })
    }
}

fn table(nodes: &[NodeInfo]) -> Table {
    let mut table = Table::new(&["NAME", "TYPE", "ID", "HOOKS"]);
    for node in nodes {
        let name = node.name.as_deref().unwrap_or(NO_NAME).to_owned();
        let (id, hooks) = (node.id.to_string(), node.hooks.to_string());
        table.row([name, node.type_name.clone(), id, hooks]);
    }
    table
}
