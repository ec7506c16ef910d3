//! `ng apply`.

use std::path::{Path, PathBuf};

use clap::Args;
use graph::{Action, End, Graph, Kind, Origin, plan};
use netgraph::{Address, Connect, HookName, ListTypes, MakePeer, Message, Name, RemoveHook, Shutdown, Transport};
use serde::Serialize;

use super::validate::{self, DEFAULT_FILE};
use crate::explain;
use crate::failure::{Failure, Result};
use crate::live;
use crate::session::Session;

/// Make the live graph what a file declares
///
/// Makes the nodes and edges that are missing and sends the nodes' messages. What is there already stays untouched, so
/// applying twice changes nothing; what is there beyond the file is left alone. A `set...` message is not sent when the
/// answer to the node's `get...` shows that nothing would change; other messages are sent to the nodes that are made, and
/// to interfaces each time. When something fails, the line that asked for it is shown, and what was done until then stays.
#[derive(Debug, Args)]
pub struct Apply {
    /// The graph
    #[arg(value_name = "FILE", default_value = DEFAULT_FILE)]
    file: PathBuf,

    /// Only say what would be done; exit with 1 when there is something
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Output {
    file: String,
    dry_run: bool,
    changed: usize,
    actions: Vec<Done>,
}

/// An action; `changed` is false when the node was found in that state already.
#[derive(Serialize)]
struct Done {
    line: Option<usize>,
    action: String,
    changed: bool,
}

impl Apply {
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
        load_ether(session, graph)?;
        let live = live::snapshot(session, graph)?;
        let plan = plan(graph, &live).map_err(refused)?;
        // Finding a line takes a reading of the file, so it is done for those who see it only.
        let with_lines = session.json;
        let mut work = Work {
            session,
            graph,
            dry_run: self.dry_run,
        };
        let mut actions = Vec::new();
        for (origin, action) in &plan.actions {
            let changed = work
                .act(action)
                .map_err(|failure| work.locate(*origin, action, failure))?;
            actions.push(Done {
                line: with_lines
                    .then(|| graph.position(*origin))
                    .flatten()
                    .map(|position| position.line),
                action: work.told(action),
                changed,
            });
        }
        self.print(session, actions)
    }

    fn print<T: Transport>(&self, session: &mut Session<T>, actions: Vec<Done>) -> Result<()> {
        let output = Output {
            file: self.file.display().to_string(),
            dry_run: self.dry_run,
            changed: actions.iter().filter(|done| done.changed).count(),
            actions,
        };
        session.print(&output, |out| {
            for done in output.actions.iter().filter(|done| done.changed) {
                writeln!(out, "{}", done.action)?;
            }
            match output.changed {
                0 => writeln!(out, "the graph is as {} declares it", output.file),
                _ => Ok(()),
            }
        })?;
        if self.dry_run && output.changed > 0 {
            return Err(Failure::Different);
        }
        Ok(())
    }
}

/// The nodes of interfaces come with the module ng_ether.
fn load_ether<T: Transport>(session: &mut Session<T>, graph: &Graph) -> Result<()> {
    let wanted = graph.nodes().iter().any(|node| matches!(node.kind, Kind::Interface(_)));
    let types = session.request(&Address::here(), &ListTypes)?;
    if wanted && !types.iter().any(|kind| kind.name == "ether") {
        session.socket.load_module("ng_ether")?;
    }
    Ok(())
}

fn refused(error: graph::Error) -> Failure {
    Failure::Graph {
        error: Box::new(error),
        offline: false,
    }
}

/// Carries out a plan.
struct Work<'a, T: Transport> {
    session: &'a mut Session<T>,
    graph: &'a Graph,
    dry_run: bool,
}

