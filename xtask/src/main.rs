//! `cargo xtask`: build, run and prove a FreeBSD network appliance.
//!
//! `main` parses and dispatches; one file per command. What several commands share lives in the other modules:
//! [`toolchain`] (which Rust can cross-compile), [`linker`] and [`zig`] (linking for FreeBSD), [`util`] (running
//! programs, the repository root), [`base`] (what an appliance runs), [`preflight`] (which programs are needed and how to get them), [`vm`] and [`ssh`]
//! (machines and sessions on them), [`stop`] (Ctrl-C).

#![deny(unsafe_code)]

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod base;
mod bench;
mod conformance;
mod doctor;
mod drill;
mod fuzz;
mod host;
mod image;
mod kmod;
mod linker;
mod lock;
mod package;
mod preflight;
mod report;
mod run;
mod seed;
mod sign;
mod smoke;
mod ssh;
mod stop;
mod test;
mod toolchain;
mod tools;
mod util;
mod vm;
mod why;
mod write;
mod zig;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, version)]
struct Opt {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench::Bench),
    Conformance(conformance::Conformance),
    Doctor(doctor::Doctor),
    Drill(drill::Drill),
    Fuzz(fuzz::Fuzz),
    Host(host::Host),
    Image(image::Image),
    Kmod(kmod::Kmod),
    Lock(lock::Lock),
    Package(package::Package),
    Report(report::Report),
    Run(run::Run),
    Seed(seed::Seed),
    Sign(sign::Sign),
    Smoke(smoke::Smoke),
    Test(test::Test),
    Tools(tools::Tools),
    Why(why::Why),
    Write(write::Write),
}

fn main() -> ExitCode {
    match run(Opt::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Bench(command) => command.run(),
        Command::Conformance(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Drill(command) => command.run(),
        Command::Fuzz(command) => command.run(),
        Command::Host(command) => command.run(),
        Command::Image(command) => command.run(),
        Command::Kmod(command) => command.run(),
        Command::Lock(command) => command.run(),
        Command::Package(command) => command.run(),
        Command::Report(command) => command.run(),
        Command::Run(command) => command.run(),
        Command::Seed(command) => command.run(),
        Command::Sign(command) => command.run(),
        Command::Smoke(command) => command.run(),
        Command::Test(command) => command.run(),
        Command::Tools(command) => command.run(),
        Command::Why(command) => command.run(),
        Command::Write(command) => command.run(),
    }
}
