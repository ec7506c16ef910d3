//! `ng`: see and change the netgraph(4) graph.
//!
//! `main` parses and dispatches; each verb is a file of its own below `verbs`. Verbs work on a `session::Session`,
//! whose kernel can be the running one or one in memory, so that each is tested without FreeBSD.

#![cfg_attr(not(test), deny(clippy::print_stderr))]

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

#[macro_use]
mod tell;

mod capture;
mod classic;
mod cli;
mod clock;
mod companions;
mod complete;
mod counters;
mod dump;
mod engine;
mod explain;
mod failure;
mod guard;
mod host;
#[cfg(not(target_os = "freebsd"))]
mod hosted;
mod incoming;
mod interactive;
mod invocation;
mod jail;
mod live;
mod manual;
mod picture;
mod program;
mod script;
mod session;
mod signal;
mod state;
mod stock;
mod table;
mod trace;
mod verbs;
mod words;

pub use companions::{Body, Companion, companions};

/// A picture of the graph that a file declares, as `ng svg -f` draws it; `title` is what it is called.
///
/// # Errors
/// It cannot be laid out; the text says why.
pub fn svg(graph: &graph::Graph, title: &str) -> Result<String, String> {
    picture::svg::text(&picture::declared::drawing(graph), title, None).map_err(|failure| failure.to_string())
}

use cli::Opt;
use program::Program;

/// The program: does what its command line says, and returns its exit status.
///
/// Called by the name ngctl or nghook, it understands that program's command line.
#[must_use]
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let program = Program::called(arguments.first().map(OsString::as_os_str));
    let json = program == Program::Ng && arguments.iter().any(|argument| argument == OsStr::new("--json"));
    let invocation = match program {
        Program::Ng => Opt::invocation(arguments),
        Program::Ngctl => classic::ngctl(arguments),
        Program::Nghook => classic::nghook(arguments),
    };
    match invocation.map(invocation::Invocation::run) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => failure.report(program, json),
        Err(error) => failure::usage(&error, program, json),
    }
}