impl<T: Transport> Work<'_, T> {
    /// Does one thing; tells whether it changed anything.
    fn act(&mut self, action: &Action) -> Result<bool> {
        if let Action::Send { node, message, made } = action {
            return self.send(*node, *message, *made);
        }
        if self.dry_run {
            return Ok(true);
        }
        match action {
            Action::Make { at, new } => self.make(&self.address(at), &at.hook, new)?,
            Action::MakeAlone { new } => self.make(&Address::here(), &own_hook(new)?, new)?,
            Action::Release { end } => self
                .session
                .request(&self.address(end), &RemoveHook(end.hook.clone()))?,
            Action::Connect { left, right } => self.connect(left, right)?,
            Action::Send { .. } => {}
        }
        Ok(true)
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
        let named = self.session.request(&made, &Name(node.name.clone()));
        if named.is_err() {
            let _ = self.session.socket.request(&made, &Shutdown);
        }
        named
    }

    fn connect(&mut self, left: &End, right: &End) -> Result<()> {
        let at = self.address(left);
        let request = Connect {
            peer: self.address(right),
            hook: left.hook.clone(),
            peer_hook: right.hook.clone(),
        };
        let result = self.session.socket.request(&at, &request);
        result.map_err(|error| super::connect::explain(self.session, &at, &request, error))
    }

    /// Sends a message of a node unless it would change nothing; tells whether it was sent.
    fn send(&mut self, node: usize, message: usize, made: bool) -> Result<bool> {
        let declared = &self.graph.nodes()[node];
        let (command, arguments) = &declared.messages[message];
        if self.dry_run && made {
            return Ok(true);
        }
        let address = declared.address();
        let binary = self.session.socket.to_binary(&address, command, arguments);
        let binary = binary.map_err(|error| explain::refusal(&mut self.session.socket, error))?;
        if !made {
            match self.current(&address, command) {
                Some(current) if current == binary.data => return Ok(false),
                None if matches!(declared.kind, Kind::Type(_)) => return Ok(false),
                _ => {}
            }
        }
        if !self.dry_run {
            let sent = self.session.socket.send(&address, binary);
            sent.map_err(|error| explain::refusal(&mut self.session.socket, error))?;
        }
        Ok(true)
    }

    /// What the node answers to the `get...` that belongs to a `set...`; None when there is no such pair.
    fn current(&mut self, address: &Address, command: &str) -> Option<Vec<u8>> {
        let getter = format!("get{}", command.strip_prefix("set")?);
        let answer = self.session.socket.command(address, &getter, "").ok()??;
        let Message { data, .. } = answer.message;
        Some(data)
    }

    /// Puts the line of the file to a failure: that of the action, or of the node whose type cannot be had.
    fn locate(&mut self, origin: Origin, action: &Action, failure: Failure) -> Failure {
        let Failure::Netgraph { error, mut hints } = failure else {
            return failure;
        };
        let mut origin = origin;
        if let Action::Make { new, .. } | Action::MakeAlone { new } = action {
            let kind = self.graph.nodes()[new.node].type_name();
            if let Some(hint) = explain::missing_type(&mut self.session.socket, kind) {
                origin = Origin::Node(new.node);
                hints = vec![hint];
            }
        }
        let hint = (!hints.is_empty()).then(|| hints.join("; "));
        refused(self.graph.error(origin, error.to_string(), hint))
    }

    /// An action in words.
    fn told(&self, action: &Action) -> String {
        let end = |end: &End| self.graph.end(end);
        match action {
            Action::Make { at, new } => {
                let kind = self.graph.nodes()[new.node].type_name();
                format!("make {} ({kind}) at {}", end(new), end(at))
            }
            Action::MakeAlone { new } => {
                format!("make {} ({})", end(new), self.graph.nodes()[new.node].type_name())
            }
            Action::Release { end: held } => format!("release {}", end(held)),
            Action::Connect { left, right } => format!("connect {} -- {}", end(left), end(right)),
            Action::Send { node, message, .. } => {
                let node = &self.graph.nodes()[*node];
                let (command, arguments) = &node.messages[*message];
                format!("send {} {command} {arguments}", node.name)
                    .trim_end()
                    .to_owned()
            }
        }
    }
}

/// A hook of our own node that leads to a node while it is being made.
fn own_hook(new: &End) -> Result<HookName> {
    Ok(format!("new{}", new.node).parse().map_err(netgraph::Error::from)?)
}
