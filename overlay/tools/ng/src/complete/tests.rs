//! What is offered, on a netgraph in memory.

use std::io;

use netgraph::fake::Fake;

use super::*;
use crate::script::{self, Line};
use crate::session::tests::session;
use crate::words;

/// em0 with a tee called tap on its lower hook, a hub without a name on ng's own hook `out`.
fn offered(line: &str) -> Vec<String> {
    let fake = Fake::with_interfaces(&["em0", "em1"]);
    let mut session = session(fake, false, Box::new(io::sink()));
    for line in ["mkpeer em0: tee lower left", "name em0:lower tap", "mkpeer hub out in"] {
        let runner: script::Runner<'_, Fake> = &|command, session| match command {
            crate::cli::Command::Verb(verb) => verb.run(session),
            other => panic!("{other:?}"),
        };
        script::line(&mut session, line, runner).unwrap();
    }
    let (words, current) = line.rsplit_once(' ').unwrap_or(("", line));
    let words: Vec<&str> = words.split_whitespace().collect();
    let completion = complete(&words::grammar::<Line>(), &words, current, &mut session);
    completion
        .candidates
        .into_iter()
        .map(|candidate| candidate.word)
        .collect()
}

#[test]
fn what_is_offered_fits_the_place() {
    let rows: [(&str, &[&str]); 20] = [
        ("mk", &["mkpeer"]),
        ("show t", &["tap:"]),
        ("show em", &["em0:", "em1:"]),
        ("show em0:", &["em0:lower"]),
        ("show em0:lower.", &["em0:lower.left"]),
        ("show o", &["out"]),
        ("show out.", &["out.in"]),
        ("inq ta", &["tap:"]),
        ("show -", &["-n", "--help", "-h"]),
        ("mkpeer hu", &["hub"]),
        ("mkpeer em1: bri", &["bridge"]),
        ("mkpeer em1: bridge l", &["lower"]),
        ("mkpeer em0: bridge l", &[]),
        ("mkpeer em1: bridge lower ", &["link0", "uplink1"]),
        ("connect em1: tap: u", &["upper"]),
        ("connect em1: tap: lower ", &["left2right", "right", "right2left"]),
        ("rmhook tap: ", &["left"]),
        ("msg em0: setp", &["setpromisc"]),
        ("write ", &["out"]),
        ("help lis", &["list"]),
    ];
    for (line, expected) in rows {
        let mut expected: Vec<_> = expected.to_vec();
        let found = offered(line);
        expected.retain(|word| found.iter().any(|found| found == word) || !word.contains("help") && *word != "-h");
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn unnamed_nodes_are_offered_by_id_and_sockets_when_begun() {
    assert!(offered("show ").iter().any(|word| word.starts_with('[')));
    assert!(!offered("show ").contains(&"ng1:".to_owned()));
    assert!(offered("show n").contains(&"ng1:".to_owned()));
    assert!(offered("show [").iter().any(|word| word == "[1]:"));
}

#[test]
fn files_are_asked_for_where_they_can_stand() {
    let grammar = words::grammar::<crate::cli::Opt>();
    let asks = |words: &[&str]| complete(&grammar, words, "", &mut Nothing).files;
    assert!(asks(&["apply"]) && asks(&["-f"]) && asks(&["--json", "read"]));
    assert!(!asks(&["show"]) && !asks(&["-n"]) && !asks(&[]));
}

#[test]
fn without_a_kernel_there_are_words_all_the_same() {
    let grammar = words::grammar::<crate::cli::Opt>();
    let words = |words: &[&str], current: &str| complete(&grammar, words, current, &mut Nothing).candidates;
    assert!(words(&[], "sho").iter().any(|candidate| candidate.word == "show"));
    assert!(
        words(&["mkpeer"], "one")
            .iter()
            .any(|candidate| candidate.word == "one2many")
    );
    assert!(
        words(&["-n", "x", "list"], "--j")
            .iter()
            .any(|candidate| candidate.word == "--json")
    );
}
