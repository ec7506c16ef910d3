//! Which packets are wanted, in the words of pcap-filter(7).
//!
//! There are `ether`, `ip`, `ip6`, `arp`, `tcp`, `udp`, `sctp`, `icmp` and `icmp6`, `host`, `net`, `port` and `portrange` with
//! `src` and `dst`, `proto`, `vlan`, `less` and `greater`, `broadcast` and `multicast`; `and`, `or`, `not` and parentheses. As
//! there, `and` and `or` bind alike, from left to right. There are no names of hosts, and no expressions on bytes. Unlike
//! there, packets within VLANs need not be asked for by `vlan`.

mod parse;
mod values;
mod words;

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::facts::{Facts, Network, protocol};

/// Which packets are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Expression);

impl Filter {
    /// Whether a packet is wanted.
    pub fn accepts(&self, facts: &Facts) -> bool {
        self.0.holds(facts)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        parse::parse(text).map(Self)
    }
}

/// What is wrong with a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// All of it.
    text: String,
    /// Where the mistake starts and ends, in characters from 0.
    place: (usize, usize),
    /// What is wrong.
    reason: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = self.place;
        writeln!(f, "filter, column {}: {}", start + 1, self.reason)?;
        writeln!(f, "  | {}", self.text)?;
        let marks = "^".repeat(end.saturating_sub(start).max(1));
        write!(f, "  | {:start$}{marks}", "")
    }
}

impl std::error::Error for FilterError {}

/// A condition on packets.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    Is(Test),
    Not(Box<Expression>),
    /// Applied one after the other, from the left.
    Chain(Box<Expression>, Vec<(Joint, Expression)>),
}

/// What stands between two conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

/// Which end of a packet's way is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Source,
    Destination,
    Either,
    Both,
}

impl Way {
    fn holds<T>(self, (source, destination): (T, T), test: impl Fn(T) -> bool) -> bool {
        match self {
            Self::Source => test(source),
            Self::Destination => test(destination),
            Self::Either => test(source) || test(destination),
            Self::Both => test(source) && test(destination),
        }
    }
}

/// Which kind of packet an address is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Any,
    Ip4,
    Ip6,
    Arp,
}

/// An address, or all of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Net {
    address: IpAddr,
    /// How many bits of it count.
    bits: u8,
}

impl Net {
    fn contains(self, address: IpAddr) -> bool {
        let (own, other) = (as_bits(self.address), as_bits(address));
        own.0 == other.0 && (own.1 ^ other.1) & mask(own.0, self.bits) == 0
    }
}

/// The width of an address, and the address.
fn as_bits(address: IpAddr) -> (u8, u128) {
    match address {
        IpAddr::V4(address) => (32, u32::from(address).into()),
        IpAddr::V6(address) => (128, address.into()),
    }
}

/// The upper bits of so many.
fn mask(width: u8, bits: u8) -> u128 {
    let all = u128::MAX >> (128 - width);
    all & !all.checked_shr(bits.into()).unwrap_or(0)
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    /// An Ethernet address.
    Station(Way, [u8; 6]),
    /// The type of an Ethernet frame.
    EtherType(u16),
    Broadcast,
    Multicast,
    Arp,
    /// IP of this version, or any.
    Ip(Family),
    /// What IP carries.
    Protocol(Family, u8),
    Vlan(Option<u16>),
    Address(Family, Way, Net),
    /// Of this protocol, or any that has ports.
    Port(Option<u8>, Way, RangeInclusive<u16>),
    /// Bytes at most.
    Less(usize),
    /// Bytes at least.
    Greater(usize),
}

impl Expression {
    fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::Is(test) => test.holds(facts),
            Self::Not(inner) => !inner.holds(facts),
            Self::Chain(first, rest) => rest.iter().fold(first.holds(facts), |held, (joint, next)| match joint {
                Joint::And => held && next.holds(facts),
                Joint::Or => held || next.holds(facts),
            }),
        }
    }
}

impl Test {
    fn holds(&self, facts: &Facts) -> bool {
        let header = facts.ethernet.as_ref();
        match self {
            Self::Station(way, address) => {
                header.is_some_and(|header| way.holds((header.source, header.destination), |end| end == *address))
            }
            Self::EtherType(number) => header.is_some_and(|header| header.types.contains(number)),
            Self::Broadcast => header.is_some_and(|header| header.destination == [0xff; 6]),
            Self::Multicast => header.is_some_and(|header| header.destination[0] & 1 == 1),
            Self::Arp => matches!(facts.network, Some(Network::Arp(_))) || Self::EtherType(0x0806).holds(facts),
            Self::Ip(family) => facts.ip().is_some_and(|ip| family.includes(ip.source)),
            Self::Protocol(family, number) => facts
                .ip()
                .is_some_and(|ip| ip.protocol == *number && family.includes(ip.source)),
            Self::Vlan(None) => !facts.vlans.is_empty(),
            Self::Vlan(Some(vlan)) => facts.vlans.contains(vlan),
            Self::Address(family, way, net) => family
                .ends(facts)
                .is_some_and(|ends| way.holds(ends, |end| net.contains(end))),
            Self::Port(number, way, range) => facts.ip().is_some_and(|ip| {
                let is_meant = number.is_none_or(|number| ip.protocol == number);
                let ports = ip.ports().filter(|_| is_meant);
                ports.is_some_and(|ports| way.holds(ports, |port| range.contains(&port)))
            }),
            Self::Less(bytes) => facts.length <= *bytes,
            Self::Greater(bytes) => facts.length >= *bytes,
        }
    }
}

impl Family {
    /// Whether IP packets with this address are meant.
    fn includes(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Ip4 => address.is_ipv4(),
            Self::Ip6 => address.is_ipv6(),
            Self::Arp => false,
        }
    }

    /// Source and destination of a packet that is meant.
    fn ends(self, facts: &Facts) -> Option<(IpAddr, IpAddr)> {
        match facts.network.as_ref()? {
            Network::Arp(arp) => {
                matches!(self, Self::Any | Self::Arp).then_some((arp.sender.into(), arp.target.into()))
            }
            Network::Ip(ip) => self.includes(ip.source).then_some((ip.source, ip.destination)),
        }
    }
}

/// The numbers of protocols that have a name in filters.
const PROTOCOLS: [(&str, u8); 8] = [
    ("icmp", protocol::ICMP),
    ("igmp", protocol::IGMP),
    ("tcp", protocol::TCP),
    ("udp", protocol::UDP),
    ("esp", protocol::ESP),
    ("ah", protocol::AH),
    ("icmp6", protocol::ICMP6),
    ("sctp", protocol::SCTP),
];

#[cfg(test)]
mod tests;
