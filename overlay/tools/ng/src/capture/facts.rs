//! What a packet says of itself: addresses, protocols, ports. Headers that are cut off or wrong end the reading, and what
//! was found until then counts.

use std::net::{IpAddr, Ipv4Addr};

use etherparse::{ArpPacketSlice, Ipv6ExtensionSlice, LaxLinkExtSlice, LaxNetSlice, LaxSlicedPacket, LinkSlice};

use super::link::LinkType;

/// Numbers of protocols over IP.
pub mod protocol {
    pub const ICMP: u8 = 1;
    pub const IGMP: u8 = 2;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const ESP: u8 = 50;
    pub const AH: u8 = 51;
    pub const ICMP6: u8 = 58;
    pub const SCTP: u8 = 132;
}

/// What was found in a packet.
#[derive(Debug, Default)]
pub struct Facts {
    /// Its length in bytes.
    pub length: usize,
    /// The Ethernet header.
    pub ethernet: Option<Ethernet>,
    /// The VLANs it is tagged with, outermost first.
    pub vlans: Vec<u16>,
    /// What it carries.
    pub network: Option<Network>,
}

/// An Ethernet header.
#[derive(Debug)]
pub struct Ethernet {
    pub source: [u8; 6],
    pub destination: [u8; 6],
    /// The types of the frame and behind each of its tags; what is below 0x600 is a length.
    pub types: Vec<u16>,
}

/// What is behind the link's header.
#[derive(Debug)]
pub enum Network {
    Arp(Arp),
    Ip(Ip),
}

/// An ARP packet for IPv4.
#[derive(Debug)]
pub struct Arp {
    /// 1 asks, 2 answers.
    pub operation: u16,
    pub sender: Ipv4Addr,
    pub target: Ipv4Addr,
    /// Who answers, or asks.
    pub sender_hardware: [u8; 6],
}

/// An IP packet.
#[derive(Debug)]
pub struct Ip {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// The protocol behind the last extension header.
    pub protocol: u8,
    /// It is a part of a larger packet, though maybe the first one.
    pub fragment: bool,
    /// The first bytes of the protocol's header; none in fragments but the first one.
    pub head: Vec<u8>,
    /// How many bytes the protocol has.
    pub payload: usize,
}

impl Ip {
    /// Source and destination port, of protocols that have them.
    pub fn ports(&self) -> Option<(u16, u16)> {
        if !matches!(self.protocol, protocol::TCP | protocol::UDP | protocol::SCTP) {
            return None;
        }
        match *self.head.as_slice() {
            [a, b, c, d, ..] => Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
            _ => None,
        }
    }
}

/// How much of a protocol's header is kept, in bytes: a TCP header without options.
const HEAD: usize = 20;

impl Facts {
    /// Reads a packet.
    pub fn of(bytes: &[u8], link: LinkType) -> Self {
        let length = bytes.len();
        let sliced = match link {
            LinkType::Ethernet => LaxSlicedPacket::from_ethernet(bytes).ok(),
            LinkType::Raw => LaxSlicedPacket::from_ip(bytes).ok(),
            LinkType::Ppp => within_ppp(bytes).and_then(|packet| LaxSlicedPacket::from_ip(packet).ok()),
            LinkType::Chdlc | LinkType::Frelay | LinkType::User => None,
        };
        let sliced = sliced.map(|sliced| Self {
            length,
            ethernet: ethernet(&sliced),
            vlans: sliced.vlan_ids().iter().map(|id| id.value()).collect(),
            network: sliced.net.as_ref().and_then(network),
        });
        sliced.unwrap_or(Self {
            length,
            ..Self::default()
        })
    }

    /// The IP packet in it.
    pub fn ip(&self) -> Option<&Ip> {
        match &self.network {
            Some(Network::Ip(ip)) => Some(ip),
            _ => None,
        }
    }
}

fn ethernet(sliced: &LaxSlicedPacket<'_>) -> Option<Ethernet> {
    let Some(LinkSlice::Ethernet2(header)) = &sliced.link else {
        return None;
    };
    let tags = sliced.link_exts.iter().filter_map(|tag| match tag {
        LaxLinkExtSlice::Vlan(tag) => Some(tag.ether_type().0),
        LaxLinkExtSlice::Macsec(_) => None,
    });
    Some(Ethernet {
        source: header.source(),
        destination: header.destination(),
        types: std::iter::once(header.ether_type().0).chain(tags).collect(),
    })
}

fn network(net: &LaxNetSlice<'_>) -> Option<Network> {
    match net {
        LaxNetSlice::Arp(packet) => arp(packet).map(Network::Arp),
        LaxNetSlice::Ipv4(packet) => {
            let header = packet.header();
            let ends = (header.source_addr().into(), header.destination_addr().into());
            let is_first = header.fragments_offset().value() == 0;
            Some(Network::Ip(ip(ends, packet.payload(), is_first)))
        }
        LaxNetSlice::Ipv6(packet) => {
            let header = packet.header();
            let ends = (header.source_addr().into(), header.destination_addr().into());
            let is_first = !packet.extensions().clone().into_iter().any(|extension| {
                matches!(extension, Ipv6ExtensionSlice::Fragment(part) if part.fragment_offset().value() != 0)
            });
            Some(Network::Ip(ip(ends, packet.payload(), is_first)))
        }
    }
}

