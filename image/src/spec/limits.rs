//! What an appliance file may not ask for, however well-formed it is: paths that leave the root, text that would be
//! something else where it is written, sizes that no machine has.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Bytes, Spec};

/// The largest disk: 16 TiB.
const LARGEST_DISK: u64 = 16 << 40;
/// More patterns than this are no list that somebody wrote.
const MOST_PATTERNS: usize = 2_000;
/// The longest pattern, in bytes: MAXPATHLEN of FreeBSD.
const LONGEST_PATTERN: usize = 1_024;
/// The largest appliance file, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Lists and maps in each other.
const DEEPEST: usize = 100;

/// The key at fault and what is wrong with it.
type Complaint = (&'static str, String);

/// The text of an appliance file.
///
/// # Errors
/// It cannot be read, is not text, or is larger than any appliance file is.
pub fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LARGEST_FILE + 1).read_to_string(&mut text)?;
    match text.len() as u64 {
        0..=LARGEST_FILE => Ok(text),
        _ => Err(io::Error::other(format!(
            "it is larger than {} MiB",
            LARGEST_FILE >> 20
        ))),
    }
}

/// The first line in which lists and maps lie deeper in each other than anybody writes them: to read on would take time
/// that grows with the square of the depth. Brackets in quotes and comments count, too; nobody leaves so many open there.
pub fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (line, number) in text.lines().zip(1..) {
        let dashes = line.split(' ').take_while(|word| matches!(*word, "" | "-" | "?"));
        if dashes.filter(|word| !word.is_empty()).count() > DEEPEST {
            return Some(number);
        }
        for character in line.chars() {
            match character {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Some(number);
            }
        }
    }
    None
}

/// Checks everything.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(spec: &Spec) -> Result<(), Complaint> {
    path("module", &spec.module)?;
    path("tools", &spec.tools)?;
    for file in &spec.files {
        path("files", &file.path)?;
    }
    patterns("prune", &spec.prune)?;
    patterns("keep", &spec.keep)?;
    settings("rc_conf", &spec.rc_conf, |c| c.is_ascii_alphanumeric() || c == '_')?;
    settings("loader_conf", &spec.loader_conf, |c| {
        c.is_ascii_alphanumeric() || "_.-%".contains(c)
    })?;
    for size in [spec.disk.size, spec.disk.free].into_iter().flatten() {
        disk(size)?;
    }
    Ok(())
}

fn path(key: &'static str, path: &str) -> Result<(), Complaint> {
    let names: Vec<&str> = path.trim_matches('/').split('/').collect();
    if names.iter().any(|name| matches!(*name, "" | "." | "..")) {
        return Err((key, format!("`{}` is not a path below the root", path.escape_debug())));
    }
    without_controls(key, path)
}

fn without_controls(key: &'static str, text: &str) -> Result<(), Complaint> {
    match text.chars().find(|c| c.is_control()) {
        Some(bad) => Err((
            key,
            format!(
                "`{}` has the character {} in it",
                text.escape_debug(),
                bad.escape_unicode()
            ),
        )),
        None => Ok(()),
    }
}

fn patterns(key: &'static str, patterns: &[String]) -> Result<(), Complaint> {
    if patterns.len() > MOST_PATTERNS {
        return Err((
            key,
            format!("{} patterns; {MOST_PATTERNS} are the most", patterns.len()),
        ));
    }
    for pattern in patterns {
        without_controls(key, pattern)?;
        if pattern.len() > LONGEST_PATTERN {
            return Err((
                key,
                format!("a pattern of {} bytes; {LONGEST_PATTERN} are the most", pattern.len()),
            ));
        }
        path(key, pattern)?;
    }
    Ok(())
}

/// Names are written as they stand, and values between double quotes on one line.
fn settings<'a>(
    key: &'static str,
    settings: impl IntoIterator<Item = (&'a String, &'a String)>,
    plain: impl Fn(char) -> bool,
) -> Result<(), Complaint> {
    for (name, value) in settings {
        if name.is_empty() || !name.chars().all(&plain) {
            return Err((key, format!("`{}` is not the name of a setting", name.escape_debug())));
        }
        without_controls(key, value)?;
    }
    Ok(())
}

fn disk(size: Bytes) -> Result<(), Complaint> {
    match size.0 {
        0..=LARGEST_DISK => Ok(()),
        more => Err(("disk", format!("{more} bytes; {} TiB is the most", LARGEST_DISK >> 40))),
    }
}
