//! What declared nodes want of their network interfaces: hardware address, name, jail.

use graph::{Action, Graph, Kind, NetworkInterface, Node, Origin};
use netgraph::Transport;

use super::work::Work;
use super::{Change, Engine, Need, refused};
use crate::failure::{Failure, Result};

impl<T: Transport> Engine<'_, T> {
    /// The interfaces that are to have another name than they have.
    pub(super) fn interfaces_to_rename(&mut self, graph: &Graph) -> Result<Vec<Change>> {
        let resolved = self.resolve(graph)?;
        let nodes = resolved.nodes().iter().enumerate();
        let changes = nodes.filter_map(|(node, declared)| {
            let (current, wanted) = (interface_of(declared)?, declared.rename.as_deref()?);
            (current != wanted).then(|| Change {
                origin: Some(Origin::Node(node)),
                action: Action::Rename { node },
                now: Some(current.to_owned()),
            })
        });
        Ok(changes.collect())
    }

    /// Renames them. Their nodes get the new names as well, so this comes before everything else.
    pub(super) fn rename_interfaces(&mut self, graph: &Graph) -> Result<Vec<Change>> {
        let changes = self.interfaces_to_rename(graph)?;
        for change in &changes {
            let Action::Rename { node } = change.action else {
                continue;
            };
            let wanted = graph.nodes()[node].rename.as_deref().unwrap_or_default();
            let current = change.now.as_deref().unwrap_or_default();
            let renamed = self.session.host.rename(current, wanted);
            renamed.map_err(|failure| at_node(graph, node, &failure))?;
        }
        Ok(changes)
    }

    /// Gives them the names back that they had, as far as that can be done.
    pub(super) fn rename_back(&mut self, graph: &Graph, changes: &[Change]) {
        for change in changes.iter().rev() {
            let (Action::Rename { node }, Some(before)) = (&change.action, &change.now) else {
                continue;
            };
            let name = graph.nodes()[*node].rename.as_deref().unwrap_or_default();
            if let Err(failure) = self.session.host.rename(name, before) {
                self.session
                    .note(&format!("the interface {name} keeps its new name: {failure}"));
            }
        }
    }
}

impl<T: Transport> Work<'_, T> {
    /// The interface that belongs to a declared node.
    fn interface(&mut self, node: usize) -> Result<String> {
        let declared = &self.graph.nodes()[node];
        if let Some(name) = interface_of(declared) {
            return Ok(name.to_owned());
        }
        let address = self.address_of(node);
        let answer = self.session.socket.command(&address, "getifname", "");
        let words = match answer {
            Ok(Some(answer)) => self
                .session
                .socket
                .to_ascii(&address, &answer.message)
                .map(|(_, words)| words),
            Ok(None) => Ok(String::new()),
            Err(error) => Err(error),
        };
        let words = words.map_err(|error| at_node(self.graph, node, &error.into()))?;
        Ok(words.trim().trim_matches('"').to_owned())
    }

    fn described(&mut self, node: usize) -> Result<Option<NetworkInterface>> {
        let name = self.interface(node)?;
        let jail = self.graph.nodes()[node].jail.clone();
        let here = self.session.host.interfaces()?.into_iter().find(|one| one.name == name);
        match (here, jail) {
            (None, Some(jail)) => self.session.host.in_jail(&name, &jail),
            (here, _) => Ok(here),
        }
    }

    pub(super) fn mac(&mut self, node: usize) -> Result<Need> {
        let wanted = self.graph.nodes()[node].mac;
        let current = self.described(node)?.and_then(|interface| interface.mac);
        Ok(match current {
            _ if wanted == current => Need::Nothing,
            current => Need::Change(current.map(|mac| mac.to_string())),
        })
    }

    pub(super) fn set_mac(&mut self, node: usize) -> Result<Need> {
        let need = self.mac(node)?;
        if let (Need::Change(_), Some(mac)) = (&need, self.graph.nodes()[node].mac) {
            let interface = self.interface(node)?;
            let set = self.session.host.set_mac(&interface, mac);
            set.map_err(|failure| at_node(self.graph, node, &failure))?;
        }
        Ok(need)
    }

    pub(super) fn name(&mut self, node: usize) -> Result<Need> {
        let current = self.interface(node)?;
        let wanted = self.graph.nodes()[node].rename.as_deref();
        Ok(if wanted == Some(current.as_str()) {
            Need::Nothing
        } else {
            Need::Change(Some(current))
        })
    }

    pub(super) fn rename(&mut self, node: usize) -> Result<Need> {
        let need = self.name(node)?;
        if let (Need::Change(Some(current)), Some(name)) = (&need, &self.graph.nodes()[node].rename) {
            let renamed = self.session.host.rename(current, name);
            renamed.map_err(|failure| at_node(self.graph, node, &failure))?;
        }
        Ok(need)
    }

    pub(super) fn jail(&mut self, node: usize) -> Result<Need> {
        let interface = self.interface(node)?;
        let jail = self.graph.nodes()[node].jail.clone().unwrap_or_default();
        let inside = self.session.host.in_jail(&interface, &jail);
        let inside = inside.map_err(|failure| at_node(self.graph, node, &failure))?;
        Ok(inside.map_or(Need::Change(None), |_| Need::Nothing))
    }

    pub(super) fn move_to_jail(&mut self, node: usize) -> Result<Need> {
        let need = self.jail(node)?;
        if let (Need::Change(_), Some(jail)) = (&need, self.graph.nodes()[node].jail.clone()) {
            let interface = self.interface(node)?;
            let moved = self.session.host.move_to_jail(&interface, &jail);
            moved.map_err(|failure| at_node(self.graph, node, &failure))?;
        }
        Ok(need)
    }
}

/// The interface that a node stands for.
fn interface_of(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Interface(graph::Selector::Name(name)) => Some(name),
        _ => None,
    }
}

/// Puts the line of the node to what went wrong with its interface.
fn at_node(graph: &Graph, node: usize, failure: &Failure) -> Failure {
    refused(graph.error(Origin::Node(node), failure.to_string(), None))
}
