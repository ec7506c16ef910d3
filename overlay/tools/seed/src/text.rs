//! Texts that go into files which others read: what they may consist of.

use crate::document::Node;
use crate::error::Result;

/// A host name as RFC 1123 has it.
pub fn hostname(node: &Node, name: &str) -> Result<String> {
    let text = node.text(name)?;
    let is_label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    if text.len() <= 253 && text.split('.').all(is_label) {
        return Ok(text.into());
    }
    let hint = "take letters, digits and hyphens, with dots between labels of at most 63 characters";
    Err(node.error(format!("`{name}`: {text:?} is no host name"), hint))
}

/// A name of a user or group.
pub fn account(node: &Node, name: &str) -> Result<String> {
    let text = node.text(name)?;
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    let first = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if text.len() <= 32 && text.bytes().next().is_some_and(first) && text.bytes().all(inner) {
        return Ok(text.into());
    }
    let hint = "take lower-case letters, digits, `_` and `-`, at most 32, a letter first";
    Err(node.error(format!("`{name}`: {text:?} is no name of an account"), hint))
}

/// A text of one line without control characters, as short as that.
pub fn line(node: &Node, name: &str, longest: usize) -> Result<String> {
    let text = node.text(name)?;
    if text.chars().any(char::is_control) {
        let cause = format!("`{name}`: {text:?} has control characters");
        return Err(node.error(cause, "write it on one line"));
    }
    if text.len() > longest {
        let cause = format!("`{name}` has {} bytes; {longest} are the most", text.len());
        return Err(node.error(cause, "shorten it"));
    }
    Ok(text.into())
}

/// A password as crypt(3) of FreeBSD 14 knows it, made by SHA-256, SHA-512 or bcrypt.
pub fn password_hash(node: &Node, name: &str) -> Result<String> {
    let text = node.text(name)?;
    let parts: Vec<&str> = text.split('$').collect();
    let of_crypt = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'=' | b'$');
    let known = matches!(parts.as_slice(), ["", "2a" | "2b" | "2y", _, hash] if hash.len() == 53)
        || matches!(parts.as_slice(), ["", "5", .., hash] if hash.len() == 43)
        || matches!(parts.as_slice(), ["", "6", .., hash] if hash.len() == 86);
    if known && text.bytes().all(of_crypt) {
        return Ok(text.into());
    }
    let hint = "make it with `openssl passwd -6`; plain passwords, and hashes such as $1$ and $y$, are not taken";
    Err(node.error(
        format!("`{name}` is no SHA-256, SHA-512 or bcrypt hash of a password"),
        hint,
    ))
}
