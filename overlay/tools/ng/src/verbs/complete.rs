//! `ng __complete`: what the shells' completions ask.

use std::io::{self, Write};

use clap::Args;
use netgraph::Transport;

use crate::cli::Opt;
use crate::complete::{Completion, Facts, Nothing, complete};
use crate::failure::Result;
use crate::session::Session;
use crate::words;

/// Print what can stand at the end of a command line
///
/// One line for each word: the word, with a space behind it unless it can go on, a tab, and what it is. A line `:files` says
/// that the names of files can stand there, too.
#[derive(Debug, Args)]
pub struct Complete {
    /// The words behind `ng`, the last of which is being typed
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl Complete {
    /// Asks the kernel what is alive, if it can be asked.
    pub fn run<T: Transport>(&self, session: Option<Session<T>>) -> Result<()> {
        let text = match session {
            Some(mut session) => self.text(&mut session),
            None => self.text(&mut Nothing),
        };
        Ok(io::stdout().write_all(text.as_bytes())?)
    }

    fn text(&self, facts: &mut dyn Facts) -> String {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let (current, before) = words.split_last().unwrap_or((&"", &[]));
        let Completion { candidates, files } = complete(&words::grammar::<Opt>(), before, current, facts);
        let lines = candidates.iter().map(|candidate| {
            let space = if candidate.open { "" } else { " " };
            format!("{}{space}\t{}\n", candidate.word, candidate.about)
        });
        let files = if files { ":files\n" } else { "" };
        lines.chain([files.to_owned()]).collect()
    }
}
