//! Makes the live graph what a file declares: plans, carries the plan out, and takes it back when it fails.
//!
//! What is made is remembered before it is made ([`graph::Record`]), so that a process that is killed at any moment leaves
//! nothing that the next one would not recognise as its own.

use std::borrow::Cow;

use graph::{Action, Graph, Kind, Origin, Record, Selector};
use netgraph::{Address, ListNodes, ListTypes, NodeInfo, Transport};
use rustc_hash::FxHashMap;

use crate::failure::{Failure, Result};
use crate::live;
use crate::session::Session;
use crate::state::State;

mod before;
mod machine;
mod messages;
mod signals;
mod told;
mod work;

pub use signals::Signals;
pub use told::{Report, difference};

use before::Before;
use work::Work;

/// Something that is, or would be, done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What in the file asks for it.
    pub origin: Option<Origin>,
    /// What it is.
    pub action: Action,
    /// What there is in its place now, in words, where that is known.
    pub now: Option<String>,
}

/// Whether an action would change anything.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    /// It is as it is to be.
    Nothing,
    /// It would, in place of this, where that is known.
    Change(Option<String>),
}

/// What an apply did, or a plan would do.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was, or would be, changed.
    pub changes: Vec<Change>,
    /// How many declared nodes and edges were as declared already.
    pub kept: (usize, usize),
}

/// A declared graph, and the live one that it is for.
pub struct Engine<'a, T: Transport> {
    session: &'a mut Session<T>,
    state: &'a State,
    instance: String,
}

impl<'a, T: Transport> Engine<'a, T> {
    /// Works on the session's kernel.
    pub fn new(session: &'a mut Session<T>, state: &'a State) -> Result<Self> {
        let instance = session.host.instance()?;
        Ok(Self {
            session,
            state,
            instance,
        })
    }

    /// What was made before, in this life of the kernel's graph.
    pub fn record(&self) -> Result<Record> {
        self.state.record(&self.instance)
    }

    /// What applying the graph would change. Nothing is touched.
    pub fn preview(&mut self, declared: &Graph) -> Result<Outcome> {
        let graph = self.resolve(declared)?;
        let record = self.record()?;
        let snapshot = live::snapshot(self.session, &graph, &record)?;
        let plan = graph::plan(&graph, &snapshot, &record).map_err(refused)?;
        let mut changes = self.interfaces_to_rename(&graph)?;
        let mut work = Work::new(self.session, &graph);
        for (origin, action) in plan.actions {
            let result = work.would_change(&action);
            match result.map_err(|failure| work.locate(origin, &action, failure))? {
                Need::Nothing => {}
                Need::Change(now) => changes.push(Change { origin, action, now }),
            }
        }
        let kept = plan.kept;
        Ok(Outcome { changes, kept })
    }

    /// Makes the live graph what is declared. When that fails, it is made what it was before.
    pub fn apply(&mut self, declared: &Graph, signals: &Signals) -> Result<Outcome> {
        self.load_ether(declared)?;
        let renamed = self.rename_interfaces(declared)?;
        let result = self.apply_renamed(declared, signals);
        if result.is_err() {
            self.rename_back(declared, &renamed);
        }
        result.map(|mut outcome| {
            outcome.changes.splice(0..0, renamed);
            outcome
        })
    }

    /// The same once the interfaces have the names that they are to have.
    fn apply_renamed(&mut self, declared: &Graph, signals: &Signals) -> Result<Outcome> {
        let graph = self.resolve(declared)?;
        let record = self.record()?;
        let snapshot = live::snapshot(self.session, &graph, &record)?;
        let plan = graph::plan(&graph, &snapshot, &record).map_err(refused)?;
        let intent = plan.intent(&graph, &record);
        let is_changing = intent != record;
        if is_changing {
            self.state.write_record(&self.instance, &intent)?;
        }
        let mut work = Work::new(self.session, &graph);
        let result = work.carry_out(plan.actions, signals);
        let (changes, replaced) = work.into_parts();
        match result.and_then(|()| self.verified(&graph)) {
            Ok(nodes) => {
                let mut done = intent.reduced_to(&graph);
                done.identify(&nodes);
                if is_changing || done != record {
                    self.state.write_record(&self.instance, &done)?;
                }
            }
            Err(failure) => {
                let before = Before::new(&snapshot, &graph, &record, replaced);
                return Err(self.take_back(failure, before, &intent));
            }
        }
        let kept = plan.kept;
        Ok(Outcome { changes, kept })
    }

