//! Names and addresses that mean something more often than arbitrary bytes do.

use arbitrary::{Arbitrary, Result, Unstructured};

/// Names that nodes and hooks are likely to have.
const NAMES: [&str; 8] = ["a", "b", "c", "h", "x", "y", "z", "long"];

/// A name of a node or a hook, most often a likely one.
pub fn name(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let index = usize::from(u.arbitrary::<u8>()?);
    match NAMES.get(index % 32) {
        Some(&"long") => Ok(vec![b'n'; 31]),
        Some(name) => Ok(name.as_bytes().to_vec()),
        None if index % 32 < 30 => Ok(NAMES[index % 6].as_bytes().to_vec()),
        None => {
            let length = u.int_in_range(0..=40)?;
            Ok(u.bytes(length.min(u.len()))?.to_vec())
        }
    }
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Beginning {
    Here,
    Implied,
    Named,
    Numbered,
    Odd,
}

/// A path.
pub fn path(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut path = match u.arbitrary()? {
        Beginning::Here => b".:".to_vec(),
        Beginning::Implied => Vec::new(),
        Beginning::Named => [&name(u)?[..], b":"].concat(),
        Beginning::Numbered => format!("[{:x}]:", u.int_in_range(0..=6_u8)?).into_bytes(),
        Beginning::Odd => odd_beginning(u)?,
    };
    for _ in 0..u.int_in_range(0..=7_u8)?.saturating_sub(4) {
        path.extend(name(u)?);
        path.push(b'.');
    }
    if u.ratio(7_u8, 8_u8)? && path.ends_with(b".") {
        path.pop();
    }
    Ok(path)
}

/// Text made of what paths are made of.
fn odd_beginning(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const PIECES: [&[u8]; 16] = [
        b".",
        b":",
        b"[",
        b"]",
        b"a",
        b"b",
        b"0x",
        b"1",
        b"f",
        b"\0",
        b"..",
        b"h",
        b"+",
        b" ",
        b"ffffffff",
        b"x",
    ];
    let mut text = Vec::new();
    for _ in 0..u.int_in_range(0..=9_u8)? {
        text.extend_from_slice(PIECES[u.int_in_range(0..=15_usize)?]);
    }
    Ok(text)
}

/// How a text is put into a `sockaddr`.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Ending {
    Terminated,
    Open,
    Padded,
    Cut,
}

/// A `sockaddr` with a text, as processes pass it.
pub fn sockaddr(u: &mut Unstructured<'_>, text: &[u8]) -> Result<Vec<u8>> {
    let shape = u.arbitrary::<u8>()?;
    let family = if shape & 0x80 == 0 { 32 } else { shape };
    let mut sockaddr = vec![0, family];
    sockaddr.extend(text);
    // Most are as they should be.
    let ending = if shape & 0x30 == 0 {
        u.arbitrary()?
    } else {
        Ending::Terminated
    };
    match ending {
        Ending::Terminated => sockaddr.push(0),
        Ending::Open => {}
        Ending::Padded => {
            let length = u.int_in_range(0..=270_usize)?;
            sockaddr.resize(length.max(sockaddr.len()), 0);
        }
        Ending::Cut => sockaddr.truncate(u.int_in_range(0..=6_usize)?),
    }
    Ok(sockaddr)
}
