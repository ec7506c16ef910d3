//! Which of two package versions is newer, by the rules that the Porter's Handbook gives for `PORTVERSION`,
//! `PORTREVISION` and `PORTEPOCH`.

use std::cmp::Ordering;

/// Compares versions such as `5.9_18,1`: epoch first, then version, then revision.
pub fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (Version::of(one), Version::of(other));
    let epochs = one.epoch.cmp(&other.epoch);
    let parts = epochs.then_with(|| compare_parts(one.main, other.main));
    parts.then(one.revision.cmp(&other.revision))
}

struct Version<'a> {
    main: &'a str,
    revision: u64,
    epoch: u64,
}

impl<'a> Version<'a> {
    fn of(text: &'a str) -> Self {
        let (rest, epoch) = split_number(text, ',');
        let (main, revision) = split_number(rest, '_');
        Self { main, revision, epoch }
    }
}

fn split_number(text: &str, separator: char) -> (&str, u64) {
    match text.rsplit_once(separator) {
        Some((rest, number)) => match number.parse() {
            Ok(number) => (rest, number),
            Err(_) => (text, 0),
        },
        None => (text, 0),
    }
}

/// A number with the letters behind it. `pl` is as good as nothing; `alpha`, `beta`, `pre` and `rc` come before it, and
/// any other letter after it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Part {
    number: u128,
    rank: i32,
    after: u128,
}

fn compare_parts(one: &str, other: &str) -> Ordering {
    let (one, other) = (parts(one), parts(other));
    let longest = one.len().max(other.len());
    let none = Part::default();
    let pairs = (0..longest).map(|at| one.get(at).unwrap_or(&none).cmp(other.get(at).unwrap_or(&none)));
    pairs.fold(Ordering::Equal, Ordering::then)
}

fn parts(text: &str) -> Vec<Part> {
    let pieces = text.split(['.', '+', '-', '_']).filter(|piece| !piece.is_empty());
    pieces.map(part).collect()
}

fn part(piece: &str) -> Part {
    let (number, rest) = leading_number(piece);
    let letters = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
    let (word, rest) = rest.split_at(letters);
    Part {
        number,
        rank: rank(word),
        after: leading_number(rest).0,
    }
}

fn rank(word: &str) -> i32 {
    match word {
        "" | "pl" => 0,
        "alpha" => -4,
        "beta" => -3,
        "pre" => -2,
        "rc" => -1,
        other => other.bytes().next().map_or(0, i32::from),
    }
}

fn leading_number(text: &str) -> (u128, &str) {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (
        text[..digits]
            .parse()
            .unwrap_or(if digits == 0 { 0 } else { u128::MAX }),
        &text[digits..],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handbook_s_order() {
        let rising = [
            "0.9",
            "1.0.alpha1",
            "1.0.rc2",
            "1.0",
            "1.0_1",
            "1.0_10",
            "1.0.1",
            "1.0a",
            "1.10",
            "2.0.20260101",
            "1.0,1",
        ];
        for pair in rising.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(compare("1.0", "1.0.0"), Ordering::Equal);
        assert_eq!(
            compare("99999999999999999999999999999999999999999", "1"),
            Ordering::Greater
        );
    }
}