fn ip(ends: (IpAddr, IpAddr), payload: &etherparse::LaxIpPayloadSlice<'_>, is_first: bool) -> Ip {
    let kept = if is_first { payload.payload.len().min(HEAD) } else { 0 };
    Ip {
        source: ends.0,
        destination: ends.1,
        protocol: payload.ip_number.0,
        fragment: payload.fragmented,
        head: payload.payload[..kept].to_vec(),
        payload: payload.payload.len(),
    }
}

fn arp(packet: &ArpPacketSlice<'_>) -> Option<Arp> {
    let address = |bytes: &[u8]| <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from);
    Some(Arp {
        operation: packet.operation().0,
        sender: address(packet.sender_protocol_addr())?,
        target: address(packet.target_protocol_addr())?,
        sender_hardware: packet.sender_hw_addr().try_into().ok()?,
    })
}

/// The IP packet in a PPP frame (RFC 1661 and 1662); None for other protocols.
fn within_ppp(frame: &[u8]) -> Option<&[u8]> {
    let frame = frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame);
    match frame {
        [0x00, 0x21 | 0x57, packet @ ..] | [0x21 | 0x57, packet @ ..] => Some(packet),
        _ => None,
    }
}

#[cfg(test)]
pub mod tests {
    use etherparse::{Ethernet2Header, PacketBuilder};

    use super::*;

    /// A UDP packet in VLAN 5.
    pub fn tagged_udp() -> Vec<u8> {
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .single_vlan(5.try_into().unwrap())
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .udp(1234, 53);
        let mut bytes = Vec::new();
        builder.write(&mut bytes, b"hello").unwrap();
        bytes
    }

    /// A TCP packet that opens a connection over IPv6.
    pub fn syn6() -> Vec<u8> {
        let (source, destination) = ("2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap(), "2001:db8:1::2");
        let destination = destination.parse::<std::net::Ipv6Addr>().unwrap();
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv6(source.octets(), destination.octets(), 64)
            .tcp(40000, 443, 7, 1024)
            .syn();
        let mut bytes = Vec::new();
        builder.write(&mut bytes, b"").unwrap();
        bytes
    }

    /// Who has 10.0.0.2? Tell 10.0.0.1.
    pub fn question() -> Vec<u8> {
        let mut bytes = vec![0xff; 6];
        bytes.extend([2, 0, 0, 0, 0, 1, 0x08, 0x06]);
        bytes.extend([0, 1, 0x08, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1]);
        bytes.extend([0, 0, 0, 0, 0, 0, 10, 0, 0, 2]);
        bytes
    }

    /// An echo request over IPv4.
    pub fn ping() -> Vec<u8> {
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4([10, 0, 0, 1], [192, 168, 7, 9], 64)
            .icmpv4_echo_request(7, 3);
        let mut bytes = Vec::new();
        builder.write(&mut bytes, &[0; 56]).unwrap();
        bytes
    }

    #[test]
    fn tags_addresses_and_ports_are_found() {
        let facts = Facts::of(&tagged_udp(), LinkType::Ethernet);
        assert_eq!(facts.vlans, [5]);
        assert_eq!(facts.ethernet.as_ref().unwrap().types, [0x8100, 0x0800]);
        let ip = facts.ip().unwrap();
        assert_eq!((ip.protocol, ip.ports()), (protocol::UDP, Some((1234, 53))));
        let facts = Facts::of(&syn6(), LinkType::Ethernet);
        assert_eq!(facts.ip().unwrap().ports(), Some((40000, 443)));
    }

    #[test]
    fn only_the_first_fragment_has_ports() {
        let mut packet = tagged_udp();
        let at = Ethernet2Header::LEN + 4;
        packet[at + 6] = 0x20;
        let ports = |packet: &[u8]| Facts::of(packet, LinkType::Ethernet).ip().unwrap().ports();
        assert_eq!(ports(&packet), Some((1234, 53)));
        packet[at + 7] = 1;
        assert_eq!(ports(&packet), None);
    }

    #[test]
    fn ip_is_found_without_ethernet_and_in_ppp() {
        let packet = &ping()[Ethernet2Header::LEN..];
        assert_eq!(Facts::of(packet, LinkType::Raw).ip().unwrap().protocol, protocol::ICMP);
        for start in [&[0xff, 0x03, 0x00, 0x21][..], &[0x00, 0x21], &[0x21]] {
            let frame = [start, packet].concat();
            assert!(Facts::of(&frame, LinkType::Ppp).ip().is_some(), "{start:?}");
        }
        assert!(Facts::of(packet, LinkType::User).ip().is_none());
    }

    #[test]
    fn what_is_cut_off_is_no_failure() {
        for packet in [tagged_udp(), syn6(), question(), ping()] {
            for length in 0..packet.len() {
                assert_eq!(Facts::of(&packet[..length], LinkType::Ethernet).length, length);
            }
        }
        assert!(Facts::of(&tagged_udp()[..38], LinkType::Ethernet).ip().is_some());
    }
}
