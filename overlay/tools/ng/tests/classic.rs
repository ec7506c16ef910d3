//! `ng` by the names ngctl and nghook, as scripts call them.

#![cfg(not(target_os = "freebsd"))]

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

mod common;

use common::{Daemon, error};

/// A folder with both programs.
fn programs(daemon: &Daemon) -> PathBuf {
    let folder = daemon.folder.path().join("bin");
    fs::create_dir(&folder).unwrap();
    for name in ["ngctl", "nghook"] {
        symlink(env!("CARGO_BIN_EXE_ng"), folder.join(name)).unwrap();
    }
    folder
}

/// Runs a shell script in which both programs can be called.
fn shell(daemon: &Daemon, programs: &Path, script: &str) -> Output {
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .env("PATH", path)
        .env("NG_HOSTED", daemon.socket());
    command.stdin(Stdio::null()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn scripts_parse_what_ngctl_prints() {
    let daemon = Daemon::start();
    let programs = programs(&daemon);
    let script = "set -e
        ngctl -n x -f - <<'END'
# a bridge between two hubs
mkpeer bridge a link0
name a bnet0

MKPEER bnet0: hub link1 port
name bnet0:link1 hub0
END
        ngctl l | grep hub0 | tail -n 1 | awk '{print $2, $4, $NF}'
        ngctl ls -n | head -n 1
        ngctl show hub0: | awk 'NR == 4 {print $1, $2, $3, $5}'
        ngctl msg bnet0: getconfig | head -n 1 | cut -d' ' -f 1-4
        ngctl status hub0:
        ngctl types | awk 'NR == 2 {print $1, $2, $3}'
        ngctl dot \"$OUT\" && grep -c 'bridge \\[' \"$OUT\"
        ngctl kill hub0:
        ngctl info hub0: >/dev/null 2>&1 || echo gone $?
        ngctl quit
    ";
    let drawing = daemon.folder.path().join("drawing");
    let script = script.replace("$OUT", &drawing.display().to_string());
    let output = shell(&daemon, &programs, &script);
    let expected = "hub0 hub 1\n\
                    There are 3 total named nodes:\n\
                    port bnet0 bridge link1\n\
                    Rec'd response \"getconfig\" (2)\n\
                    No status available for \"hub0:\"\n\
                    Type name Number\n\
                    1\n\
                    gone 71\n";
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output), expected);
}

#[test]
fn ngctl_ends_as_it_always_did() {
    let daemon = Daemon::start();
    let programs = programs(&daemon);
    let rows = [
        ("ngctl show nosuch:", 71, "ngctl: could not list the hooks of `nosuch:`"),
        ("ngctl show em0:", 71, "its node comes with `kldload ng_ether`"),
        ("ngctl show", 64, "usage: show <PATH>"),
        ("ngctl </dev/null", 64, "no command is given"),
        ("ngctl -x", 64, "Usage: ngctl [-d] [-f FILE]"),
        ("ngctl -f /nonexistent", 66, "could not read /nonexistent"),
        (
            "printf 'types\\n\\nshow nosuch:\\n' | ngctl -f - >/dev/null",
            71,
            "ngctl: line 3: error in file",
        ),
        ("ngctl -n a.b list", 64, "which a node name cannot"),
        ("nghook", 64, "Usage: nghook [-adlnSs]"),
        ("nghook -al nosuch: x", 71, "there is no node `nosuch:`"),
        ("nghook -e -a x: y z", 64, "cannot be used with"),
        ("ngctl -n x list | grep -c ' x '", 0, ""),
        ("ngctl ''", 0, ""),
        ("ngctl list | grep -q 'ngctl[0-9]'", 0, ""),
    ];
    for (script, status, said) in rows {
        let output = shell(&daemon, &programs, script);
        assert_eq!(output.status.code(), Some(status), "{script}: {output:?}");
        assert!(error(&output).contains(said), "{script}: {output:?}");
    }
}

