//! Sequences of calls on up to four sockets of both kinds.

use arbitrary::{Arbitrary, Result, Unstructured};
use oracle::calls::{How, Outgoing};
use oracle::message::{GENERIC, Message, RESPONSE, SOCKET, field, generic, socket};

use crate::pair::{Pair, Protocol};
use crate::text;

const SOCKETS: usize = 4;
/// Calls of one execution.
const MOST: usize = 60;

/// A call.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Call {
    OpenControl,
    OpenData,
    Close,
    Bind,
    Connect,
    Name,
    Generic,
    Peer,
    Connection,
    Command,
    Events,
    Policy,
    Foreign,
    Packet,
    PacketToOnlyHook,
    Receive,
    Peek,
    Shutdown,
    ReceiveSpace,
    SendSpace,
    ReportLoss,
    TakeError,
    PassOn,
}

/// Sends a message, unless it is one that the model knows nothing of.
fn send(pair: &mut Pair, number: usize, to: Option<&[u8]>, message: &Message) {
    if !pair.world().knows(message) {
        return;
    }
    let outgoing = Outgoing {
        bytes: &message.write(),
        to,
        ancillary: None,
    };
    pair.send(number, outgoing);
}

/// A destination, often the sender's own node.
fn destination(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    if u.arbitrary()? {
        return Ok(b"\0\x20.:\0".to_vec());
    }
    let path = text::path(u)?;
    text::sockaddr(u, &path)
}

/// The commands that need no more than a name.
const PLAIN: [u32; 10] = [
    generic::SHUTDOWN,
    generic::NAME,
    generic::NAME,
    generic::RMHOOK,
    generic::RMHOOK,
    generic::NODEINFO,
    generic::LISTHOOKS,
    generic::LISTNAMES,
    generic::LISTNODES,
    generic::TEXT_STATUS,
];

fn plain(u: &mut Unstructured<'_>) -> Result<Message> {
    let command = *u.choose(&PLAIN)?;
    let arguments = match command {
        generic::NAME | generic::RMHOOK => field(&text::name(u)?, 32),
        _ => Vec::new(),
    };
    Ok(Message::new(GENERIC, command, u.arbitrary()?, &arguments))
}

fn peer(u: &mut Unstructured<'_>) -> Result<Message> {
    let kind = *u.choose(&["hub", "hub", "hole", "echo", "socket", "none"])?;
    let arguments = [
        field(kind.as_bytes(), 32),
        field(&text::name(u)?, 32),
        field(&text::name(u)?, 32),
    ];
    Ok(Message::new(
        GENERIC,
        generic::MKPEER,
        u.arbitrary()?,
        &arguments.concat(),
    ))
}

fn connection(u: &mut Unstructured<'_>) -> Result<Message> {
    let arguments = [
        field(&text::path(u)?, 512),
        field(&text::name(u)?, 32),
        field(&text::name(u)?, 32),
    ];
    Ok(Message::new(
        GENERIC,
        generic::CONNECT,
        u.arbitrary()?,
        &arguments.concat(),
    ))
}

fn command(u: &mut Unstructured<'_>) -> Result<Message> {
    const COMMANDS: [u32; 8] = [
        socket::NOLINGER,
        socket::LINGER,
        socket::GET_EVENTS,
        socket::GET_POLICY,
        socket::GET_STATS,
        socket::CLR_STATS,
        socket::GETCLR_STATS,
        99,
    ];
    let command = *u.choose(&COMMANDS)?;
    Ok(Message::new(SOCKET, command, u.arbitrary()?, &[]))
}

fn events(u: &mut Unstructured<'_>) -> Result<Message> {
    // All that the model knows, most often.
    let mask = if u.arbitrary()? {
        0x5f
    } else {
        u32::from(u.arbitrary::<u8>()?)
    };
    Ok(Message::new(SOCKET, socket::SET_EVENTS, 3, &mask.to_le_bytes()))
}

fn policy(u: &mut Unstructured<'_>) -> Result<Message> {
    let mut arguments = vec![u.int_in_range(0..=4)?, 0, 0, 0, u.int_in_range(0..=3)?, 0, 0, 0];
    arguments.extend([field(&text::name(u)?, 32), field(&text::name(u)?, 32)].concat());
    arguments.resize(8 + 16 * 32, 0);
    Ok(Message::new(SOCKET, socket::SET_POLICY, 4, &arguments))
}

