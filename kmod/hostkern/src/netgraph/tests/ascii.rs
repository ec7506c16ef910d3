//! Arguments as text.

use super::*;
use crate::netgraph::errors::{E2BIG, EALREADY, ENOENT, ENOSYS};

/// Asks a node to convert a message; the arguments of the message within the answer, or the error.
fn convert(node: &NodeRef, command: u32, inner: ng_mesg, arguments: &[u8]) -> core::result::Result<Vec<u8>, c_int> {
    super::convert(node, ".:", command, inner, arguments).map(|message| message[56..].to_vec())
}

fn to_binary(node: &NodeRef, name: &str, text: &str) -> core::result::Result<Vec<u8>, c_int> {
    let mut inner = header(0, 0);
    inner.cmdstr[..name.len()].copy_from_slice(name.as_bytes());
    convert(node, commands::ASCII2BINARY, inner, c_string(text).as_bytes_with_nul())
}

#[test]
fn generic_commands_convert_both_ways() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    let text = r#"{ type="hole" ourhook="a\"b" peerhook="c" }"#;
    let binary = [field("hole", 32), field("a\"b", 32), field("c", 32)].concat();
    assert_eq!(to_binary(&node, "mkpeer", text), Ok(binary.clone()));
    let inner = header(NGM_GENERIC_COOKIE, NGM_MKPEER);
    let ascii = convert(&node, commands::BINARY2ASCII, inner, &binary);
    assert_eq!(ascii, Ok(c_string(text).into_bytes_with_nul()));
    assert_eq!(to_binary(&node, "shutdown", ""), Ok(vec![]));
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn lists_are_as_long_as_they_say() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    let mut inner = header(NGM_GENERIC_COOKIE, commands::LISTTYPES);
    inner.flags = 1;
    let binary = [
        vec![2, 0, 0, 0],
        field("hub", 32),
        vec![1, 0, 0, 0],
        field("tee", 32),
        vec![0; 4],
    ]
    .concat();
    let ascii = convert(&node, commands::BINARY2ASCII, inner, &binary).expect("it converts");
    let expected = r#"{ numtypes=2 typeinfo=[ { typename="hub" numnodes=1 } { typename="tee" } ] }"#;
    assert_eq!(ascii, c_string(expected).into_bytes_with_nul());
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn bad_texts_are_refused() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    let long = format!(r#"{{ name="{}" }}"#, "a".repeat(32));
    let cases = [
        ("nosuch", "", ENOSYS),
        ("name", r#"{ nosuch="a" }"#, ENOENT),
        ("name", r#"{ name="a" name="b" }"#, EALREADY),
        ("name", long.as_str(), E2BIG),
        ("name", "{ name=a }", EINVAL),
        ("name", r#"{ name="a" "#, EINVAL),
        ("name", "", EINVAL),
    ];
    for (name, text, expected) in cases {
        assert_eq!(to_binary(&node, name, text), Err(expected), "{name} {text}");
    }
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}
