//! What the pages have to have, and what mandoc(1) says about them.

use std::io::Write;
use std::process::{Command as Process, Stdio};

use super::*;

#[test]
fn help_becomes_mdoc() {
    let rows = [
        ("Only nodes", "Only nodes.\n"),
        ("The node `x:`, or `.`", "The node\n.Ql x: ,\nor\n.Ql \\&. .\n"),
        (
            "Does what nghook(8) does (see ng_tee(4)).",
            "Does what\n.Xr nghook 8\ndoes (see\n.Xr ng_tee 4 ) .\n",
        ),
        (
            "lead further (`em0:lower`). A",
            "lead further\n.Ql ( em0:lower ) .\nA.\n",
        ),
        (
            ".x and PATH, too\n\n'y \\",
            "\\&.x and\n.Ar path ,\ntoo.\n.Pp\n\\&'y \\e.\n",
        ),
    ];
    for (help, page) in rows {
        assert_eq!(prose(help), page, "{help}");
    }
}

#[test]
fn every_command_has_its_subsection() {
    let page = ng();
    let grammar = words::grammar::<Opt>();
    for command in grammar.get_subcommands() {
        let title = format!("\n.Ss {}\n", command.get_name());
        assert_eq!(page.contains(&title), !command.is_hide_set(), "{}", command.get_name());
    }
    for part in [
        ".It Fl -json\n",
        ".Op Ar path\n.Ar type\n.Ar hook\n.Ar peerhook\n",
        ".It 71\n",
        ".Op Fl c Ar n\n",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("\n@"), "{page}");
}

#[test]
fn mandoc_finds_nothing_wrong() {
    for page in [ng(), graph()] {
        let lint = Process::new("mandoc")
            .args(["-T", "lint", "-W", "warning"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut lint = lint.expect("mandoc, which scripts/setup installs");
        lint.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        let output = lint.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
