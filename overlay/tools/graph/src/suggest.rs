//! "Did you mean".

use std::fmt::Display;

/// As many candidates are listed at most.
const MAX_LISTED: usize = 12;

/// The candidate that is most like the text, if exactly one is, and is like enough to be a slip of the fingers.
pub fn nearest<'a, T: AsRef<str> + ?Sized + 'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a T>,
) -> Option<&'a str> {
    let allowed = (text.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(text, candidate.as_ref()), candidate.as_ref()))
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    match near.as_slice() {
        [(first, _), (second, _), ..] if first == second => None,
        [(_, candidate), ..] => Some(candidate),
        [] => None,
    }
}

/// The hint that names the nearest candidate, or else all of them.
pub fn hint<T: AsRef<str>>(text: &str, candidates: &[T]) -> Option<String> {
    if let Some(candidate) = nearest(text, candidates.iter().map(AsRef::as_ref)) {
        return Some(format!("did you mean `{candidate}`?"));
    }
    let verb = if candidates.len() == 1 { "is" } else { "are" };
    let (shown, more) = candidates.split_at(candidates.len().min(MAX_LISTED));
    let listed = listed(shown.iter().map(AsRef::as_ref));
    match (shown.len(), more.len()) {
        (0, _) => None,
        (_, 0) => Some(format!("there {verb} {listed}")),
        (_, more) => Some(format!("there are {listed}, and {more} more")),
    }
}

/// "`a`, `b` and `c`".
pub fn listed<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
    match items.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let keys = ["interface", "type", "messages"];
        let rows = [
            ("interfce", Some("interface")),
            ("tpye", Some("type")),
            ("colour", None),
        ];
        for (text, expected) in rows {
            assert_eq!(nearest(text, keys), expected, "{text}");
        }
    }

    #[test]
    fn between_equally_near_ones_there_is_no_guess() {
        assert_eq!(nearest("vtnet9", ["vtnet0", "vtnet1"]), None);
        assert_eq!(nearest("vtnet9", ["vtnet0", "em0"]), Some("vtnet0"));
    }

    #[test]
    fn without_a_near_one_all_are_listed() {
        assert_eq!(
            hint("colour", &["left", "right", "x"]).unwrap(),
            "there are `left`, `right` and `x`"
        );
        assert_eq!(hint::<&str>("colour", &[]), None);
        let many: Vec<String> = (0..20).map(|number| format!("node{number:02}")).collect();
        assert!(
            hint("colour", &many)
                .unwrap()
                .ends_with("`node10` and `node11`, and 8 more")
        );
    }
}
