//! The tab key at the prompt.

use std::sync::Mutex;

use clap::Command;
use netgraph::Transport;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::lock;
use crate::complete::{Candidate, complete};
use crate::script::Line;
use crate::session::Session;
use crate::words;

/// Completes words by asking the kernel what there is.
pub struct Words<'a, T: Transport> {
    session: &'a Mutex<Session<T>>,
    grammar: Command,
    files: FilenameCompleter,
}

impl<'a, T: Transport> Words<'a, T> {
    /// Asks through the node of that session.
    pub fn new(session: &'a Mutex<Session<T>>) -> Self {
        Self {
            session,
            grammar: words::grammar::<Line>(),
            files: FilenameCompleter::new(),
        }
    }
}

impl<T: Transport> Completer for Words<'_, T> {
    type Candidate = Pair;

    fn complete(&self, line: &str, place: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..place];
        let start = typed.rfind(char::is_whitespace).map_or(0, |space| space + 1);
        let words: Vec<&str> = typed[..start].split_whitespace().collect();
        let found = complete(&self.grammar, &words, &typed[start..], &mut *lock(self.session));
        if found.files {
            return self.files.complete_path(line, place);
        }
        Ok((start, found.candidates.into_iter().map(pair).collect()))
    }
}

fn pair(candidate: Candidate) -> Pair {
    let space = if candidate.open { "" } else { " " };
    Pair {
        replacement: format!("{}{space}", candidate.word),
        display: candidate.word,
    }
}

impl<T: Transport> Hinter for Words<'_, T> {
    type Hint = String;
}

impl<T: Transport> Highlighter for Words<'_, T> {}

impl<T: Transport> Validator for Words<'_, T> {}

impl<T: Transport> Helper for Words<'_, T> {}
