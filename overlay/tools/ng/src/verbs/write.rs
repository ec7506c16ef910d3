//! `ng write`.

use std::fs;

use clap::Args;
use netgraph::Transport;
use serde::Serialize;

use super::{hook_name, usage};
use crate::explain;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Send a packet out of a hook of ng's own node
///
/// The node has hooks when earlier lines of a file given to `ng -f` have connected it.
#[derive(Debug, Args)]
#[command(override_usage = "ng write <HOOK> -f <FILE>\n       ng write <HOOK> <BYTE>...")]
pub struct Write {
    /// The hook
    hook: String,

    /// The packet: `-f FILE`, or its bytes, each from -128 to 255, decimal, octal (017) or hexadecimal (0x1f)
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "DATA"
    )]
    data: Vec<String>,
}

#[derive(Serialize)]
struct Output<'a> {
    hook: &'a str,
    length: usize,
}

impl Write {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let hook = hook_name(&self.hook)?;
        let packet = packet(&self.data)?;
        let sent = session.socket.send_data(Some(&hook), &packet);
        sent.map_err(|error| explain::refusal(&mut session.socket, error))?;
        let output = Output {
            hook: hook.as_str(),
            length: packet.len(),
        };
        session.done("write", &output)
    }
}

fn packet(data: &[String]) -> Result<Vec<u8>> {
    match data {
        [flag, file] if flag == "-f" => {
            let bytes = fs::read(file).map_err(|error| Failure::File {
                path: file.clone(),
                error,
            })?;
            if bytes.is_empty() {
                return Err(usage(format!("{file} is empty")));
            }
            Ok(bytes)
        }
        [flag, ..] if flag == "-f" => Err(usage("-f takes one file and nothing else")),
        bytes => bytes.iter().map(|text| byte(text)).collect(),
    }
}

/// A byte as C writes integers.
fn byte(text: &str) -> Result<u8> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let lower = digits.to_ascii_lowercase();
    let number = match (lower.strip_prefix("0x"), lower.strip_prefix('0')) {
        (Some(hexadecimal), _) => i32::from_str_radix(hexadecimal, 16),
        (None, Some(octal)) if !octal.is_empty() => i32::from_str_radix(octal, 8),
        _ => lower.parse(),
    };
    let number = number.map(|number| if negative { -number } else { number });
    match number {
        Ok(number @ -128..=255) => Ok(number.to_le_bytes()[0]),
        _ => Err(usage(format!("`{text}` is no byte: -128 to 255, or 0x00 to 0xff"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_in_c() {
        let rows = [
            ("0", 0),
            ("255", 255),
            ("-1", 255),
            ("-128", 128),
            ("0x1F", 31),
            ("017", 15),
        ];
        for (text, expected) in rows {
            assert_eq!(byte(text).unwrap(), expected, "{text}");
        }
        for text in ["256", "-129", "x", "", "0x", "08", "1.0"] {
            assert!(byte(text).is_err(), "{text}");
        }
    }
}
