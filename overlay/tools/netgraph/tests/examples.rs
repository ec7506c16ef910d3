//! Every example, run on a hosted kernel of its own as the README says, prints what it is to print.

#![cfg(not(target_os = "freebsd"))]

mod hosted;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use hosted::Daemon;

/// What the examples print: a line with `# ` and the name, then the lines.
const ROWS: &str = include_str!("examples.txt");

/// The examples, and what they print.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = ROWS.split("# ").skip(1);
    rows.map(|row| row.split_once('\n').unwrap())
}

/// Runs an example. cargo builds it first, since it does not always do so for tests.
fn run(name: &str, kernel: &Path) -> Output {
    let package = ["--locked", "--quiet", "--package", env!("CARGO_PKG_NAME")];
    Command::new(env!("CARGO"))
        .arg("run")
        .args(package)
        .args(["--features", "hosted", "--example", name])
        .env("NG_HOSTED", kernel)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

#[test]
fn every_example_says_what_it_is_to_say() {
    let mut wrong = Vec::new();
    for (name, wanted) in rows() {
        let daemon = Daemon::start();
        let output = run(name, &daemon.socket());
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || said.trim_end() != wanted.trim_end() {
            let error = String::from_utf8_lossy(&output.stderr);
            wrong.push(format!("{name}: {}\n{said}{error}", output.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_example_is_forgotten() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file());
    let files: BTreeSet<String> = files
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let rows: BTreeSet<String> = rows().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(files, rows);
}
