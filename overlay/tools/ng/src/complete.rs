//! What can stand at the end of a command line: commands, options, and what is alive: nodes, hooks, types.
//!
//! The prompt and the shells ask here. Which kind of thing an argument is follows from its type in the grammar; the few
//! commands with optional arguments in front are described by name ([`slots`]).

use clap::{Arg, Command};
use netgraph::{Address, HookList, ListHooks, ListNodes, ListTypes, NodeInfo, Transport};

use crate::session::Session;

mod paths;
mod slots;

use slots::Slot;

/// Something that can stand there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The whole word.
    pub word: String,
    /// What it is, in a few words.
    pub about: String,
    /// Whether the word can go on, as a path does.
    pub open: bool,
}

impl Candidate {
    fn new(word: impl Into<String>, about: impl Into<String>) -> Self {
        let (word, about) = (word.into(), about.into());
        let open = false;
        Self { word, about, open }
    }

    fn open(word: impl Into<String>, about: impl Into<String>) -> Self {
        let open = true;
        Self {
            open,
            ..Self::new(word, about)
        }
    }
}

/// What can stand at the end of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The words, in the order in which to show them.
    pub candidates: Vec<Candidate>,
    /// Whether the names of files can stand there, too.
    pub files: bool,
}

/// What is alive, as far as it can be asked.
pub trait Facts {
    /// All nodes.
    fn nodes(&mut self) -> Vec<NodeInfo>;
    /// The node at the address and its links.
    fn links(&mut self, at: &Address) -> Option<HookList>;
    /// The names of the types that are loaded.
    fn types(&mut self) -> Vec<String>;
}

impl<T: Transport> Facts for Session<T> {
    fn nodes(&mut self) -> Vec<NodeInfo> {
        self.socket.request(&Address::here(), &ListNodes).unwrap_or_default()
    }

    fn links(&mut self, at: &Address) -> Option<HookList> {
        self.socket.request(at, &ListHooks).ok()
    }

    fn types(&mut self) -> Vec<String> {
        let types = self.socket.request(&Address::here(), &ListTypes).unwrap_or_default();
        types.into_iter().map(|kind| kind.name).collect()
    }
}

/// No kernel can be asked.
pub struct Nothing;

impl Facts for Nothing {
    fn nodes(&mut self) -> Vec<NodeInfo> {
        Vec::new()
    }

    fn links(&mut self, _: &Address) -> Option<HookList> {
        None
    }

    fn types(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// What can stand in place of `current`, the word that is being typed, behind the words before it.
pub fn complete(grammar: &Command, words: &[&str], current: &str, facts: &mut dyn Facts) -> Completion {
    let place = Place::find(grammar, words);
    let mut completion = match place.pending {
        Some(option) => slots::value(option, &place.arguments, current, facts),
        None if current.starts_with('-') => options(place.command, grammar),
        None => place.argument(grammar, current, facts),
    };
    completion
        .candidates
        .retain(|candidate| candidate.word.starts_with(current));
    completion.candidates.sort();
    completion.candidates.dedup();
    completion
}

/// Where in the grammar the words lead.
struct Place<'a> {
    /// The command that was named, if any.
    command: Option<&'a Command>,
    /// Its arguments so far, without options.
    arguments: Vec<&'a str>,
    /// An option that waits for its value.
    pending: Option<&'a Arg>,
}

impl<'a> Place<'a> {
    fn find(grammar: &'a Command, words: &[&'a str]) -> Self {
        let mut place = Self {
            command: None,
            arguments: Vec::new(),
            pending: None,
        };
        for &word in words {
            if place.pending.take().is_some() {
            } else if word.len() > 1 && word.starts_with('-') {
                place.pending = takes_value(place.command.unwrap_or(grammar), grammar, word);
            } else if place.command.is_some() {
                place.arguments.push(word);
            } else {
                place.command = find_command(grammar, word);
            }
        }
        place
    }

    fn argument(&self, grammar: &Command, current: &str, facts: &mut dyn Facts) -> Completion {
        let Some(command) = self.command else {
            return commands(grammar);
        };
        let slots = slots::slots(command, &self.arguments);
        let mut completion = Completion::default();
        for slot in slots {
            completion.files |= slot == Slot::File;
            completion.candidates.extend(slot.candidates(grammar, current, facts));
        }
        completion
    }
}

fn find_command<'a>(grammar: &'a Command, word: &str) -> Option<&'a Command> {
    grammar.find_subcommand(word).or_else(|| {
        let mut begun = grammar
            .get_subcommands()
            .filter(|command| command.get_name().starts_with(word));
        begun.next().filter(|_| begun.next().is_none())
    })
}

/// The option that the word is, if its value is the next word.
fn takes_value<'a>(command: &'a Command, grammar: &'a Command, word: &str) -> Option<&'a Arg> {
    let is_named = |option: &&Arg| match word.strip_prefix("--") {
        Some(long) => option.get_long() == Some(long),
        None => option.get_short() == word.chars().last(),
    };
    let mut all = command.get_opts().chain(grammar.get_opts());
    all.find(is_named).filter(|option| option.get_action().takes_values())
}

fn commands(grammar: &Command) -> Completion {
    let shown = grammar.get_subcommands().filter(|command| !command.is_hide_set());
    let candidates = shown.map(|command| Candidate::new(command.get_name(), first_line(command.get_about())));
    Completion {
        candidates: candidates.collect(),
        files: false,
    }
}

fn options(command: Option<&Command>, grammar: &Command) -> Completion {
    let own = command.into_iter().flat_map(Command::get_arguments);
    let general = grammar
        .get_arguments()
        .filter(|option| command.is_none() || option.is_global_set());
    let shown = own
        .chain(general)
        .filter(|option| !option.is_positional() && !option.is_hide_set());
    let words = shown.flat_map(|option| {
        let long = option.get_long().map(|long| format!("--{long}"));
        let short = option.get_short().map(|short| format!("-{short}"));
        let words = long.into_iter().chain(short);
        words.map(|word| Candidate::new(word, first_line(option.get_help())))
    });
    Completion {
        candidates: words.collect(),
        files: false,
    }
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests;
