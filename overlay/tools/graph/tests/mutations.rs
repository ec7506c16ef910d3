//! Whatever is in a file: it is read or refused, never a panic, and each mistake has a place inside the file.

use std::path::Path;

use graph::{Error, Graph};
use proptest::prelude::*;

const EXAMPLES: [&str; 5] = [
    include_str!("../examples/bridge-tap.yaml"),
    include_str!("../examples/jail-switch.yaml"),
    include_str!("../examples/netflow.yaml"),
    include_str!("../examples/vlans.yaml"),
    include_str!("../examples/vm-switch.yaml"),
];

/// What a change puts in.
const PIECES: [&str; 30] = [
    "", " ", "  ", "\n", "\t", ":", ": ", "- ", "{", "}", "[", "]", ",", "\"", "'", "#", "&a ", "*a", "!t ", "|", ">",
    "---\n", "...\n", "--", ".", "\u{feff}", "\r\n", "ö", "\0", "%",
];

/// A change: a place and a length, in parts of the whole, and what stands there instead.
type Change = (f64, f64, usize);

fn changed(text: &str, changes: &[Change]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for &(place, length, piece) in changes {
        let start = (characters.len() as f64 * place) as usize;
        let end = (start + (length * 20.0) as usize).min(characters.len());
        characters.splice(start..end, PIECES[piece].chars());
    }
    characters.into_iter().collect()
}

/// Checks that a place is one in the text.
fn check_place(error: &Error, text: &str) -> Result<(), TestCaseError> {
    let place = error
        .position
        .ok_or_else(|| TestCaseError::fail(format!("{error}: no place")))?;
    let line = text.lines().nth(place.line - 1).unwrap_or("");
    prop_assert!(place.line >= 1 && place.line <= text.lines().count().max(1), "{error}");
    prop_assert!(place.column >= 1 && place.column <= line.chars().count() + 1, "{error}");
    prop_assert!(!error.message.is_empty());
    Ok(())
}

fn check(text: &str) -> Result<(), TestCaseError> {
    match Graph::parse(text, Path::new("graph.yaml")) {
        Ok(graph) => graph
            .warnings()
            .iter()
            .try_for_each(|warning| check_place(&warning.about, text)),
        Err(error) => error.all().try_for_each(|error| check_place(error, text)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_examples_are_read_or_refused(
        example in 0..EXAMPLES.len(),
        changes in prop::collection::vec((0.0..1.0, 0.0..1.0, 0..PIECES.len()), 1..6),
    ) {
        check(&changed(EXAMPLES[example], &changes))?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        check(&text)?;
        check(&format!("version: 1\nnodes:\n  {text}\n"))?;
    }
}