/// A message that means nothing to netgraph.
fn foreign(u: &mut Unstructured<'_>) -> Result<Message> {
    let arguments = vec![u.arbitrary()?; u.int_in_range(0..=3_000)?];
    let cookie = if u.ratio(1_u8, 4_u8)? { SOCKET } else { 77 };
    let mut message = Message::new(cookie, u.int_in_range(0..=9)?, u.arbitrary::<u8>()?.into(), &arguments);
    if cookie == SOCKET || u.ratio(1_u8, 4_u8)? {
        message.flags = RESPONSE;
    }
    Ok(message)
}

fn packet(pair: &mut Pair, number: usize, to: Option<&[u8]>, u: &mut Unstructured<'_>) -> Result<()> {
    let length = match u.arbitrary::<u8>()? {
        0 => u.int_in_range(0..=21_000_usize)?,
        short => usize::from(short),
    };
    let bytes = vec![u.arbitrary()?; length];
    let outgoing = Outgoing {
        bytes: &bytes,
        to,
        ancillary: None,
    };
    if !pair.world().is_endless(number, to) && Message::read(&bytes).is_err() {
        pair.send(number, outgoing);
    }
    Ok(())
}

/// A size of a buffer: most are small, so that they overflow.
fn space(u: &mut Unstructured<'_>) -> Result<i32> {
    Ok(match u.arbitrary::<u8>()? {
        0 => u.arbitrary()?,
        size => i32::from(size) * 16,
    })
}

fn on_socket(pair: &mut Pair, number: usize, call: Call, u: &mut Unstructured<'_>) -> Result<()> {
    let message = match call {
        Call::Generic => Some(plain(u)?),
        Call::Peer => Some(peer(u)?),
        Call::Connection => Some(connection(u)?),
        Call::Command => Some(command(u)?),
        Call::Events => Some(events(u)?),
        Call::Policy => Some(policy(u)?),
        Call::Foreign => Some(foreign(u)?),
        _ => None,
    };
    if let Some(message) = message {
        let to = destination(u)?;
        if !pair.world().is_endless(number, Some(&to)) {
            send(pair, number, Some(&to), &message);
        }
        return Ok(());
    }
    match call {
        Call::Close => pair.close(number),
        Call::Bind => {
            let name = text::name(u)?;
            pair.bind(number, &text::sockaddr(u, &name)?);
        }
        Call::Connect => {
            let path = text::path(u)?;
            pair.connect(number, &text::sockaddr(u, &path)?);
        }
        Call::Name => pair.name(number),
        Call::Packet => {
            let name = text::name(u)?;
            let to = text::sockaddr(u, &name)?;
            packet(pair, number, Some(&to), u)?;
        }
        Call::PacketToOnlyHook => packet(pair, number, None, u)?,
        Call::Receive => pair.receive(number, usize::from(u.arbitrary::<u16>()?), false),
        Call::Peek => pair.receive(number, usize::from(u.arbitrary::<u16>()?), true),
        Call::Shutdown => pair.shutdown(number, *u.choose(&[How::Read, How::Write, How::Both])?),
        Call::ReceiveSpace => pair.set_receive_space(number, space(u)?),
        Call::SendSpace => pair.set_send_space(number, space(u)?),
        Call::ReportLoss => pair.set_reports_loss(number, u.arbitrary()?),
        Call::TakeError => pair.take_error(number),
        Call::PassOn => pair.pass_on(number),
        _ => {}
    }
    Ok(())
}

fn one(pair: &mut Pair, u: &mut Unstructured<'_>) -> Result<()> {
    let (call, number) = (u.arbitrary()?, u.int_in_range(0..=SOCKETS - 1)?);
    match call {
        Call::OpenControl if !pair.is_open(number) => pair.open(number, Protocol::Control),
        Call::OpenData if !pair.is_open(number) => pair.open(number, Protocol::Data),
        call if pair.is_open(number) => on_socket(pair, number, call, u)?,
        _ => {}
    }
    pair.compare();
    Ok(())
}

/// One execution.
pub fn execute(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let mut pair = Pair::new();
    for _ in 0..MOST {
        // Too little data is the end, and no mistake.
        if u.is_empty() || one(&mut pair, &mut u).is_err() {
            break;
        }
    }
    pair.finish();
}
