//! `ng` on a terminal: the prompt, its keys, and what comes meanwhile.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

mod common;

use common::Daemon;
use common::terminal::Terminal;

/// Keys.
const TAB: &str = "\t";
const UP: &str = "\x1b[A";
const ENTER: &str = "\r";
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";

#[test]
fn lines_are_run_and_failures_do_not_end_it() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::start(&daemon, "ng", None);
    terminal.wait("ng> ");
    terminal.press("mkpeer tee a left\r");
    terminal.wait("ng> ");
    terminal.press("name a tap0\r");
    terminal.press("show nosuch:\r");
    terminal.wait("there is no node `nosuch:`");
    terminal.press("list\r");
    terminal.wait("NAME");
    terminal.wait("tap0");
    terminal.press_at_prompt("ng> ", CTRL_C);
    terminal.wait("ng> ");
    terminal.press("show tap0:\r");
    terminal.wait("tap0: tee [");
    terminal.press("quit\r");
    assert!(terminal.end().success());
}

#[test]
fn tab_completes_what_is_alive() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::start(&daemon, "ng", None);
    terminal.wait("ng> ");
    terminal.press("mkpeer tee a left\rname a some_tee\r");
    terminal.wait("name a some_tee");
    terminal.wait("ng> ");
    terminal.press("sh");
    terminal.press(TAB);
    terminal.press("ow som");
    terminal.press(TAB);
    terminal.wait("some_tee:");
    terminal.press(TAB);
    terminal.wait("some_tee:left");
    terminal.press(ENTER);
    terminal.wait("socket [");
    terminal.press("mkpeer some_tee: bri");
    terminal.press(TAB);
    terminal.wait("bridge ");
    terminal.press("left2");
    terminal.press(TAB);
    terminal.wait("left2right ");
    terminal.press("upl");
    terminal.press(TAB);
    terminal.wait("uplink1 ");
    terminal.press(ENTER);
    terminal.wait("ng> ");
    terminal.press("msg some_tee:left2right getc");
    terminal.press(TAB);
    terminal.wait("getclrstats");
    terminal.wait("getconfig");
    terminal.press_at_prompt("getc", CTRL_C);
    terminal.wait("\n");
    terminal.press_at_prompt("ng> ", CTRL_D);
    assert!(terminal.end().success());
}

#[test]
fn lines_are_remembered_in_a_file_of_their_owner() {
    let daemon = Daemon::start();
    let home = daemon.folder.path().to_str().unwrap();
    for _ in 0..2 {
        let mut terminal = Terminal::start(&daemon, "ng", Some(home));
        terminal.wait("ng> ");
        terminal.press("types\r");
        terminal.wait("NODES");
        terminal.press_at_prompt("ng> ", CTRL_D);
        assert!(terminal.end().success());
    }
    let mut terminal = Terminal::start(&daemon, "ng", Some(home));
    terminal.wait("ng> ");
    terminal.press(UP);
    terminal.wait("types");
    terminal.press(ENTER);
    terminal.wait("NODES");
    terminal.press_at_prompt("ng> ", CTRL_D);
    assert!(terminal.end().success());
    let file = daemon.folder.path().join(".ng_history");
    assert!(fs::read_to_string(&file).unwrap().lines().any(|line| line == "types"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn packets_and_messages_are_shown_while_a_line_is_typed() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::start(&daemon, "ngctl", None);
    let help = terminal.wait("+ ");
    assert!(help.starts_with("Available commands:"), "{help}");
    terminal.press("mkpeer hub foo port\rname foo hub0\r");
    terminal.wait("name foo hub0");
    terminal.wait("+ ");
    terminal.press("show hub");
    terminal.wait("show hub");
    daemon.ng(&[
        "-f",
        &daemon.file("packet", "connect hub0: x other\nwrite x 0x68 0x65 0x79\n"),
    ]);
    terminal.wait("Rec'd data packet on hook \"foo\":");
    terminal.wait("0000:  68 65 79 ");
    terminal.wait("+ show hub");
    terminal.press("0:\r");
    terminal.wait("Name: hub0 ");
    terminal.press("msg . events 1\rmkpeer hole bar in\r");
    terminal.wait("Rec'd command \"hookconnected\"");
    terminal.press_at_prompt("+ ", CTRL_D);
    assert!(terminal.end().success());
}

#[test]
fn levels_are_changed_and_unknown_words_told() {
    let daemon = Daemon::start();
    let mut terminal = Terminal::start(&daemon, "ng", None);
    terminal.wait("ng> ");
    terminal.press("debug 1\rdebug\r");
    terminal.wait("Current debug level is 1");
    terminal.press("debug -\rfly\r");
    terminal.wait("ng: unrecognized subcommand 'fly'");
    terminal.press("exit\r");
    assert!(terminal.end().success());
}
