//! Addresses and control messages, as programs write them.

use kpi::raw::ng_message::{NG_VERSION, NGM_GENERIC_COOKIE, NGM_MKPEER, NGM_NAME, NGM_RMHOOK};
use kpi::raw::ng_socket::NGM_SOCKET_COOKIE;

const PF_NETGRAPH: u8 = 32;

/// `NGM_SHUTDOWN`
const SHUTDOWN: u32 = 1;
/// `NGM_CONNECT`
const CONNECT: u32 = 3;
/// `NGM_NODEINFO`, which reads only and has an answer.
const NODEINFO: u32 = 6 | 0x1000_0000 | 0x2000_0000;

/// A `sockaddr_ng` with a path, a name or a hook.
#[must_use]
pub fn address(text: &str) -> Vec<u8> {
    let mut address = vec![0, PF_NETGRAPH];
    address.extend_from_slice(text.as_bytes());
    address.push(0);
    address
}

/// A message with token 7.
#[must_use]
pub fn message(cookie: u32, command: u32, arguments: &[u8]) -> Vec<u8> {
    let mut message = vec![NG_VERSION, 0, 0, 0];
    let length = u32::try_from(arguments.len()).expect("a short message");
    // arglen, cmd, flags, token, typecookie
    let words = [length, command, 0, 7, cookie];
    message.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    // cmdstr
    message.resize(56, 0);
    message.extend_from_slice(arguments);
    message
}

/// Names in fields of 32 bytes each.
fn fields(names: &[&str]) -> Vec<u8> {
    let field = |name: &&str| {
        let mut field = name.as_bytes().to_vec();
        field.resize(32, 0);
        field
    };
    names.iter().flat_map(field).collect()
}

/// Makes a node of a type, its hook `theirs` connected to the hook `ours` of the node addressed.
#[must_use]
pub fn mkpeer(kind: &str, ours: &str, theirs: &str) -> Vec<u8> {
    message(NGM_GENERIC_COOKIE, NGM_MKPEER, &fields(&[kind, ours, theirs]))
}

/// Connects the hook `ours` of the node addressed to the hook `theirs` of the node at `path`.
#[must_use]
pub fn connect(path: &str, ours: &str, theirs: &str) -> Vec<u8> {
    let mut arguments = path.as_bytes().to_vec();
    // NG_PATHSIZ
    arguments.resize(512, 0);
    arguments.extend(fields(&[ours, theirs]));
    message(NGM_GENERIC_COOKIE, CONNECT, &arguments)
}

/// Removes a hook.
#[must_use]
pub fn rmhook(hook: &str) -> Vec<u8> {
    message(NGM_GENERIC_COOKIE, NGM_RMHOOK, &fields(&[hook]))
}

/// Names the node.
#[must_use]
pub fn name(name: &str) -> Vec<u8> {
    message(NGM_GENERIC_COOKIE, NGM_NAME, &fields(&[name]))
}

/// Shuts the node down.
#[must_use]
pub fn shutdown() -> Vec<u8> {
    message(NGM_GENERIC_COOKIE, SHUTDOWN, &[])
}

/// Asks a node what it is.
#[must_use]
pub fn nodeinfo() -> Vec<u8> {
    message(NGM_GENERIC_COOKIE, NODEINFO, &[])
}

/// A command of `ng_socket`'s own.
#[must_use]
pub fn own(command: u32, arguments: &[u8]) -> Vec<u8> {
    message(NGM_SOCKET_COOKIE, command, arguments)
}
