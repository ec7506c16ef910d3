//! Datagrams on control sockets: arbitrary headers and arguments, to the sender's own node, a hub, another socket, and
//! nowhere.

use std::sync::Mutex;

use arbitrary::{Arbitrary, Result, Unstructured};
use oracle::World;
use oracle::calls::Outgoing;
use oracle::message::{GENERIC, HEADER, Message, RESPONSE, SOCKET, VERSION, field, generic, socket};

use crate::machine::Rest;
use crate::pair::{Pair, Protocol};
use crate::text;

const SENDER: usize = 0;
const OTHER: usize = 1;
/// Datagrams of one execution.
const MOST: usize = 4;
/// Longer than the longest datagram that a socket sends unless told otherwise.
const LONGEST: usize = 20 * 1024 + 8;

/// Where a datagram goes.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum To {
    Own,
    Hub,
    Other,
    Hole,
    Echo,
    Nobody,
    Path,
}

impl To {
    fn sockaddr(self, u: &mut Unstructured<'_>) -> Result<Option<Vec<u8>>> {
        Ok(Some(match self {
            Self::Own => b"\0\x20.:\0".to_vec(),
            Self::Hub => b"\0\x20x\0".to_vec(),
            Self::Other => b"\0\x20b:\0".to_vec(),
            Self::Hole => b"\0\x20y\0".to_vec(),
            Self::Echo => b"\0\x20z\0".to_vec(),
            Self::Nobody => return Ok(None),
            Self::Path => {
                let path = text::path(u)?;
                text::sockaddr(u, &path)?
            }
        }))
    }
}

/// The members of a header, each likely to be one that means something.
fn header(u: &mut Unstructured<'_>, arguments: usize) -> Result<Vec<u8>> {
    let shape = u.arbitrary::<u8>()?;
    let version = if shape & 7 == 7 { u.arbitrary()? } else { VERSION };
    let length = match shape >> 3 & 7 {
        6 => u.int_in_range(0..=2_000)?,
        7 => u.arbitrary()?,
        _ => u32::try_from(arguments).unwrap_or(u32::MAX),
    };
    let cookie = match shape >> 6 {
        0 => SOCKET,
        1 => u.arbitrary()?,
        _ => GENERIC,
    };
    let command = command(u)?;
    let flags = if u.ratio(1_u8, 8_u8)? {
        u.arbitrary::<u32>()? | RESPONSE
    } else {
        0
    };
    let mut header = vec![version, 0, 0, 0];
    for word in [length, command, flags, u.arbitrary()?, cookie] {
        header.extend(word.to_le_bytes());
    }
    header.resize(HEADER, 0);
    Ok(header)
}

fn command(u: &mut Unstructured<'_>) -> Result<u32> {
    const QUESTION: u32 = 0x3000_0000;
    Ok(match u.arbitrary::<u8>()? {
        255 => u.arbitrary()?,
        command @ 0..64 => u32::from(command % 16),
        command @ 64..128 => u32::from(command % 16) | QUESTION,
        command => [
            generic::MKPEER,
            generic::CONNECT,
            generic::NAME,
            generic::RMHOOK,
            socket::SET_POLICY,
            generic::SHUTDOWN,
        ][usize::from(command) % 6],
    })
}

/// What the arguments look like.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Arguments {
    None,
    Bytes,
    Zeros,
    Name,
    Peer,
    Connection,
    Policy,
}

impl Arguments {
    fn bytes(self, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        Ok(match self {
            Self::None => Vec::new(),
            Self::Bytes => {
                let length = u.int_in_range(0..=200_usize)?.min(u.len());
                u.bytes(length)?.to_vec()
            }
            // Long ones take long.
            Self::Zeros => {
                let most = if u.arbitrary::<u8>()? < 8 { LONGEST } else { 300 };
                vec![0; u.int_in_range(0..=most)?]
            }
            Self::Name => field(&text::name(u)?, 32),
            Self::Peer => {
                let kind = match u.int_in_range(0..=7_u8)? {
                    0 => text::name(u)?,
                    1 => b"tee".to_vec(),
                    kind => [&b"hub"[..], b"hole", b"echo"][usize::from(kind) % 3].to_vec(),
                };
                [field(&kind, 32), field(&text::name(u)?, 32), field(&text::name(u)?, 32)].concat()
            }
            Self::Connection => {
                let path = text::path(u)?;
                [
                    field(&path, 512),
                    field(&text::name(u)?, 32),
                    field(&text::name(u)?, 32),
                ]
                .concat()
            }
            Self::Policy => {
                let mut arguments = vec![u.int_in_range(0..=4)?, 0, 0, 0, u.int_in_range(0..=3)?, 0, 0, 0];
                arguments.extend(field(&text::name(u)?, 32));
                arguments.resize(8 + 16 * 32, 0);
                arguments
            }
        })
    }
}

