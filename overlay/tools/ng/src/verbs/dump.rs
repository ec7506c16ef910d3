//! `ng dump`.

use clap::Args;
use graph::{Dump as Yaml, catalog};
use netgraph::{NodeId, Transport};
use serde::Serialize;

use crate::failure::Result;
use crate::live;
use crate::session::Session;

/// Write the live graph as a file that declares it
///
/// Applying that file to the live graph changes nothing but that nodes without a name get one. What the nodes of known
/// types are set to is part of it where it is not what new nodes have. Sockets belong to processes and are left out.
#[derive(Debug, Args)]
pub struct Dump {
    /// Only what ng made
    #[arg(long)]
    own: bool,
}

#[derive(Serialize)]
struct Output {
    yaml: String,
}

impl Dump {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let snapshot = live::everything(session)?;
        let record = if self.own {
            let instance = session.host.instance()?;
            Some(session.state.record(&instance)?)
        } else {
            None
        };
        let names: Vec<String> = record
            .iter()
            .flat_map(graph::Record::names)
            .map(str::to_owned)
            .collect();
        let is_wanted =
            |node: &graph::LiveNode| record.is_none() || node.name.as_ref().is_some_and(|name| names.contains(name));
        let mut dump = Yaml::of(&snapshot, &is_wanted);
        add_interfaces(session, &mut dump);
        add_settings(session, &mut dump);
        let output = Output { yaml: dump.to_yaml() };
        session.print(&output, |out| write!(out, "{}", output.yaml))
    }
}

/// Asks the nodes of interfaces what those are called, where it is not what the nodes are: no node has a `.` in its name.
fn add_interfaces<T: Transport>(session: &mut Session<T>, dump: &mut Yaml) {
    let nodes: Vec<(NodeId, String)> = dump
        .nodes()
        .filter(|(_, name, kind)| *kind == "ether" && name.contains('_'))
        .map(|(id, name, _)| (id, name.to_owned()))
        .collect();
    for (id, name) in nodes {
        let interface = ask(session, id, "getifname").map(|words| words.trim_matches('"').to_owned());
        if let Some(interface) = interface.filter(|interface| *interface != name) {
            dump.name_interface(id, &interface);
        }
    }
}

/// Asks the nodes of known types what they are set to.
fn add_settings<T: Transport>(session: &mut Session<T>, dump: &mut Yaml) {
    let nodes: Vec<(NodeId, String, String)> = dump
        .nodes()
        .map(|(id, name, kind)| (id, name.to_owned(), kind.to_owned()))
        .collect();
    for (id, name, kind) in nodes {
        let settings = catalog::find(&kind).map_or(&[][..], |kind| kind.settings);
        for setting in settings.iter().filter(|setting| setting.key.is_none()) {
            match ask(session, id, setting.get) {
                Some(words) if Some(words.as_str()) != setting.default => dump.tell(&name, setting.set, &words),
                _ => {}
            }
        }
    }
}

/// The answer to a message without arguments, in words; None when there is none.
fn ask<T: Transport>(session: &mut Session<T>, node: NodeId, command: &str) -> Option<String> {
    let address = node.into();
    let answer = session.socket.command(&address, command, "").ok()??.message;
    let (_, words) = session.socket.to_ascii(&address, &answer).ok()?;
    Some(words.trim().to_owned())
}
