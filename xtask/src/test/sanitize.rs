//! The tests under load and under faults, with the address and thread sanitizers.
//!
//! Both are unstable features of rustc, which a stable one has with `RUSTC_BOOTSTRAP`. The address sanitizer needs its
//! runtime only. The thread sanitizer reports races that are none unless the standard library is built with it, too: that
//! needs a toolchain with the library's sources, which need not be the one that has the runtime.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use xshell::{Cmd, Shell, cmd};

const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Rounds of a thread under load: the thread sanitizer is slow.
const ROUNDS: &str = "1000";

/// The tests, as commands; says which sanitizer is not run, and why.
///
/// # Errors
/// There is no sanitizer at all.
pub fn commands(shell: &Shell) -> Result<Vec<Cmd<'_>>> {
    let sysroot = cmd!(shell, "rustc --print sysroot").quiet().read()?;
    let libraries = Path::new(&sysroot).join("lib/rustlib").join(TARGET).join("lib");
    let mut commands = Vec::new();
    match runtime(&libraries, "asan") {
        Some(_) => commands.push(address(shell)),
        None => eprintln!(
            "address sanitizer: NOT RUN: {} has no runtime for it",
            libraries.display()
        ),
    }
    match (runtime(&libraries, "tsan"), with_sources()) {
        (Some(runtime), Some((cargo, rustc))) => commands.push(thread(shell, &runtime, &cargo, &rustc)),
        (None, _) => eprintln!(
            "thread sanitizer: NOT RUN: {} has no runtime for it",
            libraries.display()
        ),
        (_, None) => eprintln!("thread sanitizer: NOT RUN: /usr/bin/rustc has no library sources (rust-web-src)"),
    }
    if commands.is_empty() {
        bail!("this toolchain has no sanitizers");
    }
    Ok(commands)
}

/// A sanitizer's runtime among a toolchain's libraries.
fn runtime(libraries: &Path, sanitizer: &str) -> Option<PathBuf> {
    let suffix = format!("_rt.{sanitizer}.a");
    let files = libraries.read_dir().ok()?.flatten().map(|entry| entry.path());
    files.into_iter().find(|file| file.to_string_lossy().ends_with(&suffix))
}

/// Cargo and rustc of Debian, if the sources of their library are there.
fn with_sources() -> Option<(PathBuf, PathBuf)> {
    let (cargo, rustc) = (PathBuf::from("/usr/bin/cargo"), PathBuf::from("/usr/bin/rustc"));
    let sources = Path::new("/usr/lib/rustlib/src/rust/library/std/Cargo.toml");
    (cargo.exists() && rustc.exists() && sources.exists()).then_some((cargo, rustc))
}

/// What both runs have in common.
fn sanitized<'a>(command: Cmd<'a>, sanitizer: &str, flags: &str) -> Cmd<'a> {
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", flags)
        .env("CARGO_TARGET_DIR", format!("target/{sanitizer}"))
        .env("MODELS_SANITIZED", "1")
        .env("MODELS_ROUNDS", ROUNDS)
}

fn address(shell: &Shell) -> Cmd<'_> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let command = cmd!(
        shell,
        "{cargo} test --locked --target {TARGET} --package models --test stress --test faults"
    );
    sanitized(command, "asan", "-Zsanitizer=address")
}

fn thread<'a>(shell: &'a Shell, runtime: &Path, cargo: &Path, rustc: &Path) -> Cmd<'a> {
    // The runtime replaces functions of the C library, so all of it is wanted; behind it comes what it calls. GNU ld does
    // not find those by their versions.
    let link =
        ["--whole-archive", "--no-whole-archive,--no-as-needed"].map(|option| format!("-Clink-arg=-Wl,{option}"));
    let libraries = ["c", "m", "dl", "pthread", "rt", "resolv"].map(|library| format!("-Clink-arg=-l{library}"));
    let flags = format!(
        "-Zsanitizer=thread -Zexternal-clangrt -Clink-arg=-fuse-ld=lld {} -Clink-arg={} {} {}",
        link[0],
        runtime.display(),
        link[1],
        libraries.join(" ")
    );
    let cargo: OsString = cargo.into();
    let suppressions = shell.current_dir().join("tests/models/tsan.txt");
    let command = cmd!(
        shell,
        "{cargo} test -Zbuild-std --locked --target {TARGET} --package models --test stress"
    );
    sanitized(command, "tsan", &flags)
        .env("RUSTC", rustc)
        .env("TSAN_OPTIONS", format!("suppressions={}", suppressions.display()))
}
