//! Patterns of the lists `prune` and `keep`.

/// Whether `path` matches `pattern`: `*` and `?` stay within a name, `**` does not.
///
/// Takes time in proportion to the product of the lengths at most, whatever the pattern.
pub fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let literal = literal_start(pattern);
    let Some(rest) = path.strip_prefix(&pattern[..literal]) else {
        return false;
    };
    let tokens = tokens(&pattern[literal..]);
    let mut reached = vec![false; tokens.len() + 1];
    reached[0] = true;
    skip_stars(&tokens, &mut reached);
    for &byte in rest {
        reached = step(&tokens, &reached, byte);
        if !reached.contains(&true) {
            return false;
        }
    }
    reached[tokens.len()]
}

/// How many bytes of a pattern stand for themselves only.
pub fn literal_start(pattern: &[u8]) -> usize {
    let special = pattern.iter().position(|byte| matches!(byte, b'*' | b'?'));
    special.unwrap_or(pattern.len())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    One,
    Star,
    DoubleStar,
}

fn tokens(pattern: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    loop {
        let (token, length) = match rest {
            [] => return tokens,
            [b'*', b'*', ..] => (Token::DoubleStar, 2),
            [b'*', ..] => (Token::Star, 1),
            [b'?', ..] => (Token::One, 1),
            [byte, ..] => (Token::Byte(*byte), 1),
        };
        tokens.push(token);
        rest = &rest[length..];
    }
}

/// Which tokens can come next after one more byte.
fn step(tokens: &[Token], reached: &[bool], byte: u8) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    for (at, token) in tokens.iter().enumerate().filter(|(at, _)| reached[*at]) {
        match token {
            Token::Byte(wanted) => next[at + 1] |= *wanted == byte,
            Token::One => next[at + 1] |= byte != b'/',
            Token::Star => next[at] |= byte != b'/',
            Token::DoubleStar => next[at] = true,
        }
    }
    skip_stars(tokens, &mut next);
    next
}

/// Stars may stand for nothing.
fn skip_stars(tokens: &[Token], reached: &mut [bool]) {
    for (at, token) in tokens.iter().enumerate() {
        if reached[at] && matches!(token, Token::Star | Token::DoubleStar) {
            reached[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("usr/share/man", "usr/share/man", true),
            ("usr/share/man", "usr/share/man1", false),
            ("usr/lib/*.a", "usr/lib/libc.a", true),
            ("usr/lib/*.a", "usr/lib/debug/libc.a", false),
            ("**/*.a", "usr/lib/debug/libc.a", true),
            ("boot/kernel/if_??.ko", "boot/kernel/if_em.ko", true),
            ("boot/kernel/if_??.ko", "boot/kernel/if_igb.ko", false),
            ("usr/**/tests", "usr/x/y/tests", true),
            ("*", "usr", true),
            ("*", "usr/bin", false),
            ("**", "usr/bin", true),
            ("usr/*/tests*", "usr/x/tests", true),
            ("", "usr", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), path.as_bytes()),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_no_slower_than_its_length() {
        let pattern = b"**a".repeat(200);
        let path = b"b".repeat(4_000);
        let since = std::time::Instant::now();
        assert!(!matches(&pattern, &[&path[..], b"c"].concat()));
        assert!(since.elapsed().as_secs() < 5);
    }
}
