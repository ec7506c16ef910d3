//! The verbs, one file each: its arguments, which are its help text too, and what it does.

pub mod apply;
pub mod complete;
pub mod completions;
pub mod config;
pub mod confirm;
pub mod connect;
pub mod debug;
pub mod declared;
pub mod destroy;
pub mod diff;
pub mod dot;
pub mod dump;
pub mod help;
pub mod hook;
pub mod interfaces;
pub mod list;
pub mod manual;
pub mod mermaid;
pub mod mkpeer;
pub mod msg;
pub mod name;
pub mod picture;
pub mod plan;
pub mod quit;
pub mod read;
pub mod rmhook;
pub mod show;
pub mod shutdown;
pub mod status;
pub mod svg;
pub mod tap;
pub mod trace_node;
pub mod types;
pub mod validate;
pub mod watch;
pub mod write;

use netgraph::{HookName, LinkInfo, NodeInfo};
use serde::Serialize;

use crate::failure::{Failure, Result};

/// What a node without a name is called in tables.
const UNNAMED: &str = "<unnamed>";

/// What stands in ng's own tables instead of a name.
const NO_NAME: &str = "-";

/// A node in JSON. `id` is hexadecimal, as in paths.
#[derive(Serialize)]
struct NodeJson<'a> {
    name: Option<&'a str>,
    r#type: &'a str,
    id: String,
    hooks: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Vec<LinkJson<'a>>>,
}

/// A link in JSON.
#[derive(Serialize)]
struct LinkJson<'a> {
    hook: &'a str,
    peer_name: Option<&'a str>,
    peer_type: &'a str,
    peer_id: String,
    peer_hook: &'a str,
}

impl<'a> NodeJson<'a> {
    fn new(node: &'a NodeInfo, links: Option<&'a [LinkInfo]>) -> Self {
        Self {
            name: node.name.as_deref(),
            r#type: &node.type_name,
            id: format!("{:08x}", node.id.0),
            hooks: node.hooks,
            links: links.map(|links| links.iter().map(LinkJson::new).collect()),
        }
    }
}

impl<'a> LinkJson<'a> {
    fn new(link: &'a LinkInfo) -> Self {
        Self {
            hook: &link.hook,
            peer_name: link.peer.name.as_deref(),
            peer_type: &link.peer.type_name,
            peer_id: format!("{:08x}", link.peer.id.0),
            peer_hook: &link.peer_hook,
        }
    }
}

/// The line of ngctl(8) for a node.
fn node_line(node: &NodeInfo) -> String {
    format!(
        "  Name: {:<15} Type: {:<15} ID: {:08x}   Num hooks: {}",
        node.name.as_deref().unwrap_or(UNNAMED),
        node.type_name,
        node.id.0,
        node.hooks
    )
}

/// A command with fewer or more arguments than it takes.
fn miscounted(command: &str, arguments: &str, count: usize) -> Failure {
    let plural = if count == 1 { "argument makes" } else { "arguments make" };
    usage(format!(
        "{count} {plural} no `{command}`\n  hint: usage: {command} {arguments}"
    ))
}

/// A hook's name from the command line.
fn hook_name(text: &str) -> Result<HookName> {
    text.parse().map_err(usage)
}

/// A command and its arguments, which white space separates from it.
fn command_and_arguments(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (command, arguments) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (command, arguments.trim_start())
}

/// An argument that is no name or address.
fn usage(error: impl ToString) -> Failure {
    Failure::Usage(error.to_string())
}

#[cfg(test)]
mod tests;
