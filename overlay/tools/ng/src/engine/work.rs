//! Carries out a plan, action by action.

use std::collections::HashMap;

use graph::{Action, End, Graph, LiveEnd, Origin, Told};
use netgraph::{
    Address, Connect, Errno, GetNodeInfo, HookName, MakePeer, Name, NodeId, RemoveHook, Shutdown, Transport,
};

use super::{Change, Need, Signals, refused};
use crate::explain;
use crate::failure::{Failure, Result};
use crate::session::Session;
use crate::verbs::connect;

/// A setting as it was before it was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The node's name in netgraph.
    pub node: String,
    /// The command that sets it, and its arguments in words.
    pub message: (String, String),
}

/// A plan being carried out.
pub struct Work<'a, T: Transport> {
    /// What the names of our own hooks begin with: another plan of this process may have left some.
    prefix: &'static str,
    pub(super) session: &'a mut Session<T>,
    pub(super) graph: &'a Graph,
    changes: Vec<Change>,
    pub(super) replaced: Vec<Replaced>,
    /// Of the nodes that would be made or named by now: where they are; None where they are not.
    ahead: HashMap<usize, Option<NodeId>>,
}

impl<'a, T: Transport> Work<'a, T> {
    pub fn new(session: &'a mut Session<T>, graph: &'a Graph) -> Self {
        Self {
            prefix: "new",
            session,
            graph,
            changes: Vec::new(),
            replaced: Vec::new(),
            ahead: HashMap::new(),
        }
    }

    /// One that takes back what another one did.
    pub fn taking_back(session: &'a mut Session<T>, graph: &'a Graph) -> Self {
        Self {
            prefix: "old",
            ..Self::new(session, graph)
        }
    }

    /// What was changed, and which settings were replaced.
    pub fn into_parts(self) -> (Vec<Change>, Vec<Replaced>) {
        (self.changes, self.replaced)
    }

    /// Does everything, until something fails.
    pub fn carry_out(&mut self, actions: Vec<(Option<Origin>, Action)>, signals: &Signals) -> Result<()> {
        for (origin, action) in actions {
            signals.check()?;
            let done = self.act(&action);
            let need = done.map_err(|failure| self.locate(origin, &action, failure))?;
            if let Need::Change(now) = need {
                self.changes.push(Change { origin, action, now });
            }
        }
        Ok(())
    }

    /// Whether an action would change anything, as far as can be told beforehand; to be asked of each in turn.
    pub fn would_change(&mut self, action: &Action) -> Result<Need> {
        let node = match action {
            Action::Make { new, .. } | Action::MakeAlone { new } => self.ahead.insert(new.node, None).and(None),
            Action::Adopt { id, node } => self.ahead.insert(*node, Some(*id)).and(None),
            Action::SetMac { node } | Action::Rename { node } => Some(*node),
            Action::MoveToJail { node } | Action::Send { node, .. } => Some(*node),
            _ => None,
        };
        match (node, action) {
            (Some(node), _) if self.ahead.get(&node) == Some(&None) => Ok(Need::Change(None)),
            (_, Action::Send { told: Told::Fresh, .. }) => Ok(Need::Change(None)),
            (_, Action::Send { node, message, told }) => Ok(self.message(*node, *message, *told)?.need),
            (_, Action::SetMac { node }) => self.mac(*node),
            (_, Action::Rename { node }) => self.name(*node),
            (_, Action::MoveToJail { node }) => self.jail(*node),
            _ => Ok(Need::Change(None)),
        }
    }

    /// Where a node is that is there.
    pub(super) fn address_of(&self, node: usize) -> Address {
        match self.ahead.get(&node) {
            Some(Some(id)) => (*id).into(),
            _ => self.graph.nodes()[node].address(),
        }
    }

    fn act(&mut self, action: &Action) -> Result<Need> {
        match action {
            Action::Adopt { id, node } => self.name_node(&(*id).into(), *node)?,
            Action::Hold { end } => self.hold(end)?,
            Action::Disconnect { left, right, tapped } => self.disconnect(left, right, *tapped)?,
            Action::Remove { id, .. } => self.remove(&(*id).into())?,
            Action::Make { at, new } => self.make(&self.address(at), &at.hook, new)?,
            Action::MakeAlone { new } => self.make(&Address::here(), &self.own_hook(new)?, new)?,
            Action::Release { end } => self.release(end)?,
            Action::Connect { left, right } => self.connect(left, right)?,
            Action::SetMac { node } => return self.set_mac(*node),
            Action::Rename { node } => return self.rename(*node),
            Action::MoveToJail { node } => return self.move_to_jail(*node),
            Action::Send { node, message, told } => return self.send(*node, *message, *told),
        }
        Ok(Need::Change(None))
    }

