//! What comes to ng's own node, in words: control messages and packets.

use std::time::Instant;

use netgraph::{Incoming, Socket, Transport};
use serde::Serialize;

use crate::dump;
use crate::failure::Result;
use crate::session::Session;

/// The largest packet that is read, in bytes; nghook(8) has the same bound.
pub const LARGEST_PACKET: usize = 64 * 1024;

/// A message in JSON; `args` in words, or `data` in hexadecimal alone where the sender has no words for it.
#[derive(Debug, Serialize)]
pub struct Words {
    from: String,
    command: Option<String>,
    number: u32,
    response: bool,
    args: Option<String>,
    data: String,
}

/// A packet in JSON; `data` is hexadecimal.
#[derive(Debug, Serialize)]
pub struct Packet<'a> {
    hook: &'a str,
    length: usize,
    data: String,
}

impl<'a> Packet<'a> {
    /// A packet that came by that hook of ng's own node.
    pub fn new(hook: &'a str, bytes: &[u8]) -> Self {
        Self {
            hook,
            length: bytes.len(),
            data: dump::hex(bytes),
        }
    }
}

/// Asks the sender to put its message into words.
pub fn in_words<T: Transport>(socket: &mut Socket<T>, incoming: &Incoming) -> Words {
    let words = socket.to_ascii(&incoming.from, &incoming.message).ok();
    let (command, args) = words.unzip();
    Words {
        from: incoming.from.to_string(),
        command,
        number: incoming.message.command,
        response: incoming.message.is_reply(),
        args,
        data: dump::hex(&incoming.message.data),
    }
}

/// The message as ngctl(8) prints it; `data` are its arguments' bytes.
pub fn message_text(words: &Words, data: &[u8]) -> String {
    let kind = if words.response { "response" } else { "command" };
    let (name, body) = match (&words.command, &words.args) {
        (Some(name), Some(args)) => (format!("\"{name}\" ({})", words.number), args),
        _ => (words.number.to_string(), &dump::lines(data)),
    };
    let body = match &words.args {
        _ if body.is_empty() => "No arguments\n".to_owned(),
        Some(args) => format!("Args:\t{args}\n"),
        None => body.clone(),
    };
    format!("Rec'd {kind} {name} from \"{}\":\n{body}", words.from)
}

/// The packet as ngctl(8) prints it.
fn packet_text(hook: &str, packet: &[u8]) -> String {
    format!("Rec'd data packet on hook \"{hook}\":\n{}", dump::lines(packet))
}

/// What has come and was not asked for, each as the text to print.
///
/// # Errors
/// The node is gone, or something was lost.
pub fn unasked<T: Transport>(session: &mut Session<T>) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    while let Some(incoming) = session.socket.receive(Some(Instant::now()))? {
        let words = in_words(&mut session.socket, &incoming);
        texts.push(if session.json {
            in_json(&words)
        } else {
            message_text(&words, &incoming.message.data)
        });
    }
    let mut buffer = vec![0; LARGEST_PACKET];
    while let Some((length, hook)) = session.socket.receive_data(&mut buffer, Some(Instant::now()))? {
        let packet = &buffer[..length];
        texts.push(if session.json {
            in_json(&Packet::new(&hook, packet))
        } else {
            packet_text(&hook, packet)
        });
    }
    Ok(texts)
}

fn in_json<V: Serialize>(value: &V) -> String {
    serde_json::to_string(value).unwrap_or_default() + "\n"
}