#[test]
fn nghook_carries_packets_both_ways() {
    let daemon = Daemon::start();
    let programs = programs(&daemon);
    let script = "mkpeer hole a in\nname a hole0\nmkpeer hole0: hub side port\nname hole0:side hub0\n";
    daemon.ng(&["-f", &daemon.file("script", script)]);
    let mut receiver = Command::new(programs.join("nghook"));
    receiver.args(["-an", "hub0:", "out"]).env("NG_HOSTED", daemon.socket());
    let mut receiver = receiver.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    daemon.wait(&["show", "hub0:"], |text| text.contains("Num hooks: 2"));
    let mut sender = Command::new(programs.join("nghook"));
    let sender = sender
        .args(["-m", "setpersistent", "hub0:", "in"])
        .env("NG_HOSTED", daemon.socket());
    let mut sender = sender.stdin(Stdio::piped()).spawn().unwrap();
    sender.stdin.take().unwrap().write_all(b"seventeen bytes!!").unwrap();
    assert!(sender.wait().unwrap().success());
    let mut line = [0; 77];
    std::io::Read::read_exact(receiver.stdout.as_mut().unwrap(), &mut line).unwrap();
    receiver.kill().unwrap();
    receiver.wait().unwrap();
    let line = String::from_utf8_lossy(&line).into_owned();
    assert!(
        line.starts_with("0000:  73 65 76 65 6e 74 65 65 6e 20 62 79 74 65 73 21  seventeen bytes!"),
        "{line}"
    );
}

#[test]
fn standard_input_is_a_file_of_commands_when_nobody_types() {
    let daemon = Daemon::start();
    let mut ng = daemon.command(&["--json"]).stdin(Stdio::piped()).spawn().unwrap();
    let lines =
        "mkpeer hub a b\nname a hub0\nconnect hub0: hub0: x y\nwrite a 1 2\nrmhook a\nrmhook a\nshutdown hub0:\n";
    ng.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = ng.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let done: Vec<serde_json::Value> = text(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let verbs: Vec<_> = done.iter().map(|done| done["done"].as_str().unwrap()).collect();
    assert_eq!(
        verbs,
        ["mkpeer", "name", "connect", "write", "rmhook", "rmhook", "shutdown"]
    );
    assert_eq!(done[0]["node"]["type"], "hub");
    assert_eq!(
        (&done[4]["was_there"], &done[5]["was_there"]),
        (&true.into(), &false.into())
    );
    assert_eq!(done[6]["gone"], true);
}

#[test]
fn errors_are_json_when_output_is() {
    let daemon = Daemon::start();
    let rows = [
        (&["--json", "show", "nosuch:"][..], 71, "ENOENT"),
        (&["--json", "shwo"][..], 64, "unrecognized"),
        (&["--json", "apply", "/nonexistent"][..], 66, "/nonexistent"),
    ];
    for (arguments, status, part) in rows {
        let output = daemon.run(arguments);
        let said = error(&output);
        let report: serde_json::Value = serde_json::from_str(&said).expect(&said);
        assert_eq!(
            (&report["status"], output.status.code()),
            (&status.into(), Some(status)),
            "{said}"
        );
        assert!(report["error"].as_str().unwrap().contains(part), "{said}");
        assert!(
            !report["hints"].as_array().unwrap().is_empty() || status == 66,
            "{said}"
        );
    }
}

#[test]
fn tables_can_be_had_anywhere() {
    let daemon = Daemon::start();
    let table = daemon.ng(&["--table", "-n", "x", "list"]);
    assert!(
        table.starts_with("NAME  TYPE    ID   HOOKS\nx     socket  ["),
        "{table}"
    );
    let plain = daemon.ng(&["--plain", "list"]);
    assert!(plain.starts_with("There are 1 total nodes:\n"), "{plain}");
    assert_eq!(daemon.run(&["--plain", "--table", "list"]).status.code(), Some(64));
}
