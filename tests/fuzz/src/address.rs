//! Addresses: what bind(2), connect(2) and sendto(2) make of them, in a graph that has something at the end of many.

use arbitrary::{Arbitrary, Result, Unstructured};
use oracle::calls::Outgoing;
use oracle::message::{GENERIC, Message, field, generic};

use crate::pair::{Pair, Protocol};
use crate::text;

/// What is done with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
enum Use {
    Bind,
    Connect,
    Message,
    Packet,
}

/// The sockets: the first has the hooks, the second and the third are there to be given an address.
const OWNER: usize = 0;
const CONTROL: usize = 1;
const DATA: usize = 2;
const SENDER: usize = 3;

/// A text that may be one of the structured ones, or anything.
fn text(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    match u.int_in_range(0..=7_u8)? {
        0 => {
            let length = u.int_in_range(0..=260_usize)?;
            Ok(u.bytes(length.min(u.len()))?.to_vec())
        }
        1 => text::name(u),
        _ => text::path(u),
    }
}

fn message(bytes: &[u8], to: &[u8], pair: &mut Pair, number: usize) {
    let outgoing = Outgoing {
        bytes,
        to: Some(to),
        ancillary: None,
    };
    pair.send(number, outgoing);
}

fn mkpeer(pair: &mut Pair, ours: &str) {
    let arguments: Vec<u8> = ["hub", ours, "a"]
        .iter()
        .flat_map(|name| field(name.as_bytes(), 32))
        .collect();
    let mkpeer = Message::new(GENERIC, generic::MKPEER, 1, &arguments);
    message(&mkpeer.write(), b"\0\x20.:\0", pair, OWNER);
}

/// Node `a` with the hubs `[2]`, `b` at hook `x`, and a second one at `y`; `h` is connected to the first.
fn build() -> Pair {
    let mut pair = Pair::new();
    pair.open(OWNER, Protocol::Control);
    pair.bind(OWNER, b"\0\x20a\0");
    mkpeer(&mut pair, "x");
    mkpeer(&mut pair, "y");
    let name = Message::new(GENERIC, generic::NAME, 1, &field(b"b", 32));
    message(&name.write(), b"\0\x20x\0", &mut pair, OWNER);
    pair
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut pair = build();
    for _ in 0..u.int_in_range(1..=3_u8)? {
        let (purpose, text) = (u.arbitrary()?, text(u)?);
        let sockaddr = text::sockaddr(u, &text)?;
        try_address(&mut pair, purpose, &sockaddr);
    }
    pair.compare();
    pair.finish();
    Ok(())
}

fn try_address(pair: &mut Pair, purpose: Use, sockaddr: &[u8]) {
    match purpose {
        Use::Bind => {
            pair.open(CONTROL, Protocol::Control);
            pair.bind(CONTROL, sockaddr);
            pair.name(CONTROL);
        }
        Use::Connect => {
            pair.open(DATA, Protocol::Data);
            pair.connect(DATA, sockaddr);
            pair.name(DATA);
        }
        Use::Message => message(
            &Message::new(GENERIC, generic::NODEINFO, 7, &[]).write(),
            sockaddr,
            pair,
            OWNER,
        ),
        Use::Packet => {
            pair.open(SENDER, Protocol::Data);
            pair.connect(SENDER, b"\0\x20a:\0");
            message(b"a packet", sockaddr, pair, SENDER);
        }
    }
}

/// One execution.
pub fn execute(data: &[u8]) {
    // Too little data is no use, and no mistake.
    let _ = run(&mut Unstructured::new(data));
}
