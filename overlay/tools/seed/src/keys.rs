//! Public keys that open an account.

use ssh_key::Algorithm;
use ssh_key::authorized_keys::Entry;

use crate::document::{Node, What};
use crate::error::Result;
use crate::text;

/// The longest line, in bytes: RSA of 16384 bits with a comment.
const LONGEST: usize = 4096;

/// The keys of a list, of a text with one on each line, or of a mapping by names, as OpenStack and EC2 have them.
///
/// # Errors
/// One of them is none.
pub fn keys(node: &Node, name: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    match &node.what {
        What::Map(entries) => {
            for (_, node) in entries {
                found.extend(keys(node.get("openssh-key").unwrap_or(node), name)?);
            }
        }
        What::Text(lines) => {
            for line in lines.lines().filter(|line| !line.trim().is_empty()) {
                let what = What::Text(line.into());
                found.push(key(&Node { what, ..node.clone() }, name)?);
            }
        }
        _ => {
            for item in node.items(name)? {
                found.extend(keys(item, name)?);
            }
        }
    }
    Ok(found)
}

fn key(node: &Node, name: &str) -> Result<String> {
    let line = text::line(node, name, LONGEST)?;
    let wrong = |cause: String| {
        let hint = "take the line of a .pub file, such as ssh-keygen writes";
        node.error(format!("`{name}`: {line:?} is no public key: {cause}"), hint)
    };
    let entry: Entry = line
        .trim()
        .parse()
        .map_err(|error: ssh_key::Error| wrong(error.to_string()))?;
    match entry.public_key().algorithm() {
        Algorithm::Dsa => Err(wrong("DSA keys open nothing any more".into())),
        _ => Ok(line.trim().into()),
    }
}
