//! Updates of an appliance with two root slots: the record that says which slot boots, the update file, and `ng-update`.

#![deny(unsafe_code)]

pub mod device;
pub mod file;
pub mod install;
pub mod manual;

mod cfg;
mod check;
mod cli;
mod failure;
mod files;
mod place;
pub mod state;
mod terminal;
mod verbs;

use std::ffi::OsStr;
use std::process::ExitCode;

/// The program: does what its command line says, and returns its exit status.
///
/// Called by the name save-cfg, it is `ng-update cfg save`.
#[must_use]
pub fn run() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let json = arguments.iter().any(|argument| argument == OsStr::new("--json"));
    match cli::parse(arguments) {
        Ok(command) => match command.run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(json),
        },
        Err(error) => failure::usage(&error, json),
    }
}