fn datagram(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let arguments = u.arbitrary::<Arguments>()?.bytes(u)?;
    let mut datagram = header(u, arguments.len())?;
    datagram.extend(arguments);
    // A datagram may be longer or shorter than its header says.
    match u.arbitrary::<u8>()? {
        0..8 => datagram.truncate(u.int_in_range(0..=datagram.len())?),
        8..12 => datagram.extend([b'x'; 9]),
        12 => datagram.resize(LONGEST, 0),
        _ => {}
    }
    Ok(datagram)
}

/// A graph to send messages into. It stays from one execution to the next as long as they leave it as it was.
struct Fixture {
    pair: Pair,
    /// How it was.
    base: World,
    rest: Rest,
}

static FIXTURE: Mutex<Option<Fixture>> = Mutex::new(None);

impl Fixture {
    /// Node `a` with a hub at hook `x`, a hole at `y` and an echo at `z`, and node `b`.
    fn build() -> Self {
        let mut pair = Pair::new();
        for (number, name) in [(SENDER, b"\0\x20a\0"), (OTHER, b"\0\x20b\0")] {
            pair.open(number, Protocol::Control);
            pair.bind(number, name);
        }
        for (kind, hook) in [("hub", "x"), ("hole", "y"), ("echo", "z")] {
            let arguments: Vec<u8> = [kind, hook, "a"]
                .iter()
                .flat_map(|name| field(name.as_bytes(), 32))
                .collect();
            send(
                &mut pair,
                b"\0\x20.:\0",
                &Message::new(GENERIC, generic::MKPEER, 1, &arguments),
            );
        }
        tidy(&mut pair);
        Self {
            base: pair.world().clone(),
            rest: Rest::now(),
            pair,
        }
    }

    /// The fixture, if it is as it was; else it is taken down.
    fn keep(mut self) -> Option<Self> {
        tidy(&mut self.pair);
        if self.pair.world().is_like(&self.base) && self.rest == Rest::now() {
            self.pair.rest(&self.rest);
            return Some(self);
        }
        self.pair.finish();
        None
    }
}

fn send(pair: &mut Pair, to: &[u8], message: &Message) {
    let outgoing = Outgoing {
        bytes: &message.write(),
        to: Some(to),
        ancillary: None,
    };
    pair.send(SENDER, outgoing);
}

/// Reads what is left, and has both nodes count from 0.
fn tidy(pair: &mut Pair) {
    pair.drain();
    for to in [&b"\0\x20b:\0"[..], b"\0\x20.:\0"] {
        send(pair, to, &Message::new(SOCKET, socket::CLR_STATS, 1, &[]));
    }
}

/// A datagram on its way.
struct Attempt {
    bytes: Vec<u8>,
    to: Option<Vec<u8>>,
    ancillary: Option<Vec<u8>>,
}

impl Arbitrary<'_> for Attempt {
    fn arbitrary(u: &mut Unstructured<'_>) -> Result<Self> {
        let to = u.arbitrary::<To>()?.sockaddr(u)?;
        let bytes = datagram(u)?;
        let has_ancillary = u.arbitrary::<u8>()? == 255;
        let ancillary = if has_ancillary {
            Some(vec![0; u.int_in_range(0..=2_100)?])
        } else {
            None
        };
        Ok(Self { bytes, to, ancillary })
    }
}

fn run(mut fixture: Fixture, attempts: &[Attempt]) -> Option<Fixture> {
    for Attempt { bytes, to, ancillary } in attempts {
        let outgoing = Outgoing {
            bytes,
            to: to.as_deref(),
            ancillary: ancillary.as_deref(),
        };
        if Message::read(bytes).is_ok_and(|message| !fixture.pair.world().knows(&message)) {
            fixture.pair.send_unknown(SENDER, outgoing);
            return None;
        }
        fixture.pair.send(SENDER, outgoing);
        fixture.pair.compare();
    }
    fixture.keep()
}

/// One execution.
pub fn execute(data: &[u8]) {
    let mut place = FIXTURE.lock().expect("a panic ends the process");
    let fixture = place.take().unwrap_or_else(Fixture::build);
    let mut u = Unstructured::new(data);
    // What is too little for an attempt is the end.
    let attempts: Vec<Attempt> = (0..MOST)
        .map_while(|_| u.arbitrary().ok().filter(|_| !u.is_empty()))
        .collect();
    *place = run(fixture, &attempts);
}
