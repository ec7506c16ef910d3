//! The words of `ng`, completed by shells.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;

mod common;

use common::Daemon;
use common::terminal::Terminal;

/// Two nodes, one of which leads to the other by its hook `left`.
const SCRIPT: &str =
    "mkpeer hole keep in\nname keep some_hole\nmkpeer some_hole: tee side left\nname some_hole:side some_tee\n";

/// A shell in which `ng` shows its words, and that has read ng's completions.
fn shell(daemon: &Daemon, name: &str, arguments: &[&str], setup: &str) -> Terminal {
    // The terminal is to be the shell's own.
    let mut command = Command::new("setsid");
    command.args(["--ctty", name]);
    let programs = env!("CARGO_BIN_EXE_ng").trim_end_matches("/ng");
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    command
        .args(arguments)
        .env("PATH", path)
        .env("HOME", daemon.folder.path());
    let script = daemon.ng(&["completions", name]);
    let folder = daemon.folder.path().join("completions");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("_ng"), script).unwrap();
    let mut terminal = Terminal::run(daemon, command);
    terminal.press(&setup.replace("FOLDER", folder.to_str().unwrap()));
    terminal.press("\recho rea''dy\r");
    terminal.wait("ready\r\n");
    terminal
}

fn check(daemon: &Daemon, terminal: &mut Terminal) {
    daemon.ng(&["-n", "maker", "-f", &daemon.file("script", SCRIPT)]);
    let rows = [
        ("ng sho", "<show>"),
        ("ng show some_t", "<show some_tee:>"),
        ("ng show some_tee:l", "<show some_tee:left>"),
        ("ng mkpeer some_tee: one2", "<mkpeer some_tee: one2many>"),
        ("ng msg some_hole: getc", "<msg some_hole: getclrstats>"),
    ];
    for (typed, completed) in rows {
        terminal.press(typed);
        terminal.press("\t");
        terminal.press("\r");
        terminal.wait(completed);
    }
}

#[test]
fn bash_completes() {
    let daemon = Daemon::start();
    let setup = "source FOLDER/_ng; ng() { echo \"<$*>\"; }";
    check(&daemon, &mut shell(&daemon, "bash", &["--norc", "--noprofile"], setup));
}

#[test]
fn zsh_completes() {
    let daemon = Daemon::start();
    let setup = "fpath=(FOLDER $fpath); autoload -Uz compinit; compinit -u -D; ng() { echo \"<$*>\" }";
    check(&daemon, &mut shell(&daemon, "zsh", &["-f", "-i"], setup));
}

#[test]
fn fish_completes() {
    let daemon = Daemon::start();
    let setup = "source FOLDER/_ng; function ng; echo \"<$argv>\"; end";
    check(
        &daemon,
        &mut shell(&daemon, "fish", &["--no-config", "--interactive"], setup),
    );
}
