//! Addresses: `name:`, `[id]:`, `.:`, and hooks to follow from there or from here.

use std::ffi::CString;

use super::connect::find_hook;
use super::errors::{EINVAL, ENOENT, ENXIO, Result};
use super::hook::HookRef;
use super::node::NodeRef;
use super::state;
use crate::thread::{self, Vnet};

/// `NG_PATHSIZ`, with the NUL.
const SIZE: usize = 512;

/// An address in its parts.
#[derive(Debug, PartialEq, Eq)]
struct Path<'a> {
    /// Where it begins; `None` is here.
    node: Option<&'a [u8]>,
    hooks: Vec<&'a [u8]>,
}

impl<'a> Path<'a> {
    /// `None`: it makes no sense.
    fn parse(address: &'a [u8]) -> Option<Self> {
        let address = &address[..address.len().min(SIZE - 1)];
        let colon = address.iter().position(|byte| *byte == b':');
        let (node, hooks) = match colon {
            Some(colon) => (Some(&address[..colon]), &address[colon + 1..]),
            None => (None, address),
        };
        let is_bad_name = |name: &[u8]| name.is_empty() || (name != b"." && name.contains(&b'.'));
        if node.is_some_and(is_bad_name) || hooks.contains(&b':') || hooks.windows(2).any(|pair| pair == b"..") {
            return None;
        }
        let hooks = hooks.strip_prefix(b".").unwrap_or(hooks);
        let hooks = hooks.strip_suffix(b".").unwrap_or(hooks);
        let hooks = match hooks {
            [] => Vec::new(),
            hooks => hooks.split(|byte| *byte == b'.').collect(),
        };
        Some(Self { node, hooks })
    }
}

/// Reads `[1f]`; `None` is not an ID.
fn parse_id(name: &[u8]) -> Option<u32> {
    let digits = name.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let digits = core::str::from_utf8(digits).ok()?;
    let digits = digits
        .strip_prefix("0x")
        .or(digits.strip_prefix("0X"))
        .unwrap_or(digits);
    // Rust would take a sign.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let value = u64::from_str_radix(digits, 16).ok()?;
    // As FreeBSD, which keeps the lower half of what strtoul(3) read, but takes ULONG_MAX for a number that is too large.
    let low = u32::try_from(value & u64::from(u32::MAX)).ok()?;
    (value != u64::MAX && low != 0).then_some(low)
}

/// Whether a node may have this name.
pub(super) fn is_node_name(name: &[u8]) -> bool {
    let fits = (1..32).contains(&name.len());
    fits && !name.iter().any(|byte| matches!(byte, b'.' | b':')) && parse_id(name).is_none()
}

/// The node of a name or `[id]`, seen from a vnet.
pub(super) fn find_node(vnet: Vnet, name: &[u8]) -> Option<NodeRef> {
    match parse_id(name) {
        Some(id) => state().topology().by_id(vnet, id),
        None => state().topology().by_name(vnet, name),
    }
}

/// Follows an address; the hook is the one by which the last step arrives.
pub(super) fn resolve(here: Option<&NodeRef>, address: &[u8]) -> Result<(NodeRef, Option<HookRef>)> {
    let path = Path::parse(address).ok_or(EINVAL)?;
    let mut node = match (path.node, here) {
        (Some(b"."), Some(here)) | (None, Some(here)) => here.clone(),
        (Some(b"."), None) => crate::report::panic("an address begins at `.`, but is not used by a node"),
        (None, None) => return Err(EINVAL),
        (Some(name), _) => find_node(thread::vnet(), name).ok_or(ENOENT)?,
    };
    let mut arrival = None;
    for name in path.hooks {
        let hook = cross(&node, name)?;
        node = hook.node().filter(|node| node.is_valid()).ok_or(ENXIO)?;
        arrival = Some(hook);
    }
    Ok((node, arrival))
}

/// The other end of a node's hook.
fn cross(node: &NodeRef, name: &[u8]) -> Result<HookRef> {
    let name = CString::new(name).map_err(|_| EINVAL)?;
    let hook = find_hook(node, &name).filter(|hook| hook.is_valid()).ok_or(ENOENT)?;
    hook.peer().filter(|peer| peer.is_valid()).ok_or(ENOENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_parts() {
        let parse = |address: &'static [u8]| Path::parse(address).map(|path| (path.node, path.hooks));
        assert_eq!(parse(b"wan:"), Some((Some(&b"wan"[..]), vec![])));
        assert_eq!(parse(b".:a.b"), Some((Some(&b"."[..]), vec![&b"a"[..], b"b"])));
        assert_eq!(parse(b".a.b."), Some((None, vec![&b"a"[..], b"b"])));
        assert_eq!(parse(b""), Some((None, vec![])));
        assert_eq!(parse(b"."), Some((None, vec![])));
        for nonsense in [&b":"[..], b"a.b:", b"a:b:c", b"a..b"] {
            assert_eq!(Path::parse(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn ids_are_hexadecimal_in_brackets() {
        assert_eq!(parse_id(b"[1f]"), Some(0x1f));
        assert_eq!(parse_id(b"[0x1F]"), Some(0x1f));
        assert_eq!(parse_id(b"[ffffffff0000000a]"), Some(10));
        for other in [
            &b"[]"[..],
            b"[0]",
            b"[ffffffffffffffff]",
            b"[x]",
            b"[-1]",
            b"[0x+1]",
            b"[0x]",
            b"1f",
            b"[1f",
            b"[1g]",
        ] {
            assert_eq!(parse_id(other), None, "{other:?}");
        }
    }

    #[test]
    fn names_of_nodes() {
        assert!(is_node_name(b"wan"));
        assert!(is_node_name(&[b'a'; 31]));
        assert!(is_node_name(b"[x]"));
        for name in [&b""[..], b"a.b", b"a:", b"[1f]", &[b'a'; 32]] {
            assert!(!is_node_name(name), "{name:?}");
        }
    }
}
