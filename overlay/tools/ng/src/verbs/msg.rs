//! `ng msg`.

use clap::Args;
use netgraph::{Address, Transport};
use serde::Serialize;

use super::command_and_arguments;
use crate::explain::message;
use crate::failure::Result;
use crate::incoming::{Words, in_words, message_text};
use crate::session::Session;

/// Send a control message, in words, and show its answer
///
/// The node itself converts the command and its arguments; the manual page of its type (ng_bridge(4), ...) lists the
/// commands and the form of their arguments, such as `{ loopTimeout=60 }`. Quote braces and brackets from the shell.
#[derive(Debug, Args)]
pub struct Msg {
    /// The node
    path: Address,

    /// The command, such as `getconfig`
    command: String,

    /// Its arguments; several are joined by spaces
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Serialize)]
struct Output {
    answer: Option<Words>,
}

impl Msg {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let text = format!("{} {}", self.command, self.arguments.join(" "));
        let (command, arguments) = command_and_arguments(&text);
        let answer = session.socket.command(&self.path, command, arguments);
        let answer = answer.map_err(|error| message::refusal(&mut session.socket, &self.path, command, error))?;
        let output = Output {
            answer: answer.as_ref().map(|answer| in_words(&mut session.socket, answer)),
        };
        session.print(&output, |out| match (&output.answer, &answer) {
            (Some(words), Some(answer)) => write!(out, "{}", message_text(words, &answer.message.data)),
            _ => Ok(()),
        })
    }
}
