//! `ng show`.

use std::fmt::Write as _;
use std::io::{self, Write};

use clap::Args;
use netgraph::{Address, HookList, ListHooks, Transport};

use super::{NodeJson, UNNAMED, node_line};
use crate::failure::Result;
use crate::session::Session;
use crate::table::{Style, Table};

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
        let style = session.style;
        session.print(&output, |out| write(out, &list, !self.no_hooks, style))
    }
}

/// The node, and its hooks if they are wanted.
pub(super) fn write(out: &mut dyn Write, list: &HookList, hooks: bool, style: Style) -> io::Result<()> {
    if style == Style::Plain {
        return write!(out, "{}", text(list, hooks));
    }
    let node = &list.node;
    let name = style.strong(&node.label());
    let plural = if node.hooks == 1 { "" } else { "s" };
    writeln!(
        out,
        "{name} {} {}, {} hook{plural}",
        node.type_name, node.id, node.hooks
    )?;
    if !hooks || list.links.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["HOOK", "PEER", "TYPE", "PEER HOOK"]);
    for link in &list.links {
        let (peer, kind) = (link.peer.label(), link.peer.type_name.clone());
        table.row([link.hook.clone(), peer, kind, link.peer_hook.clone()]);
    }
    table.write(out, style)
}

/// The node as ngctl(8) shows it.
fn text(list: &HookList, hooks: bool) -> String {
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
