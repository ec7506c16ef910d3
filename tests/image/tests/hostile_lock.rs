//! Lock files and file lists that are wrong or meant to harm: each is refused, with its place, the cause and the way out.

use std::fs;
use std::path::Path;

use ngforge_image::lock::Lock;
use ngforge_image::provenance::Account;

fn refused(text: &str, cause: &str) {
    let message = Lock::parse(text, Path::new("appliance.lock")).unwrap_err().to_string();
    assert!(message.starts_with("appliance.lock:"), "{message}");
    assert!(message.contains(cause), "`{cause}` is not in: {message}");
    assert!(message.contains("\nhint: "), "{message}");
}

fn pin(body: &str) -> String {
    format!("version: 1\nlocks:\n  freebsd-14.3:\n    inputs:\n      base.txz: {body}\n")
}

#[test]
fn files_that_are_no_locks() {
    refused("", "");
    refused("just words", "invalid type");
    refused("[1, 2, 3]", "");
    refused("\u{0}\u{1}", "control characters are not allowed");
    refused("locks: {}", "missing field `version`");
}

#[test]
fn versions_that_nobody_knows() {
    refused("version: 2", "1:1: version 2 is not known; this is version 1");
    refused("version: -1", "invalid type");
    refused("version: 99999999999999999999", "invalid");
}

#[test]
fn keys_that_are_misspelt_or_twice() {
    refused("version: 1\nlokcs: {}", "2:1: unknown key `lokcs`");
    refused(&pin("{sha265: x}"), "unknown key `sha265`");
    refused("version: 1\nversion: 1", "duplicate");
}

#[test]
fn sums_that_are_none() {
    refused(&pin("{}"), "5:7: `base.txz` has neither `sha256` nor `version`");
    refused(&pin("{sha256: abc}"), "5:7: `base.txz` has `abc`, which is no SHA-256");
    refused(&pin(&format!("{{sha256: {}}}", "A".repeat(64))), "which is no SHA-256");
    refused(&pin(&format!("{{sha256: {}}}", "é".repeat(32))), "which is no SHA-256");
    refused(&pin("[a]"), "invalid type");
    refused(&pin("{sha256: [a]}"), "invalid type");
}

#[test]
fn files_that_would_eat_memory_or_stack() {
    refused(&"#".repeat(5 << 20), "has more than 4 MiB");
    refused(
        &format!("version: 1\nlocks: {}", "[\n".repeat(1_000_000)),
        "more than 16 brackets",
    );
    refused(
        &format!("locks: {}", "- ".repeat(1_000_000)),
        "a line of more than 2048 bytes",
    );
    let mut bombs = String::from("version: 1\na0: &a0 [x]\n");
    for level in 1..40 {
        let below = level - 1;
        bombs.push_str(&format!(
            "a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}]\n"
        ));
    }
    refused(&bombs, "unknown key `a0`");
}

#[test]
fn lists_of_files_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.files.json");
    let message = Account::load(&path).unwrap_err().to_string();
    assert!(message.contains("could not be read"), "{message}");
    let other = r#"{"format":"else","image":"x","inputs":{},"files":[],"pruned":[]}"#;
    let deep = "[".repeat(200_000);
    for (text, cause) in [
        ("", "is no list of files"),
        ("[]", "is no list of files"),
        (other, "is `else`, not `ngforge files 1`"),
        (&deep, "is no list of files"),
    ] {
        fs::write(&path, text).unwrap();
        let message = Account::load(&path).unwrap_err().to_string();
        assert!(message.contains(cause) && message.contains("hint: "), "{message}");
    }
}
