//! Hostile appliance files: each refused with a message that names file, line and cause, in bounded time and memory.

use std::fs;
use std::path::Path;

use image_tests::fixture::SPEC;
use ngforge_image::spec::Spec;

/// The message of what is refused.
fn refusal(text: &str) -> String {
    let message = Spec::parse(text, Path::new("a.yaml")).unwrap_err().to_string();
    assert!(message.starts_with("a.yaml:"), "no place is named: {message:.300}");
    assert!(message.contains("\nhint: "), "no way out is named: {message:.300}");
    message
}

fn refused(extra: &str, expected: &str) {
    let message = refusal(&format!("{SPEC}{extra}"));
    assert!(message.contains(expected), "{extra:.200}: {message:.400}");
}

#[test]
fn aliases_that_multiply() {
    let mut text = format!("{SPEC}rc_conf:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let last = format!("*a{}", level - 1);
        let row = [last.as_str(); 9].join(", ");
        text.push_str(&format!("  a{level}: &a{level} [{row}]\n"));
    }
    let message = refusal(&text);
    assert!(
        message.contains("repetition limit") || message.contains("invalid type"),
        "{message:.300}"
    );
}

#[test]
fn aliases_that_multiply_in_a_list_of_patterns() {
    let mut text = format!("{SPEC}x: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let row = [format!("*a{}", level - 1).as_str(); 9].join(", ");
        text.push_str(&format!("y{level}: &a{level} [{row}]\n"));
    }
    text.push_str("prune: *a11\n");
    refusal(&text);
}

#[test]
fn an_anchor_that_holds_itself() {
    refused("rc_conf: &a {b: *a}\n", "");
}

#[test]
fn lists_without_end() {
    let deep = "[".repeat(100_000);
    refused(&format!("prune: {deep}\n"), "a.yaml:6:1: lists or maps lie too deep");
    let dashes = "- ".repeat(100_000);
    refused(
        &format!("prune:\n  {dashes}a\n"),
        "a.yaml:7:1: lists or maps lie too deep",
    );
}

#[test]
fn maps_without_end() {
    let deep = "{a: ".repeat(20_000);
    refused(&format!("disk: {deep}\n"), "a.yaml:6:1: lists or maps lie too deep");
}

#[test]
fn wrong_types() {
    for (extra, expected) in [
        ("prune: usr\n", "a.yaml:6:"),
        ("keep: {a: b}\n", "a.yaml:6:"),
        ("keep: [[a]]\n", "a.yaml:6:"),
        ("files: 7\n", "a.yaml:6:"),
        ("rc_conf: [a]\n", "a.yaml:6:"),
        ("formats: [floppy]\n", "floppy"),
        (
            "profile: tinny\n",
            "unknown variant `tinny`, expected one of `full`, `net`, `tiny`",
        ),
        ("profile: [net]\n", "a.yaml:6:"),
        ("profile: !net x\n", "a.yaml:6:"),
        ("sets: {base: 1}\n", "a.yaml:6:"),
    ] {
        refused(extra, expected);
    }
}

#[test]
fn numbers_beyond_all_bounds() {
    let spec = |line: &str| SPEC.replace("disk: {free: 32 MiB}", line);
    for (line, expected) in [
        ("disk: {size: 99999999999999999999}", "99999999999999999999"),
        ("disk: {size: 16777216 TiB}", "is not a size"),
        ("disk: {size: 8388607 TiB}", "16 TiB is the most"),
        ("disk: {free: 17 TiB}", "16 TiB is the most"),
        ("disk: {size: -1}", "is not a size"),
        ("disk: {size: 1e300}", "is not a size"),
        ("disk: {size: .inf}", "is not a size"),
    ] {
        let message = refusal(&spec(line));
        assert!(message.contains(expected), "{line}: {message}");
    }
    assert!(refusal(&SPEC.replace("nics: 3", "nics: 70000")).contains("70000"));
    assert!(refusal(&SPEC.replace("nics: 3", "nics: -1")).contains("-1"));
}

#[test]
fn paths_that_leave_the_root() {
    for path in ["../etc/passwd", "/etc/../../x", "/", "", "etc//x", "./x", "a/./b"] {
        refused(
            &format!("files: [{{path: '{path}', source: x}}]\n"),
            "is not a path below the root",
        );
        refused(&format!("module: '{path}'\n"), "is not a path below the root");
        refused(&format!("tools: '{path}'\n"), "is not a path below the root");
    }
    refused("prune: [../usr]\n", "`../usr` is not a path below the root");
    refused("keep: ['']\n", "is not a path below the root");
}

#[test]
fn bytes_that_are_no_text() {
    refused(
        "files: [{path: \"etc/a\\0b\", source: x}]\n",
        "`etc/a\\0b` has the character",
    );
    refused("prune: [\"usr/\\0\"]\n", "has the character");
    refused("keep: [\"usr/\\e[2J\"]\n", "has the character");
    refused("rc_conf: {a: \"b\\0\"}\n", "has the character");
    refusal(&format!("{SPEC}\0prune: []\n"));
}

#[test]
fn settings_that_would_be_commands() {
    refused("rc_conf: {'a; reboot; b': x}\n", "is not the name of a setting");
    refused("rc_conf: {'$(reboot)': x}\n", "is not the name of a setting");
    refused("rc_conf: {'': x}\n", "is not the name of a setting");
    refused("rc_conf: {a: \"x\\nreboot\"}\n", "has the character");
    refused("loader_conf: {'exec=x': y}\n", "is not the name of a setting");
    refused("loader_conf: {a: \"x\\nexec=boom\"}\n", "has the character");
}

#[test]
fn names_that_would_be_paths_or_commands() {
    for (from, to, expected) in [
        ("name: test", "name: ../x", "is not a file name"),
        ("name: test", "name: .hidden", "is not a file name"),
        ("hostname: gate", "hostname: 'x; reboot'", "is not a host name"),
        ("release: \"14.3\"", "release: ../14.3", "is not a release"),
    ] {
        let message = refusal(&SPEC.replace(from, to));
        assert!(message.contains(expected), "{to}: {message}");
    }
    refused("label: 'a/../b'\n", "is not a label");
}

#[test]
fn lists_that_nobody_wrote() {
    let many = "a, ".repeat(3_000);
    refused(&format!("prune: [{many}]\n"), "3000 patterns; 2000 are the most");
    let long = "a".repeat(5_000);
    refused(
        &format!("keep: [{long}]\n"),
        "a pattern of 5000 bytes; 1024 are the most",
    );
}

#[test]
fn keys_given_twice_and_documents_given_twice() {
    refused("nics: 2\n", "duplicate");
    refused("---\nname: other\n", "more than one document");
}

#[test]
fn a_file_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("appliance.yaml");
    fs::write(&file, format!("{SPEC}#{}\n", "x".repeat(2 << 20))).unwrap();
    let message = Spec::load(&file).unwrap_err().to_string();
    assert!(message.contains("it is larger than 1 MiB"), "{message}");
    let message = Spec::load(Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(message.contains("it is larger than 1 MiB"), "{message}");
}