    fn address(&self, end: &End) -> Address {
        self.graph.nodes()[end.node].address()
    }

    /// Makes a node at a hook and names it; one that cannot be named is taken away again.
    fn make(&mut self, at: &Address, hook: &HookName, new: &End) -> Result<()> {
        let node = &self.graph.nodes()[new.node];
        let request = MakePeer {
            type_name: node.type_name().parse().map_err(netgraph::Error::from)?,
            hook: hook.clone(),
            peer_hook: new.hook.clone(),
        };
        self.session.request(at, &request)?;
        let made = at.beyond(hook).map_err(netgraph::Error::from)?;
        let named = self.name_node(&made, new.node);
        if named.is_err() {
            let _ = self.session.socket.request(&made, &Shutdown);
        }
        named
    }

    fn name_node(&mut self, at: &Address, node: usize) -> Result<()> {
        let name = self.graph.nodes()[node].name.clone();
        self.session.request(at, &Name(name))
    }

    fn hold(&mut self, end: &End) -> Result<()> {
        let request = Connect {
            peer: self.address(end),
            hook: self.own_hook(end)?,
            peer_hook: end.hook.clone(),
        };
        self.session.request(&Address::here(), &request)
    }

    fn release(&mut self, end: &End) -> Result<()> {
        let hook = self.own_hook(end)?;
        self.session.request(&Address::here(), &RemoveHook(hook))
    }

    /// A hook of our own node that leads to a node while it is being made or held.
    fn own_hook(&self, end: &End) -> Result<HookName> {
        let name = format!("{}{}", self.prefix, end.node);
        Ok(name.parse().map_err(netgraph::Error::from)?)
    }

    fn connect(&mut self, left: &End, right: &End) -> Result<()> {
        let at = self.address(left);
        let request = Connect {
            peer: self.address(right),
            hook: left.hook.clone(),
            peer_hook: right.hook.clone(),
        };
        let result = self.session.socket.request(&at, &request);
        result.map_err(|error| connect::explain(self.session, &at, &request, error))
    }

    fn disconnect(&mut self, left: &LiveEnd, right: &LiveEnd, tapped: bool) -> Result<()> {
        self.break_link(left)?;
        if tapped {
            self.break_link(right)?;
        }
        Ok(())
    }

    /// A node that is gone has no links.
    fn break_link(&mut self, end: &LiveEnd) -> Result<()> {
        let hook: HookName = end.hook.parse().map_err(netgraph::Error::from)?;
        let node = end.node.into();
        let result = self.session.socket.request(&node, &RemoveHook(hook));
        self.unless_gone(&node, result)
    }

    fn remove(&mut self, node: &Address) -> Result<()> {
        let result = self.session.socket.request(node, &Shutdown);
        self.unless_gone(node, result)
    }

    /// A node that is gone has done what was wanted; one that is just going says EINVAL.
    fn unless_gone(&mut self, node: &Address, result: netgraph::Result<()>) -> Result<()> {
        match result {
            Err(error) if matches!(error.errno(), Some(Errno::ENOENT | Errno::EINVAL)) => {
                let is_there = self.session.socket.request(node, &GetNodeInfo).is_ok();
                if is_there { Err(error.into()) } else { Ok(()) }
            }
            result => result.map_err(|error| explain::refusal(&mut self.session.socket, error)),
        }
    }

    /// Puts the line of the file to a failure: that of the action, or of the node whose type cannot be had.
    pub fn locate(&mut self, origin: Option<Origin>, action: &Action, failure: Failure) -> Failure {
        let Failure::Netgraph { error, mut hints } = failure else {
            return failure;
        };
        let mut origin = origin;
        if let Action::Make { new, .. } | Action::MakeAlone { new } = action {
            let kind = self.graph.nodes()[new.node].type_name();
            if let Some(hint) = explain::missing_type(&mut self.session.socket, kind) {
                origin = Some(Origin::Node(new.node));
                hints = vec![hint];
            }
        }
        let Some(origin) = origin else {
            return Failure::Netgraph { error, hints };
        };
        let hint = (!hints.is_empty()).then(|| hints.join("; "));
        refused(self.graph.error(origin, error.to_string(), hint))
    }
}
