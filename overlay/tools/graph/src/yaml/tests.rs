//! Trees, and texts that are none.

use super::*;

#[test]
fn every_part_knows_its_place() {
    let value = read("a: [ x, 'y' ]\n# comment\nö:\n  - { b: ~ }\n").unwrap();
    let What::Map(entries) = &value.what else {
        panic!("{value:?}")
    };
    let [(a, list), (o, second)] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!((a.text.as_ref(), a.at.line, a.at.column), ("a", 1, 1));
    assert_eq!((o.text.as_ref(), o.at.line, o.at.column), ("ö", 3, 1));
    let What::List(items) = &list.what else {
        panic!("{list:?}")
    };
    let told: Vec<_> = items.iter().map(|item| (item.text(), item.at.column)).collect();
    assert_eq!(told, [(Some("x"), 6), (Some("y"), 9)]);
    assert_eq!((second.kind(), second.at.line, second.at.column), ("a list", 4, 3));
}

/// What a text reads as, and whether it is taken from where it stands.
fn texts(text: &str) -> Vec<(String, bool)> {
    let What::List(items) = read(text).unwrap().what else {
        panic!("{text}")
    };
    let told = items.into_iter().map(|item| match item.what {
        What::Plain(text) | What::Quoted(text) => (text.to_string(), matches!(text, Cow::Borrowed(_))),
        other => panic!("{other:?}"),
    });
    told.collect()
}

#[test]
fn texts_are_where_they_stand_or_what_they_are_meant_to_be() {
    let read = |text: &str, in_place| (text.to_owned(), in_place);
    let text = "- a.b -- c.d # and so on\n- over\n  two lines\n- 'it''s'\n- after ö\n- öö\n- a\n- öa\n- bbbb\n";
    let expected = [
        read("a.b -- c.d", true),
        read("over two lines", false),
        read("it's", false),
        read("after ö", true),
        read("öö", false),
        read("a", false),
        read("öa", false),
        read("bbbb", false),
    ];
    assert_eq!(texts(text), expected);
}

#[test]
fn aliases_stand_for_their_anchors() {
    let value = read("a: &x [1, 2]\nb: *x\n").unwrap();
    let What::Map(entries) = value.what else { panic!() };
    assert_eq!(entries[0].1.size(), entries[1].1.size());
    assert_eq!(entries[1].1.at, Position { line: 2, column: 4 });
}

#[test]
fn a_file_cannot_be_blown_up() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{before}]\n");
    }
    assert!(read(&text).unwrap_err().message.contains("beyond measure"));
    let deep = "[".repeat(100_000);
    assert!(read(&deep).unwrap_err().message.contains("inside each other"));
}

/// A text, where the mistake is, what is said and what to do.
#[test]
fn mistakes_are_told_in_plain_words() {
    let rows = [
        ("a:\n\tb: 1\n", (2, 1), "this line is indented with a tab", "spaces"),
        ("a: 1\n\tb: 2\n", (2, 1), "this line is indented with a tab", "spaces"),
        (
            "n:\n  a: 1\n b: 2\n",
            (3, 2),
            "this line is indented like nothing above it",
            "same column",
        ),
        (
            "e:\n  - x\n - y\n",
            (3, 2),
            "this line is indented like nothing above it",
            "same column",
        ),
        (
            "a: 1\n  b: 2\n",
            (2, 3),
            "this line is indented deeper than line 1",
            "same column",
        ),
        ("a: b: c\n", (1, 5), "there is a second `: ` in this line", "quotes"),
        (
            "a\nb: 3\n",
            (1, 1),
            "this line is no entry: it has no `:`",
            "`key: value`",
        ),
        (
            "a: 1\nb 2\nc: 3\n",
            (2, 1),
            "this line is no entry: it has no `:`",
            "`key: value`",
        ),
        (
            "e:\n  - a.x -- b.x\n  a.y -- b.y\n",
            (3, 3),
            "this edge has no `- ` in front",
            "- node.hook",
        ),
        (
            "version:1\nnodes:\n",
            (1, 1),
            "there is no space behind the `:`",
            "`key: value`",
        ),
        (
            "a: - b\n",
            (1, 4),
            "a list cannot start in the middle of a line",
            "line of its own",
        ),
        ("n: [\n", (1, 4), "the `[` that stands here is not closed", "`]`"),
        (
            "n:\n  a: { t: x\n  b: 1\ne: []\n",
            (2, 6),
            "the `{` that stands here is not closed",
            "`}`",
        ),
        (
            "a: {t: b i: c}\n",
            (1, 11),
            "this does not belong between `{` and `}`",
            "`{ type: tee",
        ),
        ("a: 1 }\nb: }\n", (2, 4), "this bracket closes nothing", ""),
        ("a: \"x\n", (1, 4), "the quote that starts here does not end", ""),
        (
            "a: 'x' y\n",
            (1, 8),
            "there is something behind the closing quote",
            "quotes",
        ),
        (
            "a: \"\\q\"\n",
            (1, 4),
            "a backslash inside double quotes",
            "single quotes",
        ),
        ("a: @x\n", (1, 4), "a text cannot start with `@`", "quotes"),
        ("a: *x\n", (1, 4), "there is no anchor", ""),
        ("a: !x 1\n", (1, 4), "a tag (`!...`) has no meaning", "leave it out"),
        ("a: 1\n---\nb: 2\n", (2, 1), "a second document starts here", "`---`"),
        ("? [a]\n: 1\n", (1, 3), "a key has to be a text", ""),
        ("# nothing\n", (1, 1), "there is no graph in this file", "version: 1"),
    ];
    for (text, (line, column), message, hint) in rows {
        let mistake = read(text).unwrap_err();
        assert!(mistake.message.starts_with(message), "{text:?}: {mistake:?}");
        assert_eq!(mistake.at, Position { line, column }, "{text:?}: {mistake:?}");
        assert!(mistake.hint.unwrap_or_default().contains(hint), "{text:?}");
    }
}
