//! Every example, run on a hosted kernel of its own, says what it is to say.

#![cfg(not(target_os = "freebsd"))]

mod hosted;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hosted::Daemon;

/// What the examples print: a line with `# ` and the name, then the lines.
const ROWS: &str = include_str!("examples.txt");

/// The examples, and what they print.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = ROWS.split("# ").skip(1);
    rows.map(|row| row.split_once('\n').unwrap())
}

/// The program, which cargo builds beside the tests, if it is not older than what it is made of.
fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().and_then(Path::parent).unwrap();
    let program = built.join("examples").join(name);
    let sources = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    assert!(
        is_up_to_date(&program, &sources),
        "{} is not up to date: `cargo build -p netgraph --examples` builds it",
        program.display()
    );
    program
}

/// Whether the program is not older than any of the sources, which cargo lists as make(1) takes them.
fn is_up_to_date(program: &Path, sources: &str) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    let (Ok(built), Some((_, sources))) = (changed(program), sources.split_once(": ")) else {
        return false;
    };
    let sources = sources.trim().replace("\\ ", "\0");
    let mut paths = sources.split(' ').map(|path| path.replace('\0', " "));
    paths.all(|path| changed(Path::new(&path)).is_ok_and(|changed| changed <= built))
}

#[test]
fn every_example_says_what_it_is_to_say() {
    let mut wrong = Vec::new();
    for (name, wanted) in rows() {
        let daemon = Daemon::start();
        let output = Command::new(program(name))
            .env("NG_HOSTED", daemon.socket())
            .output()
            .unwrap();
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
