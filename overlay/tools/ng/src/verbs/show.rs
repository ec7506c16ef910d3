//! `ng show`.

use std::fmt::Write as _;

use clap::Args;
use netgraph::{Address, HookList, ListHooks, Transport};

use super::{NodeJson, UNNAMED, node_line};
use crate::failure::Result;
use crate::session::Session;

/// Show a node and where its hooks lead
#[derive(Debug, Args)]
pub struct Show {
    /// Leave out the hooks
    #[arg(short = 'n')]
    no_hooks: bool,

    /// The node
    path: Address,
}

impl Show {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let list = session.request(&self.path, &ListHooks)?;
        let links = (!self.no_hooks).then_some(list.links.as_slice());
        let output = NodeJson::new(&list.node, links);
        session.print(&output, |out| write!(out, "{}", text(&list, !self.no_hooks)))
    }
}

/// The node as ngctl(8) shows it.
pub(super) fn text(list: &HookList, hooks: bool) -> String {
    let mut text = node_line(&list.node) + "\n";
    if !hooks || list.links.is_empty() {
        return text;
    }
    let mut row = |hook: &str, name: &str, kind: &str, id: &str, peer_hook: &str| {
        let _ = writeln!(text, "  {hook:<15} {name:<15} {kind:<12} {id:<15} {peer_hook:<15}");
    };
    row("Local hook", "Peer name", "Peer type", "Peer ID", "Peer hook");
    row("----------", "---------", "---------", "-------", "---------");
    for link in &list.links {
        let name = link.peer.name.as_deref().unwrap_or(UNNAMED);
        let id = format!("{:08x}", link.peer.id.0);
        row(&link.hook, name, &link.peer.type_name, &id, &link.peer_hook);
    }
    text
}
