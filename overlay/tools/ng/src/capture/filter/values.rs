//! The values in filters: addresses, networks, ports, protocols.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

use super::{Net, PROTOCOLS, as_bits};

/// A network, or a whole address; of IPv4, fewer than four numbers are the network that they start.
pub fn net(text: &str) -> Option<Net> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let (address, whole) = match address.parse::<IpAddr>() {
        Ok(address) => (address, as_bits(address).0),
        Err(_) => abbreviated(address)?,
    };
    let bits = bits.unwrap_or(whole);
    (bits <= as_bits(address).0).then_some(Net { address, bits })
}

/// `10` or `192.168`, and how many bits these are.
fn abbreviated(text: &str) -> Option<(IpAddr, u8)> {
    let numbers: Vec<u8> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let bits = match numbers.len() {
        1 => 8,
        2 => 16,
        3 => 24,
        _ => return None,
    };
    let mut octets = [0; 4];
    octets
        .iter_mut()
        .zip(numbers)
        .for_each(|(octet, number)| *octet = number);
    Some((Ipv4Addr::from(octets).into(), bits))
}

/// How many bits a mask has; None when they are not the first ones.
pub fn length_of_mask(mask: Ipv4Addr) -> Option<u8> {
    let bits = u32::from(mask);
    let length = bits.leading_ones();
    (length == bits.count_ones())
        .then(|| u8::try_from(length).ok())
        .flatten()
}

/// An Ethernet address.
pub fn station(text: &str) -> Option<[u8; 6]> {
    let parts = text.split([':', '-']);
    let bytes: Option<Vec<u8>> = parts.map(|part| u8::from_str_radix(part, 16).ok()).collect();
    bytes?.try_into().ok()
}

/// A type of Ethernet frames, by name or number.
pub fn ether_type(text: &str) -> Option<u16> {
    match text.trim_start_matches('\\') {
        "ip" => Some(0x0800),
        "ip6" => Some(0x86dd),
        "arp" => Some(0x0806),
        "vlan" => Some(0x8100),
        "lldp" => Some(0x88cc),
        "pppoed" => Some(0x8863),
        "pppoes" => Some(0x8864),
        number => match number.strip_prefix("0x") {
            Some(digits) => u16::from_str_radix(digits, 16).ok(),
            None => number.parse().ok(),
        },
    }
}

/// By name, also with a backslash as pcap-filter(7) has it, or by number.
pub fn protocol_number(text: &str) -> Option<u8> {
    let name = text.trim_start_matches('\\');
    let named = PROTOCOLS.into_iter().find(|(known, _)| *known == name);
    named.map(|(_, number)| number).or_else(|| text.parse().ok())
}

/// The number of a port.
pub fn port(text: &str) -> Option<u16> {
    text.parse().ok()
}

/// Two ports and all between.
pub fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (port(first)?, port(last)?);
    (first <= last).then_some(first..=last)
}
