//! `ng help`.

use std::io::Write;

use clap::{Args, Command};
use netgraph::Transport;
use serde::Serialize;

use super::usage;
use crate::failure::Result;
use crate::script::Line;
use crate::session::Session;
use crate::words;

/// List the commands, or explain one
#[derive(Debug, Args)]
pub struct Help {
    /// The command
    command: Option<String>,
}

#[derive(Serialize)]
struct Output<'a> {
    commands: Vec<CommandJson<'a>>,
}

#[derive(Serialize)]
struct CommandJson<'a> {
    name: &'a str,
    aliases: Vec<&'a str>,
    about: String,
}

impl<'a> CommandJson<'a> {
    fn new(command: &'a Command) -> Self {
        Self {
            name: command.get_name(),
            aliases: command.get_visible_aliases().collect(),
            about: command.get_about().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

impl Help {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let mut grammar = words::grammar::<Line>();
        let Some(word) = &self.command else {
            let shown = grammar.get_subcommands().filter(|command| !command.is_hide_set());
            let commands = shown.map(CommandJson::new).collect();
            let output = Output { commands };
            return session.print(&output, |out| list(out, &output));
        };
        grammar.build();
        let word = word.to_ascii_lowercase();
        let Some(command) = grammar.find_subcommand_mut(&word) else {
            return Err(usage(format!("there is no command `{word}`; `help` lists them")));
        };
        let text = command.render_long_help();
        session.print(&CommandJson::new(command), |out| write!(out, "{text}"))
    }
}

fn list(out: &mut dyn Write, output: &Output<'_>) -> std::io::Result<()> {
    writeln!(out, "Available commands:")?;
    let mut commands = output.commands.iter();
    commands.try_for_each(|command| writeln!(out, "  {:<10} {}", command.name, command.about))
}
