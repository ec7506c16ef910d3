//! Addresses: what bind(2), connect(2) and sendto(2) make of them, in a graph that has something at the end of many.

use std::sync::Mutex;

use arbitrary::{Arbitrary, Result, Unstructured};
use oracle::calls::Outgoing;
use oracle::message::{GENERIC, Message, field, generic};

use crate::machine::Rest;
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

/// The sockets that are there all the time: the owner of the hooks, and its data socket.
const OWNER: usize = 0;
const SENDER: usize = 1;
/// The sockets that are there to be given an address.
const CONTROL: usize = 2;
const OTHER_DATA: usize = 3;

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

/// The graph that addresses lead into. It stays from one execution to the next, since addresses do not change it.
struct Fixture {
    pair: Pair,
    rest: Rest,
}

static FIXTURE: Mutex<Option<Fixture>> = Mutex::new(None);

/// Node `a` with two hubs, `b` at its hook `x` and another one at `y`; a data socket that may send by both.
fn build() -> Fixture {
    let mut pair = Pair::new();
    pair.open(OWNER, Protocol::Control);
    pair.bind(OWNER, b"\0\x20a\0");
    mkpeer(&mut pair, "x");
    mkpeer(&mut pair, "y");
    let name = Message::new(GENERIC, generic::NAME, 1, &field(b"b", 32));
    message(&name.write(), b"\0\x20x\0", &mut pair, OWNER);
    pair.open(SENDER, Protocol::Data);
    pair.connect(SENDER, b"\0\x20a:\0");
    let rest = Rest::now();
    Fixture { pair, rest }
}

fn run(fixture: &mut Fixture, u: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..u.int_in_range(1..=3_u8)? {
        let (purpose, text) = (u.arbitrary()?, text(u)?);
        let sockaddr = text::sockaddr(u, &text)?;
        try_address(&mut fixture.pair, purpose, &sockaddr);
    }
    Ok(())
}

impl Fixture {
    fn tidy(&mut self) {
        self.pair.compare();
        self.pair.drain();
        for number in [CONTROL, OTHER_DATA] {
            if self.pair.is_open(number) {
                self.pair.close(number);
            }
        }
        self.pair.rest(&self.rest);
    }
}

fn try_address(pair: &mut Pair, purpose: Use, sockaddr: &[u8]) {
    match purpose {
        Use::Bind => {
            pair.open(CONTROL, Protocol::Control);
            pair.bind(CONTROL, sockaddr);
            pair.name(CONTROL);
        }
        Use::Connect => {
            pair.open(OTHER_DATA, Protocol::Data);
            pair.connect(OTHER_DATA, sockaddr);
            pair.name(OTHER_DATA);
        }
        Use::Message => message(
            &Message::new(GENERIC, generic::NODEINFO, 7, &[]).write(),
            sockaddr,
            pair,
            OWNER,
        ),
        Use::Packet => message(b"a packet", sockaddr, pair, SENDER),
    }
}

/// One execution.
pub fn execute(data: &[u8]) {
    let mut fixture = FIXTURE.lock().expect("a panic ends the process");
    let fixture = fixture.get_or_insert_with(build);
    // Too little data is no use, and no mistake.
    let _ = run(fixture, &mut Unstructured::new(data));
    fixture.tidy();
}
