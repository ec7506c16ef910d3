//! Mistakes in keys and edges, with their places.

use super::{GOOD, read};

/// `GOOD` with one part replaced, the line and column of the error, and parts of what it says.
pub type Mistake = (&'static str, &'static str, (usize, usize), &'static str, &'static str);

pub fn check_mistakes(rows: &[Mistake]) {
    for (from, to, (line, column), message, hint) in rows {
        assert!(GOOD.contains(from), "{from}");
        let error = read(&GOOD.replacen(from, to, 1)).expect_err(to);
        let place = error.position.map(|place| (place.line, place.column));
        assert_eq!(place, Some((*line, *column)), "{error}");
        assert!(error.message.contains(message), "{error}");
        assert!(error.hint.as_deref().unwrap_or("").contains(hint), "{error}");
        assert!(error.others.is_empty(), "{error}");
    }
}

#[test]
fn mistakes_in_keys_are_found_where_they_are() {
    check_mistakes(&[
        (
            "version: 1",
            "version: 2",
            (1, 10),
            "version 2 of the syntax is not known",
            "version: 1",
        ),
        (
            "version: 1",
            "version: one",
            (1, 10),
            "version one of the syntax",
            "version: 1",
        ),
        (
            "version: 1",
            "version:",
            (1, 8),
            "`version` is a text, but this is empty",
            "",
        ),
        ("version: 1\n", "", (1, 1), "`version` is missing", "first line"),
        (
            "version: 1",
            "verison: 1",
            (1, 1),
            "unknown key `verison`",
            "did you mean `version`?",
        ),
        ("edges:", "egdes:", (8, 1), "unknown key", "did you mean `edges`?"),
        (
            "edges:",
            "loops: yes\nedges:",
            (8, 8),
            "`yes` has no meaning",
            "loops: allow",
        ),
        (
            "edges:",
            "jail: [ x ]\nedges:",
            (8, 7),
            "`jail` is a text, but this is a list",
            "",
        ),
        ("edges:", "types: x\nedges:", (8, 8), "`types` is a list", "`- `"),
        (
            "type: tee",
            "typ: tee",
            (6, 11),
            "unknown key `typ`",
            "did you mean `type`?",
        ),
        (
            "type: tee",
            "type:tee",
            (6, 11),
            "unknown key `type:tee`",
            "put a space behind the colon: `type: tee`",
        ),
        ("type: tee", "<<: tee", (6, 11), "merge keys", "whole value"),
        (
            "type: tee",
            "type: tee, type: tee",
            (6, 22),
            "there are two `type`; the first is in line 6",
            "",
        ),
        (
            "tap0: { type",
            "tap0:{ type",
            (6, 3),
            "`tap0:{ type` is no entry",
            "put a space behind the colon",
        ),
    ]);
}

#[test]
fn mistakes_in_edges_are_found_where_they_are() {
    check_mistakes(&[
        (
            "- wan.lower ",
            "- wam.lower",
            (9, 5),
            "there is no node `wam`",
            "did you mean `wan`?",
        ),
        (
            "wan.lower  --",
            "wan.lower  ->",
            (9, 5),
            "is no edge",
            "write `wan.lower -- tap0.left`",
        ),
        (
            "wan.lower  --",
            "wan.lower",
            (9, 5),
            "is no edge",
            "write `wan.lower -- tap0.left`",
        ),
        (
            "tap0.right -- ",
            "tap0.right - ",
            (10, 5),
            "is no edge",
            "write `tap0.right -- sw0.link0`",
        ),
        (
            "wan.lower  -- tap0.left",
            "wan.lower: tap0.left",
            (9, 5),
            "but this is a mapping",
            "without a colon",
        ),
        (
            "wan.lower  -- tap0.left",
            "[ a, b ]",
            (9, 5),
            "but this is a list",
            "- wan.lower -- tap0.left",
        ),
        (
            "wan.lower  --",
            "wan  --",
            (9, 5),
            "`wan` is no end of an edge",
            "an edge is written",
        ),
        (
            "wan.lower  --",
            "wan:lower  --",
            (9, 5),
            "is no end of an edge",
            "write `wan.lower`",
        ),
        (
            "tap0.left",
            "tap0.left.x",
            (9, 19),
            "contains '.'",
            "an edge is written",
        ),
        (
            "tap0.left",
            "tap0.lefft",
            (9, 19),
            "has no hook `lefft`",
            "did you mean `left`?",
        ),
        (
            "sw0.link0",
            "sw0.port0",
            (10, 19),
            "has no hook `port0`",
            "its hooks are `link0` onwards",
        ),
        (
            "sw0.link1",
            "sw0.link0",
            (11, 5),
            "is taken by the edge of line 10",
            "`sw0.link1` is free",
        ),
        (
            "- sw0.link1 -- lan",
            "- sw0.link1 -- sw0.link2\n  - sw0.link3 -- lan",
            (11, 5),
            "from `sw0` to itself",
            "",
        ),
    ]);
}
