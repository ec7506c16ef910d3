//! The command lines of ngctl(8) and nghook(8), for when this is called by one of those names.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;

use clap::{ArgAction, Parser};
use netgraph::{NodeName, Transport};

use crate::cli::Command;
use crate::failure::{self, Failure, Result};
use crate::invocation::{Invocation, Task};
use crate::program::Program;
use crate::script::{Line, Runner};
use crate::session::Session;
use crate::table::Style;
use crate::verbs::hook::Hook;
use crate::words;

/// See and change the netgraph(4) graph: ng by ngctl(8)'s name
#[derive(Debug, Parser)]
#[command(
    name = "ngctl",
    disable_help_flag = true,
    override_usage = "ngctl [-d] [-f FILE] [-n NAME] [COMMAND [ARGUMENT]...]"
)]
struct Ngctl {
    /// Tell on standard error what is sent and received; twice: with its bytes
    #[arg(short = 'd', action = ArgAction::Count)]
    debug: u8,

    /// Run the commands in FILE; - is standard input
    #[arg(short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,

    /// Name of the own node
    #[arg(short = 'n', value_name = "NAME")]
    node_name: Option<NodeName>,

    /// The command and its arguments
    #[arg(trailing_var_arg = true)]
    words: Vec<String>,
}

/// Connect to a hook: ng hook by nghook(8)'s name
#[derive(Debug, Parser)]
#[command(
    name = "nghook",
    disable_help_flag = true,
    override_usage = "nghook [-adlnSs] [-m MESSAGE]... PATH [HOOK]\n       \
                      nghook -e [-dn] [-m MESSAGE]... PATH HOOK PROGRAM [ARGUMENT]..."
)]
struct Nghook {
    /// Tell on standard error what is sent and received; twice: with its bytes
    #[arg(short = 'd', action = ArgAction::Count)]
    debug: u8,

    #[command(flatten)]
    hook: Hook,
}

/// Write the graph in the language of graphviz to FILE, or to standard output
#[derive(Debug, Parser)]
#[command(name = "dot", no_binary_name = true)]
struct Dot {
    /// Without nodes for the ends of edges, as ng draws it in any case
    #[arg(short = 'c')]
    _compact: bool,

    /// The file
    file: Option<PathBuf>,
}

/// ngctl's `dot`, whose argument is the file to write, not a node.
pub fn dot<T: Transport>(session: &mut Session<T>, arguments: &[String], runner: Runner<'_, T>) -> Result<()> {
    let dot = Dot::try_parse_from(arguments).map_err(|error| failure::from_clap(&error))?;
    let command = words::parse::<Line>(["dot"])
        .map_err(|error| failure::from_clap(&error))?
        .command;
    let Some(path) = dot.file else {
        return runner(&command, session);
    };
    let file = File::create(&path).map_err(|error| {
        let what = "could not write the drawing";
        Failure::Io { what, error }
    })?;
    let before = session.redirect(Box::new(file));
    let drawn = runner(&command, session);
    session.redirect(before);
    drawn
}

/// What ngctl's arguments ask for. A command goes before a file.
pub fn ngctl(arguments: impl IntoIterator<Item = OsString>) -> clap::error::Result<Invocation> {
    let line = Ngctl::try_parse_from(arguments)?;
    let task = match line.file {
        _ if !line.words.is_empty() => Task::Words(line.words),
        Some(file) => Task::File(file),
        None => Task::Typed,
    };
    Ok(invocation(Program::Ngctl, line.debug, line.node_name, task))
}

/// What nghook's arguments ask for.
pub fn nghook(arguments: impl IntoIterator<Item = OsString>) -> clap::error::Result<Invocation> {
    let line = Nghook::try_parse_from(arguments)?;
    let task = Task::Command(Command::Hook(line.hook));
    Ok(invocation(Program::Nghook, line.debug, None, task))
}

fn invocation(program: Program, level: u8, node_name: Option<NodeName>, task: Task) -> Invocation {
    Invocation {
        program,
        json: false,
        style: Style::Plain,
        level,
        #[cfg(not(target_os = "freebsd"))]
        hosted: std::env::var_os("NG_HOSTED").map(PathBuf::from),
        jail: None,
        state: None,
        node_name,
        task,
    }
}
