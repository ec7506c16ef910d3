//! A packet in one line, in the manner of tcpdump(1).

use std::fmt::Write;
use std::net::IpAddr;

use super::facts::{Arp, Ethernet, Facts, Ip, Network, protocol};

/// What is in a packet, in words.
pub fn line(facts: &Facts) -> String {
    let mut text = String::new();
    if let Some(header) = &facts.ethernet {
        let _ = write!(text, "{} > {}", mac(header.source), mac(header.destination));
    }
    for vlan in &facts.vlans {
        let _ = write!(text, ", vlan {vlan}");
    }
    let rest = match &facts.network {
        Some(Network::Arp(arp)) => Some(arp_line(arp)),
        Some(Network::Ip(ip)) => Some(ip_line(ip)),
        None => facts.ethernet.as_ref().and_then(type_line),
    };
    if let Some(rest) = rest {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{rest}");
    }
    if text.is_empty() {
        text.push_str("no header that ng knows");
    }
    text
}

/// An Ethernet address as it is usually written.
pub fn mac(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

/// What a frame carries that nothing more is known of.
fn type_line(header: &Ethernet) -> Option<String> {
    let number = *header.types.last()?;
    Some(match number {
        0..=0x05ff => format!("802.3, length {number}"),
        0x8863 => "PPPoE discovery".to_owned(),
        0x8864 => "PPPoE session".to_owned(),
        0x88cc => "LLDP".to_owned(),
        0x8809 => "slow protocol (LACP)".to_owned(),
        _ => format!("type {number:#06x}"),
    })
}

fn arp_line(arp: &Arp) -> String {
    let Arp { sender, target, .. } = arp;
    match arp.operation {
        1 => format!("ARP who has {target}? tell {sender}"),
        2 => format!("ARP {sender} is at {}", mac(arp.sender_hardware)),
        other => format!("ARP operation {other}, {sender} to {target}"),
    }
}

fn ip_line(ip: &Ip) -> String {
    let version = if ip.source.is_ipv4() { "IP" } else { "IP6" };
    let ends = match ip.ports() {
        Some((from, to)) => format!("{} > {}", with_port(ip.source, from), with_port(ip.destination, to)),
        None => format!("{} > {}", ip.source, ip.destination),
    };
    let what = protocol_line(ip);
    let fragment = if ip.fragment { ", fragment" } else { "" };
    format!("{version} {ends}: {what}{fragment}")
}

fn with_port(address: IpAddr, port: u16) -> String {
    format!("{address}.{port}")
}

fn protocol_line(ip: &Ip) -> String {
    let payload = ip.payload;
    match (ip.protocol, ip.head.as_slice()) {
        (protocol::TCP, [.., data, flags, _, _, _, _, _, _]) if ip.head.len() == 20 => {
            let header = usize::from(data >> 4) * 4;
            let length = payload.saturating_sub(header);
            format!("tcp [{}], length {length}", tcp_flags(*flags))
        }
        (protocol::TCP, _) => "tcp".to_owned(),
        (protocol::UDP, _) => format!("udp, length {}", payload.saturating_sub(8)),
        (protocol::SCTP, _) => format!("sctp, length {}", payload.saturating_sub(12)),
        (protocol::ICMP, [kind, code, ..]) => icmp(*kind, *code),
        (protocol::ICMP6, [kind, code, ..]) => icmp6(*kind, *code),
        (protocol::IGMP, _) => "igmp".to_owned(),
        (protocol::ESP, _) => "esp".to_owned(),
        (protocol::AH, _) => "ah".to_owned(),
        (number, _) => format!("protocol {number}, length {payload}"),
    }
}

fn tcp_flags(flags: u8) -> String {
    let letters = [
        (0x02, 'S'),
        (0x01, 'F'),
        (0x04, 'R'),
        (0x08, 'P'),
        (0x20, 'U'),
        (0x10, '.'),
    ];
    let set = letters.into_iter().filter(|(bit, _)| flags & bit != 0);
    let text: String = set.map(|(_, letter)| letter).collect();
    if text.is_empty() { "none".to_owned() } else { text }
}

fn icmp(kind: u8, code: u8) -> String {
    match kind {
        0 => "icmp echo reply".to_owned(),
        3 => format!("icmp unreachable, code {code}"),
        5 => "icmp redirect".to_owned(),
        8 => "icmp echo request".to_owned(),
        11 => "icmp time exceeded".to_owned(),
        _ => format!("icmp type {kind}, code {code}"),
    }
}

fn icmp6(kind: u8, code: u8) -> String {
    match kind {
        1 => format!("icmp6 unreachable, code {code}"),
        2 => "icmp6 packet too big".to_owned(),
        3 => "icmp6 time exceeded".to_owned(),
        128 => "icmp6 echo request".to_owned(),
        129 => "icmp6 echo reply".to_owned(),
        133 => "icmp6 router solicitation".to_owned(),
        134 => "icmp6 router advertisement".to_owned(),
        135 => "icmp6 neighbour solicitation".to_owned(),
        136 => "icmp6 neighbour advertisement".to_owned(),
        _ => format!("icmp6 type {kind}, code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::tests::{ping, question, syn6, tagged_udp};
    use super::super::link::LinkType;
    use super::*;

    #[test]
    fn packets_in_words() {
        let stations = "02:00:00:00:00:01 > 02:00:00:00:00:02";
        let rows = [
            (
                tagged_udp(),
                format!("{stations}, vlan 5, IP 10.0.0.1.1234 > 10.0.0.2.53: udp, length 5"),
            ),
            (
                syn6(),
                format!("{stations}, IP6 2001:db8::1.40000 > 2001:db8:1::2.443: tcp [S], length 0"),
            ),
            (
                question(),
                "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ARP who has 10.0.0.2? tell 10.0.0.1".to_owned(),
            ),
            (
                ping(),
                format!("{stations}, IP 10.0.0.1 > 192.168.7.9: icmp echo request"),
            ),
            (b"short".to_vec(), "no header that ng knows".to_owned()),
        ];
        for (packet, expected) in rows {
            assert_eq!(line(&Facts::of(&packet, LinkType::Ethernet)), expected);
        }
        let raw = Facts::of(&ping()[14..], LinkType::Raw);
        assert_eq!(line(&raw), "IP 10.0.0.1 > 192.168.7.9: icmp echo request");
    }
}
