//! Patterns of the prune list.

/// Whether `path` matches `pattern`: `*` and `?` stay within a name, `**` does not.
pub fn matches(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|skip| matches(rest, &path[skip..])),
        [b'*', rest @ ..] => {
            let name = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=name).any(|skip| matches(rest, &path[skip..]))
        }
        [b'?', rest @ ..] => path.first().is_some_and(|byte| *byte != b'/') && matches(rest, &path[1..]),
        [byte, rest @ ..] => path.first() == Some(byte) && matches(rest, &path[1..]),
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
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), path.as_bytes()),
                expected,
                "{pattern} {path}"
            );
        }
    }
}
