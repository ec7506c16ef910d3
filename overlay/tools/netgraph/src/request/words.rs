//! Messages whose arguments or answers are words, and the conversion between words and binary.

use crate::error::Operation;
use crate::request::{QUERY, Request};
use crate::wire::{GENERIC_COOKIE, Malformed, Message, until_zero};

without_arguments! { GENERIC_COOKIE;
    /// `NGM_TEXT_STATUS`: the node's state in words; EINVAL from types that have none.
    TextStatus = 11 | QUERY, "textstatus", true -> String: text;
}

#[expect(clippy::unnecessary_wraps, reason = "it is called where others can fail")]
fn text(bytes: &[u8]) -> Result<String, Malformed> {
    Ok(until_zero(bytes))
}

/// `NGM_TEXT_CONFIG`: reads a node's configuration as text, or sets it; EINVAL from types that have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextConfig(pub Option<String>);

impl Request for TextConfig {
    const COMMAND: u32 = 14;
    const NAME: &'static str = "textconfig";
    const OPERATION: Operation = Operation::TextConfig;
    const ANSWERED: bool = true;
    type Reply = String;

    fn arguments(&self) -> Vec<u8> {
        self.0.as_ref().map_or_else(Vec::new, |text| {
            let mut bytes = text.clone().into_bytes();
            bytes.push(0);
            bytes
        })
    }

    fn reply(bytes: &[u8]) -> Result<String, Malformed> {
        text(bytes)
    }
}

/// `NGM_BINARY2ASCII`: a node puts a message of its own kind into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToAscii(pub Message);

/// `NGM_ASCII2BINARY`: a node makes a message of its own kind from words.
///
/// The message's name says which command; its data is the arguments' text with a terminating zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToBinary(pub Message);

impl Request for ToAscii {
    const COMMAND: u32 = 12 | QUERY;
    const NAME: &'static str = "binary2ascii";
    const OPERATION: Operation = Operation::ToAscii;
    type Reply = Message;

    fn arguments(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn reply(bytes: &[u8]) -> Result<Message, Malformed> {
        Message::from_bytes(bytes)
    }
}

impl Request for ToBinary {
    const COMMAND: u32 = 13 | QUERY;
    const NAME: &'static str = "ascii2binary";
    const OPERATION: Operation = Operation::ToBinary;
    type Reply = Message;

    fn arguments(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    fn reply(bytes: &[u8]) -> Result<Message, Malformed> {
        Message::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_sent_as_a_terminated_text() {
        assert_eq!(TextConfig(Some("on".into())).arguments(), b"on\0");
        assert!(TextConfig(None).arguments().is_empty());
    }
}
