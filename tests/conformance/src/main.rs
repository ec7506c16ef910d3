//! Runs every line of ng_socket(4)'s behaviour, on FreeBSD and on the hosted kernel.
//!
//! On FreeBSD the tests make system calls of the running kernel, as root; elsewhere a hosted kernel runs in each test's
//! process, with the module that is linked into this program or with the one in a file. Each test is a process, so that
//! one that hangs, or whose kernel dies, costs no other.

use std::process::ExitCode;

use crate::options::{Job, Options};
use crate::outcome::Outcome;
use crate::system::System;

mod call;
mod freebsd;
#[cfg(not(target_os = "freebsd"))]
mod hosted;
mod message;
mod node;
mod options;
mod outcome;
mod pool;
mod rounds;
mod runner;
mod system;
mod tests;

/// One promise.
pub struct Test {
    name: &'static str,
    /// How long it may take.
    seconds: u64,
    run: fn() -> Outcome,
}

impl Test {
    /// A test that takes no longer than moments.
    pub const fn new(name: &'static str, run: fn() -> Outcome) -> Self {
        Self { name, seconds: 30, run }
    }

    /// A test that may take so many seconds.
    pub const fn long(name: &'static str, seconds: u64, run: fn() -> Outcome) -> Self {
        Self { name, seconds, run }
    }
}

fn main() -> ExitCode {
    match Options::new(std::env::args().skip(1)) {
        Ok(options) => run(&options),
        Err(error) => {
            eprintln!("conformance: {error}\n{}", options::USAGE);
            ExitCode::from(64)
        }
    }
}

fn run(options: &Options) -> ExitCode {
    match &options.job {
        Job::List => {
            options.tests().for_each(|test| println!("{}", test.name));
            ExitCode::SUCCESS
        }
        Job::Name => in_system(options, || {
            println!("{}", system::here().name());
            ExitCode::SUCCESS
        }),
        Job::All => runner::run_all(options),
        Job::Rounds(rounds) => in_system(options, || rounds::run(*rounds, options.processes, options.nodes)),
        Job::One(name) => in_system(options, || runner::run_one(name)),
        Job::Probe(name, argument) => in_system(options, || runner::run_probe(name, argument)),
    }
}

/// Runs `work` once this process has its system.
fn in_system(options: &Options, work: impl FnOnce() -> ExitCode) -> ExitCode {
    match system(options) {
        Ok(system) => {
            system::arrive(system);
            work()
        }
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(69)
        }
    }
}

#[cfg(target_os = "freebsd")]
fn system(_: &Options) -> Result<Box<dyn System + Send>, String> {
    Ok(Box::new(freebsd::FreeBsd::new()))
}

#[cfg(not(target_os = "freebsd"))]
fn system(options: &Options) -> Result<Box<dyn System + Send>, String> {
    let hosted = hosted::Hosted::boot(options.subject.as_deref())?;
    Ok(Box::new(hosted))
}
