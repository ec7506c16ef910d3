//! What the messages of the types carry.

use crate::netgraph::errors::{EINVAL, Result};
use crate::netgraph::message::Message;

/// An Ethernet address.
pub(super) type Mac = [u8; 6];

/// `ETHER_HDR_LEN`
pub(super) const ETHERNET_HEADER: usize = 14;

/// Whether an address is that of a group of stations.
pub(super) fn is_group(mac: Mac) -> bool {
    mac[0] & 1 != 0
}

/// The number of a command of a type; `EINVAL`: the message is not for it.
pub(super) fn command_of(message: &Message, cookie: u32) -> Result<u32> {
    let header = message.header();
    (header.typecookie == cookie).then_some(header.cmd).ok_or(EINVAL)
}

/// Arguments that are one number of 32 bits.
pub(super) fn number(arguments: &[u8]) -> Result<u32> {
    arguments.try_into().map(u32::from_ne_bytes).map_err(|_| EINVAL)
}

/// Arguments that are a flag: any number but 0.
pub(super) fn flag(arguments: &[u8]) -> Result<bool> {
    Ok(number(arguments)? != 0)
}

/// Arguments that are an Ethernet address.
pub(super) fn mac(arguments: &[u8]) -> Result<Mac> {
    arguments.try_into().map_err(|_| EINVAL)
}

/// The bytes of a C string in a field, or of one that is the last thing there is.
pub(super) fn string(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or(&[])
}

/// A C string in a field of `NG_HOOKSIZ` bytes.
pub(super) fn hook_field(name: &[u8]) -> [u8; 32] {
    let mut field = [0; 32];
    field
        .iter_mut()
        .take(31)
        .zip(name)
        .for_each(|(place, byte)| *place = *byte);
    field
}

/// A structure of counters.
pub(super) fn counters(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_ne_bytes()).collect()
}

/// The number behind a word, without leading zeros.
pub(super) fn numbered(name: &[u8], word: &str) -> Option<u32> {
    let number = core::str::from_utf8(name.strip_prefix(word.as_bytes())?).ok()?;
    number.parse().ok().filter(|value: &u32| value.to_string() == number)
}
