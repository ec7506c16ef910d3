//! The words of a filter, and where they stand.

use super::FilterError;

/// A word, or a parenthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    pub text: &'a str,
    /// Where it starts, in characters from 0.
    pub column: usize,
}

impl Word<'_> {
    pub fn end(&self) -> usize {
        self.column + self.text.chars().count()
    }
}

/// What joins words without a space between.
const SIGNS: [&str; 5] = ["(", ")", "!", "&&", "||"];

/// Splits a filter.
///
/// # Errors
/// Expressions on bytes, such as `ip[6]`, are not supported.
pub fn split(text: &str) -> Result<Vec<Word<'_>>, FilterError> {
    let mut words = Vec::new();
    let mut rest = text;
    let mut column = 0;
    while let Some(first) = rest.chars().next() {
        let length = match sign(rest) {
            _ if first.is_whitespace() => first.len_utf8(),
            Some(sign) => sign.len(),
            None => word_length(rest),
        };
        let (word, next) = rest.split_at(length);
        if !first.is_whitespace() {
            words.push(Word { text: word, column });
        }
        column += word.chars().count();
        rest = next;
    }
    match words.iter().find(|word| word.text.contains(['[', ']'])) {
        Some(word) => Err(FilterError {
            text: text.to_owned(),
            place: (word.column, word.end()),
            reason: "expressions on bytes are not supported; write the capture to a file and filter that".to_owned(),
        }),
        None => Ok(words),
    }
}

fn sign(text: &str) -> Option<&'static str> {
    SIGNS.into_iter().find(|sign| text.starts_with(sign))
}

/// Up to the next space or sign.
fn word_length(text: &str) -> usize {
    let mut places = text.char_indices();
    let end = places.find(|(place, character)| character.is_whitespace() || sign(&text[*place..]).is_some());
    end.map_or(text.len(), |(place, _)| place)
}
