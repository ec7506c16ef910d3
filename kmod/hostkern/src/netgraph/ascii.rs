//! `NGM_BINARY2ASCII` and `NGM_ASCII2BINARY`: arguments as text, by the types that modules give for their commands.

mod generic;
pub(super) mod list;
mod parse;
mod shape;
mod text;
pub(crate) mod types;
mod unparse;

use core::ffi::CStr;
use core::ptr::NonNull;

use kpi::raw::netgraph::ng_cmdlist;
use kpi::raw::ng_message::{NGF_RESP, ng_mesg};

use super::errors::{EINVAL, ENOSYS, Result};
use super::kind::Kind;
use super::message::HEADER;
use types::ng_parse_type;

/// A command of a list.
struct Command {
    cookie: u32,
    command: u32,
    name: Vec<u8>,
    arguments: *const ng_parse_type,
    answer: *const ng_parse_type,
}

impl Command {
    /// The type of the arguments that go with these flags; `None` without any.
    fn arguments(&self, flags: u32) -> Option<*const ng_parse_type> {
        let kind = if flags & NGF_RESP == 0 {
            self.arguments
        } else {
            self.answer
        };
        (!kind.is_null()).then_some(kind)
    }
}

/// The commands of a type, then the generic ones.
fn find(kind: &Kind, wanted: impl Fn(&Command) -> bool) -> Result<Command> {
    let own = commands(kind.cmdlist);
    let generic = commands(generic::COMMANDS.as_ptr());
    own.into_iter().chain(generic).find(wanted).ok_or(ENOSYS)
}

fn commands(mut next: *const ng_cmdlist) -> Vec<Command> {
    let mut commands = Vec::new();
    // SAFETY: a list of commands ends with one without a name, and null is an empty list.
    while let Some(command) = unsafe { next.as_ref() } {
        if command.name.is_null() {
            break;
        }
        // SAFETY: a C string.
        let name = unsafe { CStr::from_ptr(command.name) };
        commands.push(Command {
            cookie: command.cookie,
            command: command.cmd.cast_unsigned(),
            name: name.to_bytes().to_vec(),
            arguments: command.mesgType.cast(),
            answer: command.respType.cast(),
        });
        next = next.wrapping_add(1);
    }
    commands
}

/// Reads the message within the arguments of a message.
fn embedded(arguments: &[u8]) -> Result<(ng_mesg, &[u8])> {
    let (header, rest) = arguments.split_at_checked(HEADER).ok_or(EINVAL)?;
    // SAFETY: so many bytes, of which any are a header.
    let header = unsafe { NonNull::from(header).cast::<ng_mesg>().read_unaligned() };
    let rest = rest.get(..header.arglen as usize).ok_or(EINVAL)?;
    Ok((header, rest))
}

/// A message as it lies in the arguments of another.
pub(super) fn embed(header: ng_mesg, arguments: &[u8]) -> Vec<u8> {
    let arglen = u32::try_from(arguments.len()).expect("arguments are short");
    let header = ng_mesg { arglen, ..header };
    let start = (&raw const header).cast::<u8>();
    // SAFETY: a header has no padding.
    let header = unsafe { core::slice::from_raw_parts(start, HEADER) };
    [header, arguments].concat()
}

/// `NGM_BINARY2ASCII`
pub(super) fn to_ascii(kind: &Kind, arguments: &[u8]) -> Result<Vec<u8>> {
    let (mut header, binary) = embedded(arguments)?;
    let command = find(kind, |command| {
        (command.cookie, command.command) == (header.typecookie, header.cmd)
    })?;
    header.cmdstr = [0; 32];
    header
        .cmdstr
        .iter_mut()
        .take(31)
        .zip(&command.name)
        .for_each(|(place, byte)| *place = *byte);
    let mut text = String::new();
    if let Some(kind) = command.arguments(header.flags) {
        unparse::unparse(kind, &mut unparse::Reader::of(binary), &mut text)?;
    }
    text.push('\0');
    Ok(embed(header, text.as_bytes()))
}

/// `NGM_ASCII2BINARY`
pub(super) fn to_binary(kind: &Kind, arguments: &[u8]) -> Result<Vec<u8>> {
    let (mut header, ascii) = embedded(arguments)?;
    let (_, ascii) = ascii.split_last().ok_or(EINVAL)?;
    let text = ascii.split(|byte| *byte == 0).next().unwrap_or(&[]);
    let name = header.cmdstr.split(|byte| *byte == 0).next().unwrap_or(&[]);
    let command = find(kind, |command| command.name == name)?;
    (header.typecookie, header.cmd) = (command.cookie, command.command);
    let mut binary = Vec::new();
    if let Some(kind) = command.arguments(header.flags) {
        parse::parse(kind, Some(text::Tokens::of(text)), &mut binary)?;
    }
    Ok(embed(header, &binary))
}