    /// All nodes once a plan was carried out; one that is not there, or has fewer hooks than are declared, is an error.
    fn verified(&mut self, graph: &Graph) -> Result<Vec<NodeInfo>> {
        let nodes = self.session.request(&Address::here(), &ListNodes)?;
        let live: FxHashMap<&str, &NodeInfo> = nodes
            .iter()
            .filter_map(|node| Some((node.name.as_deref()?, node)))
            .collect();
        let mut hooks = vec![0; graph.nodes().len()];
        for end in graph.edges().iter().flat_map(|edge| [&edge.left, &edge.right]) {
            hooks[end.node] += 1;
        }
        for (index, node) in graph.nodes().iter().enumerate() {
            let found = live
                .get(node.live_name().as_ref())
                .filter(|live| live.hooks >= hooks[index]);
            if found.is_none() {
                let message = format!(
                    "`{}` lost a link or went away while the graph was being made",
                    node.name
                );
                let hint = "is somebody else changing it, or does its type take fewer links?".to_owned();
                return Err(refused(graph.error(Origin::Node(index), message, Some(hint))));
            }
        }
        Ok(nodes)
    }

    /// Makes the graph what it was before an apply that failed.
    fn take_back(&mut self, failure: Failure, before: Before, intent: &Record) -> Failure {
        let rollback = match self.restore(before, intent) {
            Ok(()) => "the graph is as it was before".to_owned(),
            Err(error) => format!("the graph could not be made what it was before: {error}"),
        };
        let failure = Box::new(failure);
        Failure::Undone { failure, rollback }
    }

    fn restore(&mut self, before: Before, intent: &Record) -> Result<()> {
        let graph = before.graph();
        let snapshot = live::snapshot(self.session, &graph, intent)?;
        let plan = graph::plan(&graph, &snapshot, intent).map_err(refused)?;
        self.state.write_record(&self.instance, &plan.intent(&graph, intent))?;
        let mut work = Work::taking_back(self.session, &graph);
        work.carry_out(plan.actions, &Signals::ignored())?;
        let mut record = before.into_record();
        record.identify(&self.session.request(&Address::here(), &ListNodes)?);
        self.state.write_record(&self.instance, &record)
    }

    /// The nodes of interfaces come with the module ng_ether.
    fn load_ether(&mut self, graph: &Graph) -> Result<()> {
        let wanted = graph.nodes().iter().any(|node| matches!(node.kind, Kind::Interface(_)));
        if !wanted {
            return Ok(());
        }
        let types = self.session.request(&Address::here(), &ListTypes)?;
        if !types.iter().any(|kind| kind.name == "ether") {
            self.session.socket.load_module("ng_ether")?;
        }
        Ok(())
    }

    /// The graph with its interfaces by name, as they are called now.
    fn resolve<'g>(&mut self, graph: &'g Graph) -> Result<Cow<'g, Graph>> {
        let by_name = |node: &graph::Node| match &node.kind {
            Kind::Interface(selector) => matches!(selector, Selector::Name(_)) && node.rename.is_none(),
            Kind::Type(_) => true,
        };
        if graph.nodes().iter().all(by_name) {
            return Ok(Cow::Borrowed(graph));
        }
        let interfaces = self.session.host.interfaces()?;
        graph.resolve(&interfaces).map(Cow::Owned).map_err(refused)
    }
}

fn refused(error: graph::Error) -> Failure {
    Failure::Graph {
        error: Box::new(error),
        offline: false,
    }
}

#[cfg(all(test, not(target_os = "freebsd")))]
mod tests;
