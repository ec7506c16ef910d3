//! Messages about the appliance file and the parts file: where, what, and what was probably meant.

use std::path::Path;

use crate::error::Error;

/// What serde says before the names of an unknown key.
const UNKNOWN: &str = "unknown field `";

/// The word nearest to `word`, if one is near enough to have been meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate));
    let (distance, candidate) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + word.len() / 3).then_some(candidate)
}

/// Turns serde's message into one with a place and a suggestion, or with a pointer to the `documentation`.
pub(crate) fn spec_error(error: &serde_yaml::Error, text: &str, file: &Path, documentation: &str) -> Error {
    let message = error.to_string();
    let (mut line, mut column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    let (cause, hint) = match unknown_key(&message) {
        Some((key, known)) => {
            (line, column) = locate(text, key, line).unwrap_or((line, column));
            (format!("unknown key `{key}`"), suggestion(key, &known))
        }
        None => (without_location(&message).to_string(), documentation.into()),
    };
    Error::Spec {
        file: file.to_path_buf(),
        line,
        column,
        cause,
        hint,
    }
}

/// The key that is unknown, and the ones that are known, from serde's message.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let (_, rest) = message.split_once(UNKNOWN)?;
    let (key, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    Some((key, known))
}

fn without_location(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(cause, _)| cause)
}

fn suggestion(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("known keys: {}", known.join(", ")),
    }
}

/// Line and column of a key, from 1: near `line` if there are several.
fn locate(text: &str, key: &str, line: usize) -> Option<(usize, usize)> {
    let places = text.lines().zip(1usize..).filter_map(|(content, number)| {
        let at = content.find(key)?;
        let before = content[..at].chars().next_back();
        let after = content[at + key.len()..].trim_start().starts_with(':');
        let word = before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        (word && after).then_some((number, at + 1))
    });
    places.min_by_key(|(number, _)| number.abs_diff(line))
}

/// Line and column of a key at any level; the beginning if it is not there.
pub(crate) fn find_word(text: &str, key: &str) -> (usize, usize) {
    if key.is_empty() {
        return (1, 1);
    }
    locate(text, key, 1).unwrap_or((1, 1))
}

/// Line and column of a key at the top level; the beginning if it is not there.
pub(crate) fn find_key(text: &str, key: &str) -> (usize, usize) {
    let lines = text.lines().zip(1..);
    let mut found = lines.filter(|(line, _)| {
        line.strip_prefix(key)
            .is_some_and(|rest| rest.trim_start().starts_with(':'))
    });
    found.next().map_or((1, 1), |(_, number)| (number, 1))
}

/// How many letters must be changed, added or removed to make one word the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.chars().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("nics", "nics"), 0);
    }

    #[test]
    fn keys_are_whole_words() {
        assert_eq!(locate("a_key: 1\nkey : 2\n", "key", 1), Some((2, 1)));
    }
}
