//! `ng`: see and change the netgraph(4) graph.
//!
//! `main` parses and dispatches; each verb is a file of its own below `verbs`. Verbs work on a `session::Session`,
//! whose kernel can be the running one or one in memory, so that each is tested without FreeBSD.

use std::process::ExitCode;

use clap::Parser;

mod capture;
mod cli;
mod clock;
mod counters;
mod dump;
mod engine;
mod explain;
mod failure;
mod guard;
mod host;
#[cfg(not(target_os = "freebsd"))]
mod hosted;
mod jail;
mod live;
mod picture;
mod script;
mod session;
mod signal;
mod state;
mod trace;
mod verbs;

use cli::Opt;

/// The program: does what its command line says, and returns its exit status.
#[must_use]
pub fn run() -> ExitCode {
    let opt = match Opt::try_parse() {
        Ok(opt) => opt,
        Err(error) => return failure::usage(&error),
    };
    match opt.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
