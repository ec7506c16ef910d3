//! `ng list`.

use clap::Args;
use netgraph::{Address, ListHooks, ListNames, ListNodes, Transport};
use serde::Serialize;

use super::{NodeJson, node_line, show};
use crate::failure::Result;
use crate::session::Session;

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
        let nodes = if self.named {
            session.request(&Address::here(), &ListNames)?
        } else {
            session.request(&Address::here(), &ListNodes)?
        };
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
            return session.print(&output, |out| {
                writeln!(out, "{heading}")?;
                let texts: Vec<String> = lists.iter().map(|list| show::text(list, true)).collect();
                write!(out, "{}", texts.join("\n"))
            });
        }
        let output = Output {
            nodes: nodes.iter().map(|node| NodeJson::new(node, None)).collect(),
        };
        session.print(&output, |out| {
            writeln!(out, "{heading}")?;
            nodes.iter().try_for_each(|node| writeln!(out, "{}", node_line(node)))
        })
    }
}
