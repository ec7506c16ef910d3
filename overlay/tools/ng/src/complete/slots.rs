//! What kind of thing stands at each place of a command.

use std::any::TypeId;
use std::path::PathBuf;

use clap::{Arg, Command};
use graph::catalog::{self, Hooks};
use netgraph::{Address, HookName, TypeName};

use super::{Candidate, Completion, Facts, commands, paths};
use crate::stock;

/// A kind of thing; `at` is the path of the node that it belongs to, `.` for ng's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// The path of a node.
    Path,
    /// A path that starts at that node, too.
    PathFrom(String),
    /// A node type.
    Type,
    /// A hook that the node has.
    Hook(String),
    /// A hook that the node could have besides those that it has.
    FreeHook(String),
    /// A hook of a new node of that type.
    NewHook(String),
    /// A command that the node knows.
    Message(String),
    /// A command of ng.
    Command,
    /// A file.
    File,
    /// One of these words.
    Words(Vec<String>),
}

/// What can stand behind these arguments of the command.
pub fn slots(command: &Command, before: &[&str]) -> Vec<Slot> {
    let here = || ".".to_owned();
    let at = |place: usize| before.get(place).map_or_else(here, |path| (*path).to_owned());
    match (command.get_name(), before.len()) {
        ("mkpeer", 0) => vec![Slot::Type, Slot::Path],
        ("mkpeer", 1) if is_path(before[0]) => vec![Slot::Type],
        ("mkpeer", 2) if is_path(before[0]) => vec![Slot::FreeHook(at(0))],
        ("mkpeer", 2) => vec![Slot::NewHook(at(0))],
        ("mkpeer", 3) => vec![Slot::NewHook(at(1))],
        ("connect", 0) => vec![Slot::Path],
        ("connect", 1) => vec![Slot::PathFrom(at(0))],
        ("connect", 2) => vec![Slot::FreeHook(at(0))],
        ("connect", 3) => vec![Slot::FreeHook(at(1))],
        ("rmhook", 0) => vec![Slot::Hook(here()), Slot::Path],
        ("rmhook", 1) => vec![Slot::Hook(at(0))],
        ("msg", 1) => vec![Slot::Message(at(0))],
        ("write", 0) => vec![Slot::Hook(here())],
        ("help", 0) => vec![Slot::Command],
        ("mkpeer" | "connect" | "rmhook" | "write" | "help", _) => Vec::new(),
        (_, place) => by_type(command, place, before),
    }
}

/// What the grammar says about that argument.
fn by_type(command: &Command, place: usize, before: &[&str]) -> Vec<Slot> {
    let Some(argument) = command.get_positionals().nth(place) else {
        return Vec::new();
    };
    of_argument(argument, before).into_iter().collect()
}

fn of_argument(argument: &Arg, before: &[&str]) -> Option<Slot> {
    let values = argument.get_possible_values();
    if !values.is_empty() {
        let shown = values.iter().filter(|value| !value.is_hide_set());
        return Some(Slot::Words(shown.map(|value| value.get_name().to_owned()).collect()));
    }
    let kind = argument.get_value_parser().type_id();
    if kind == TypeId::of::<Address>() {
        Some(Slot::Path)
    } else if kind == TypeId::of::<HookName>() {
        before.last().map(|path| Slot::FreeHook((*path).to_owned()))
    } else if kind == TypeId::of::<TypeName>() {
        Some(Slot::Type)
    } else {
        (kind == TypeId::of::<PathBuf>()).then_some(Slot::File)
    }
}

/// What can be the value of an option.
pub fn value(option: &Arg, before: &[&str], current: &str, facts: &mut dyn Facts) -> Completion {
    let slot = of_argument(option, before);
    let candidates = slot
        .as_ref()
        .map(|slot| slot.candidates(&Command::new(""), current, facts));
    Completion {
        candidates: candidates.unwrap_or_default(),
        files: slot == Some(Slot::File),
    }
}

fn is_path(word: &str) -> bool {
    word.contains([':', '.']) || !stock::types().any(|kind| kind == word)
}

impl Slot {
    /// What can stand there; some of it may not begin as `current` does.
    pub fn candidates(&self, grammar: &Command, current: &str, facts: &mut dyn Facts) -> Vec<Candidate> {
        match self {
            Self::Path => paths::paths(current, facts),
            Self::PathFrom(at) => [paths::paths(current, facts), hooks(at, facts)].concat(),
            Self::Type => types(facts),
            Self::Hook(at) => hooks(at, facts),
            Self::FreeHook(at) => free_hooks(at, facts),
            Self::NewHook(kind) => named(kind, &[]),
            Self::Message(at) => messages(at, facts),
            Self::Command => commands(grammar).candidates,
            Self::File => Vec::new(),
            Self::Words(words) => words.iter().map(|word| Candidate::new(word, "")).collect(),
        }
    }
}

fn types(facts: &mut dyn Facts) -> Vec<Candidate> {
    let loaded = facts.types();
    let others = stock::types().filter(|kind| !loaded.iter().any(|name| name == kind));
    let others = others.map(|kind| Candidate::new(kind, "a module to load"));
    let others: Vec<Candidate> = others.collect();
    let loaded = loaded.iter().map(|name| Candidate::new(name, "loaded"));
    loaded.chain(others).collect()
}

fn hooks(at: &str, facts: &mut dyn Facts) -> Vec<Candidate> {
    let list = at.parse().ok().and_then(|at| facts.links(&at));
    let links = list.into_iter().flat_map(|list| list.links);
    links
        .map(|link| Candidate::new(link.hook, format!("to {}", link.peer.label())))
        .collect()
}

fn free_hooks(at: &str, facts: &mut dyn Facts) -> Vec<Candidate> {
    let Some(list) = at.parse().ok().and_then(|at| facts.links(&at)) else {
        return Vec::new();
    };
    let used: Vec<&str> = list.links.iter().map(|link| link.hook.as_str()).collect();
    named(&list.node.type_name, &used)
}

/// The hooks that nodes of the type accept, but for those in use; of numbered ones the first that is free.
fn named(kind: &str, used: &[&str]) -> Vec<Candidate> {
    let about = format!("hook of {kind}");
    let hooks = catalog::find(kind).map_or(&[][..], |kind| kind.hooks);
    let all = hooks.iter().flat_map(|hooks| free(hooks, used));
    all.map(|name| Candidate::new(name, &about)).collect()
}

fn free(hooks: &Hooks, used: &[&str]) -> Vec<String> {
    let is_free = |name: &String| !used.contains(&name.as_str());
    match *hooks {
        Hooks::Named(names) => names.iter().map(|&name| name.to_owned()).filter(is_free).collect(),
        Hooks::Numbered { word, first, last } => {
            let mut all = (first..=last).map(|number| format!("{word}{number}"));
            all.find(is_free).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn messages(at: &str, facts: &mut dyn Facts) -> Vec<Candidate> {
    let kind = at
        .parse()
        .ok()
        .and_then(|at| facts.links(&at))
        .map(|list| list.node.type_name);
    let kind = kind.unwrap_or_default();
    let own = stock::commands(&kind).map(|command| Candidate::new(command, format!("command of {kind}")));
    let generic = stock::generic().map(|command| Candidate::new(command, "command of every node"));
    own.chain(generic).collect()
}
