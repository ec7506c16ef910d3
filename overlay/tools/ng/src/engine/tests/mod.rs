//! Graphs applied to the hosted kernel: generated ones, edited ones, and applies that are killed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use graph::{Dump, Graph};
use netgraph::Transport;
use netgraph::hosted::Hosted;
use tempfile::TempDir;

use super::{Engine, Outcome, Signals};
use crate::failure::Result;
use crate::host;
use crate::live;
use crate::session::{Session, tests};
use crate::state::State;

#[path = "../../../tests/common/daemon.rs"]
mod daemon;
mod examples;
mod frames;
mod generated;
mod killed;
mod mortal;

use daemon::Daemon;
use mortal::{End, Mortal};

/// A hosted kernel, and a folder for what is remembered.
struct Machine {
    daemon: Daemon,
    folder: TempDir,
}

impl Machine {
    fn start() -> Self {
        Self {
            daemon: Daemon::start(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn state(&self) -> State {
        State::new(self.folder.path())
    }

    fn session(&self) -> Session<Hosted> {
        self.session_on(Hosted::new(self.daemon.socket()))
    }

    fn session_on<T: Transport>(&self, transport: T) -> Session<T> {
        let host = Box::new(host::Hosted(self.daemon.socket()));
        static SESSIONS: AtomicUsize = AtomicUsize::new(0);
        let name = format!("ng{}", SESSIONS.fetch_add(1, Ordering::Relaxed));
        Session::open(transport, host, tests::setup(&name, self.state())).unwrap()
    }

    /// Applies a graph as a process of its own would.
    fn apply(&self, text: &str) -> Result<Outcome> {
        apply(&mut self.session(), text)
    }

    /// The same by a process that is killed instead of sending its n-th message, from 0; None if it was.
    fn apply_until(&self, text: &str, messages: usize) -> Option<Result<Outcome>> {
        mortal::survive(|| {
            let transport = Mortal::new(Hosted::new(self.daemon.socket()), messages, End::Killed);
            apply(&mut self.session_on(transport), text)
        })
    }

    /// The same by a process whose n-th message is refused; None if it sends fewer.
    fn apply_without(&self, text: &str, message: usize) -> Option<Result<Outcome>> {
        let transport = Mortal::new(Hosted::new(self.daemon.socket()), message, End::Refused);
        let over = transport.over();
        let result = apply(&mut self.session_on(transport), text);
        over.get().then_some(result)
    }

    /// What applying a graph would change.
    fn changes(&self, text: &str) -> usize {
        let mut session = self.session();
        let state = session.state.clone();
        let mut engine = Engine::new(&mut session, &state).unwrap();
        engine.preview(&parsed(text)).unwrap().changes.len()
    }

    fn dump(&self) -> Dump {
        let mut session = self.session();
        Dump::of(&live::everything(&mut session).unwrap(), &|_| true)
    }

    fn edges(&self) -> BTreeSet<String> {
        links(&self.dump())
    }

    /// Names and types of all nodes.
    fn nodes(&self) -> BTreeSet<String> {
        self.dump()
            .nodes()
            .map(|(_, name, kind)| format!("{name} {kind}"))
            .collect()
    }

    /// The live graph is exactly the declared one.
    fn assert_is(&self, text: &str) {
        let graph = parsed(text);
        let declared = graph
            .nodes()
            .iter()
            .map(|node| format!("{} {}", node.live_name(), node.type_name()));
        assert_eq!(self.nodes(), declared.collect(), "{text}");
        let declared = graph
            .edges()
            .iter()
            .map(|edge| sorted(graph.end(&edge.left), graph.end(&edge.right)));
        assert_eq!(self.edges(), declared.collect(), "{text}");
    }
}

fn apply<T: Transport>(session: &mut Session<T>, text: &str) -> Result<Outcome> {
    let state = session.state.clone();
    let _lock = state.lock()?;
    Engine::new(session, &state)?.apply(&parsed(text), &Signals::ignored())
}

fn parsed(text: &str) -> Graph {
    Graph::parse(text, Path::new("graph.yaml")).unwrap_or_else(|error| panic!("{error}"))
}

fn links(dump: &Dump) -> BTreeSet<String> {
    let end = |(node, hook): (String, String)| format!("{node}.{hook}");
    dump.links()
        .map(|(left, right)| sorted(end(left), end(right)))
        .collect()
}

fn sorted(left: String, right: String) -> String {
    if left <= right {
        format!("{left} -- {right}")
    } else {
        format!("{right} -- {left}")
    }
}

/// An error as one would read it.
fn told<V>(result: Result<V>) -> String {
    match result {
        Ok(_) => String::new(),
        Err(failure) => failure.to_string(),
    }
}
