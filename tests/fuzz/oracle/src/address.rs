//! Addresses: what a `sockaddr` holds, and what a path means.

use crate::errno::{Errno, Result};

/// The longest `sockaddr` that a process may pass.
const LONGEST: usize = 255;
/// What precedes the text: length and family.
const HEAD: usize = 2;
/// The room of a name: 31 bytes and the NUL.
pub const NAME: usize = 32;

/// What follows the head of a `sockaddr` that a process passes.
///
/// # Errors
/// `ENAMETOOLONG`: it is longer than any address. `EINVAL`: it has not even a head.
pub fn data(sockaddr: &[u8]) -> Result<&[u8]> {
    if sockaddr.len() > LONGEST {
        return Err(Errno::ENAMETOOLONG);
    }
    sockaddr.get(HEAD..).ok_or(Errno::EINVAL)
}

/// The text of an address: it ends at the first NUL, or with the address.
#[must_use]
pub fn text(data: &[u8]) -> &[u8] {
    until_nul(data)
}

/// A C string in a field.
#[must_use]
pub fn until_nul(field: &[u8]) -> &[u8] {
    let length = field.iter().take_while(|byte| **byte != 0).count();
    &field[..length]
}

/// The name that bind(2) is to give a node: at least one byte and a NUL, in no more than 32.
///
/// # Errors
/// `EINVAL`: it is anything else. (Whether a node may have that name is another question: [`is_node_name`].)
pub fn bindable(data: &[u8]) -> Result<&[u8]> {
    let name = text(data);
    let terminated = name.len() < data.len();
    if name.is_empty() || !terminated || data.len() > NAME {
        return Err(Errno::EINVAL);
    }
    Ok(name)
}

/// Whether a node may have this name: 1 to 31 bytes, none of them `.` or `:`, and not the look of an ID.
#[must_use]
pub fn is_node_name(name: &[u8]) -> bool {
    !name.is_empty() && name.len() < NAME && !name.contains(&b'.') && !name.contains(&b':') && id(name).is_none()
}

/// Reads `[1f]` as C programs do: hexadecimal digits, perhaps after `0x`; only the lower 32 bits count, and are not 0.
#[must_use]
pub fn id(text: &[u8]) -> Option<u32> {
    let [b'[', digits @ .., b']'] = text else { return None };
    let digits = match digits {
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => rest,
        _ => digits,
    };
    let mut value: u64 = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(16)?;
        value = value.checked_mul(16)?.checked_add(digit.into())?;
    }
    // strtoul(3)'s way to say that it is too much.
    if value == u64::MAX {
        return None;
    }
    let low = u32::try_from(value & 0xffff_ffff).ok()?;
    (low != 0).then_some(low)
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the node that uses it, without saying so.
    Implied,
    /// At the node that uses it: `.:`.
    Here,
    /// At the node with an ID.
    Id(u32),
    /// At the node of a name.
    Name(Vec<u8>),
}

/// A path: a beginning, and hooks to cross from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The beginning.
    pub start: Start,
    /// The hooks.
    pub hooks: Vec<Vec<u8>>,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// `EINVAL`: it makes no sense.
    pub fn read(text: &[u8]) -> Result<Self> {
        let mut parts = text.split(|byte| *byte == b':');
        let (first, second, third) = (parts.next().unwrap_or(&[]), parts.next(), parts.next());
        if third.is_some() {
            return Err(Errno::EINVAL);
        }
        match second {
            None => Ok(Self {
                start: Start::Implied,
                hooks: hooks(first)?,
            }),
            Some(second) => Ok(Self {
                start: start(first)?,
                hooks: hooks(second)?,
            }),
        }
    }
}

fn start(name: &[u8]) -> Result<Start> {
    match name {
        [] => Err(Errno::EINVAL),
        b"." => Ok(Start::Here),
        name if name.contains(&b'.') => Err(Errno::EINVAL),
        name => Ok(id(name).map_or_else(|| Start::Name(name.to_vec()), Start::Id)),
    }
}

/// Hooks between dots; one dot more is allowed at either end, two in a row nowhere.
fn hooks(text: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut hooks: Vec<Vec<u8>> = text.split(|byte| *byte == b'.').map(<[u8]>::to_vec).collect();
    let dots = hooks.len() - 1;
    if hooks.first().is_some_and(Vec::is_empty) {
        hooks.remove(0);
    }
    if hooks.last().is_some_and(Vec::is_empty) {
        hooks.pop();
    }
    if dots > 1 && hooks.is_empty() || hooks.iter().any(Vec::is_empty) {
        return Err(Errno::EINVAL);
    }
    Ok(hooks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Start, Vec<String>)> {
        let path = Path::read(text.as_bytes()).ok()?;
        let hooks = path.hooks.into_iter().map(|hook| String::from_utf8(hook).unwrap());
        Some((path.start, hooks.collect()))
    }

    #[test]
    fn paths_begin_somewhere() {
        assert_eq!(read("wan:"), Some((Start::Name(b"wan".to_vec()), vec![])));
        assert_eq!(read("[1f]:"), Some((Start::Id(0x1f), vec![])));
        assert_eq!(read(".:"), Some((Start::Here, vec![])));
        assert_eq!(read(""), Some((Start::Implied, vec![])));
        for nonsense in [":", ":a", "a.b:", "a:b:", "..:", "a::"] {
            assert_eq!(read(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn hooks_follow() {
        for text in ["a.b", ".a.b", "a.b.", ".a.b."] {
            assert_eq!(
                read(text),
                Some((Start::Implied, vec!["a".into(), "b".into()])),
                "{text:?}"
            );
        }
        assert_eq!(read(".:a"), Some((Start::Here, vec!["a".into()])));
        assert_eq!(read("."), Some((Start::Implied, vec![])));
        for nonsense in ["..", "a..b", "..a", "a..", "..."] {
            assert_eq!(read(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn ids_are_read_as_by_strtoul() {
        for (text, expected) in [
            ("[1]", Some(1)),
            ("[0x1F]", Some(0x1f)),
            ("[100000001]", Some(1)),
            ("[100000000]", None),
            ("[ffffffffffffffff]", None),
            ("[10000000000000000]", None),
            ("[0]", None),
            ("[0x]", None),
            ("[0x+1]", None),
            ("[]", None),
            ("[-1]", None),
            ("[1", None),
        ] {
            assert_eq!(id(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn names_to_bind_are_terminated_and_short() {
        assert_eq!(bindable(b"wan\0junk"), Ok(&b"wan"[..]));
        for wrong in [&b""[..], b"\0", b"wan", &[b'x'; 33]] {
            assert_eq!(bindable(wrong), Err(Errno::EINVAL), "{wrong:?}");
        }
    }

    #[test]
    fn some_names_mean_something_else() {
        assert!(is_node_name(b"[x]"));
        for wrong in [&b""[..], b"a.b", b"a:", b"[1]", &[b'x'; 32]] {
            assert!(!is_node_name(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn addresses_have_a_head_and_no_more_than_255_bytes() {
        assert_eq!(data(&[2, 32]), Ok(&[][..]));
        assert_eq!(data(&[1]), Err(Errno::EINVAL));
        assert_eq!(data(&[0; 256]), Err(Errno::ENAMETOOLONG));
    }
}
