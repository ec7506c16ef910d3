//! `ng msg`.

use clap::Args;
use netgraph::{Address, Incoming, Transport};
use serde::Serialize;

use crate::dump;
use crate::explain;
use crate::failure::Result;
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
    answer: Option<Answer>,
}

/// An answer; `args` in words, or `data` in hexadecimal where the node has no words for it.
#[derive(Serialize)]
struct Answer {
    from: String,
    command: Option<String>,
    number: u32,
    response: bool,
    args: Option<String>,
    data: String,
}

impl Msg {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let arguments = self.arguments.join(" ");
        let answer = session.socket.command(&self.path, &self.command, &arguments);
        let answer = answer.map_err(|error| explain::refusal(&mut session.socket, error))?;
        let output = Output {
            answer: answer.as_ref().map(|answer| in_words(session, answer)),
        };
        session.print(&output, |out| match (&output.answer, &answer) {
            (Some(words), Some(answer)) => write!(out, "{}", text(words, &answer.message.data)),
            _ => Ok(()),
        })
    }
}

/// Asks the answering node to put its answer into words.
fn in_words<T: Transport>(session: &mut Session<T>, answer: &Incoming) -> Answer {
    let words = session.socket.to_ascii(&answer.from, &answer.message).ok();
    let (command, args) = words.unzip();
    Answer {
        from: answer.from.to_string(),
        command,
        number: answer.message.command,
        response: answer.message.is_reply(),
        args,
        data: dump::hex(&answer.message.data),
    }
}

/// The answer as ngctl(8) prints it.
fn text(answer: &Answer, data: &[u8]) -> String {
    let kind = if answer.response { "response" } else { "command" };
    let (name, body) = match (&answer.command, &answer.args) {
        (Some(name), Some(args)) => (format!("\"{name}\" ({})", answer.number), args),
        _ => (answer.number.to_string(), &dump::lines(data)),
    };
    let body = match &answer.args {
        _ if body.is_empty() => "No arguments\n".to_owned(),
        Some(args) => format!("Args:\t{args}\n"),
        None => body.clone(),
    };
    format!("Rec'd {kind} {name} from \"{}\":\n{body}", answer.from)
}
