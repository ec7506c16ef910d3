//! Proves on a running FreeBSD kernel what ng_socket(4) promises and no shell can reach.
//!
//! `behaviour [--list] [--skip TEXT]... [TEXT]...`: one line for each check whose name contains one of the texts and none
//! of those to skip: `ok NAME`, or `FAILED NAME: expected ..., got ...`. Each runs in a process of its own, so that one
//! that hangs or dies of a signal costs no other. Needs root.

use std::process::ExitCode;

use crate::errno::{Failure, Outcome};
use crate::process::Child;

mod checks;
mod errno;
mod message;
mod node;
mod process;
mod sys;

/// One promise.
pub struct Check {
    name: &'static str,
    /// How long it may take.
    seconds: u32,
    run: fn() -> Outcome,
}

impl Check {
    /// A check that takes no longer than moments.
    pub const fn new(name: &'static str, run: fn() -> Outcome) -> Self {
        Self { name, seconds: 30, run }
    }

    /// A check that may take so many seconds.
    pub const fn long(name: &'static str, seconds: u32, run: fn() -> Outcome) -> Self {
        Self { name, seconds, run }
    }
}

/// What the command line asks for.
#[derive(Default)]
struct Wish {
    list: bool,
    skip: Vec<String>,
    only: Vec<String>,
}

impl Wish {
    fn new(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wish = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => wish.list = true,
                "--skip" => wish.skip.push(arguments.next().ok_or("--skip needs a text")?),
                option if option.starts_with('-') => return Err(format!("unknown option {option}")),
                _ => wish.only.push(argument),
            }
        }
        Ok(wish)
    }

    fn wants(&self, check: &Check) -> bool {
        let is_in = |text: &String| check.name.contains(text.as_str());
        (self.only.is_empty() || self.only.iter().any(is_in)) && !self.skip.iter().any(is_in)
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == checks::jail::PROBE).is_some() {
        return verdict("probe", checks::jail::probe(&arguments.next().unwrap_or_default()));
    }
    let wish = match Wish::new(arguments) {
        Ok(wish) => wish,
        Err(error) => {
            eprintln!("behaviour: {error}\nusage: behaviour [--list] [--skip TEXT]... [TEXT]...");
            return ExitCode::from(64);
        }
    };
    let wanted: Vec<&Check> = checks::all().filter(|check| wish.wants(check)).collect();
    if wish.list {
        wanted.iter().for_each(|check| println!("{}", check.name));
        return ExitCode::SUCCESS;
    }
    if !cfg!(target_os = "freebsd") {
        eprintln!("behaviour: the checks need FreeBSD; here they can only be listed (--list)");
        return ExitCode::from(69);
    }
    if wanted.is_empty() {
        eprintln!("behaviour: no check has such a name");
        return ExitCode::from(64);
    }
    let mut status = ExitCode::SUCCESS;
    for check in wanted {
        let outcome = Child::start(check.seconds, check.run).and_then(Child::wait);
        if verdict(check.name, outcome) != ExitCode::SUCCESS {
            status = ExitCode::FAILURE;
        }
    }
    status
}

fn verdict(name: &str, outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => {
            println!("ok {name}");
            ExitCode::SUCCESS
        }
        Err(Failure(text)) => {
            println!("FAILED {name}: {text}");
            ExitCode::FAILURE
        }
    }
}
