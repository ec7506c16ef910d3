//! Performs one operation of a netgraph socket many times, so that another program can count its instructions.
//!
//! `sockbench CASE COUNT MODULE.ko` does so with a module on the hosted kernel, to be run by callgrind, which counts what
//! happens within [`measured_operation`]. `sockbench CASE COUNT` does so on FreeBSD, and prints what an operation takes by
//! the processor's time stamp counter; in a machine whose clock counts instructions, those are instructions. Behind that it
//! prints where the module's code begins.
//!
//! Whatever is set up for a case is set up before.

mod cases;
mod clock;
mod errno;
mod graph;
#[cfg(not(target_os = "freebsd"))]
mod hosted;
mod native;
mod system;

use std::convert::Infallible;
use std::process::ExitCode;
use std::rc::Rc;

use cases::{Case, Operation};
use errno::Errno;
use system::System;

/// How often the operation is performed before it counts: what the first times allocate stays allocated.
const WARM_UP: usize = 32;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(never) => match never {},
        Err(failure) => {
            eprintln!("sockbench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and ends the process, and what is open with it: taking a hundred thousand hooks down would take long.
fn run(arguments: &[String]) -> Result<Infallible, Failure> {
    let [case, count, module @ ..] = arguments else {
        return Err("usage: sockbench CASE COUNT [MODULE.ko]".into());
    };
    let case: Case = case.parse()?;
    let count: usize = count.parse()?;
    let system = system(module.first())?;
    let mut operation = case.prepare(&system)?;
    for _ in 0..WARM_UP {
        operation()?;
    }
    let ticks = measure(&mut operation, count)?;
    println!("{ticks} {:#x}", code_address());
    std::process::exit(0)
}

#[cfg(not(target_os = "freebsd"))]
fn system(module: Option<&String>) -> Result<Rc<dyn System>, Failure> {
    match module {
        Some(module) => Ok(Rc::new(hosted::Hosted::boot(module.into())?)),
        None => Ok(Rc::new(native::Native)),
    }
}

/// Where the module's code begins; 0 if it is none of this process's.
#[cfg(not(target_os = "freebsd"))]
fn code_address() -> u64 {
    hosted::code_address().unwrap_or(0)
}

#[cfg(target_os = "freebsd")]
fn code_address() -> u64 {
    0
}

#[cfg(target_os = "freebsd")]
fn system(module: Option<&String>) -> Result<Rc<dyn System>, Failure> {
    match module {
        Some(_) => Err("on FreeBSD the module is loaded by kldload".into()),
        None => Ok(Rc::new(native::Native)),
    }
}

/// Ticks that one of `count` operations takes.
fn measure(operation: &mut Operation, count: usize) -> Result<u64, Errno> {
    let mut ticks = Vec::with_capacity(count);
    for _ in 0..count {
        let start = clock::ticks();
        measured_operation(operation)?;
        ticks.push(clock::ticks() - start);
    }
    Ok(clock::middle_mean(ticks))
}

/// What callgrind finds by its name.
#[unsafe(no_mangle)]
#[inline(never)]
fn measured_operation(operation: &mut Operation) -> Result<(), Errno> {
    operation()
}
