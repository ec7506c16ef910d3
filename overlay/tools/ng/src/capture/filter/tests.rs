use proptest::prelude::*;

use super::super::facts::tests::{ping, question, syn6, tagged_udp};
use super::super::link::LinkType;
use super::*;

fn accepts(filter: &str, packet: &[u8]) -> bool {
    let filter: Filter = filter.parse().unwrap_or_else(|error| panic!("{error}"));
    filter.accepts(&Facts::of(packet, LinkType::Ethernet))
}

/// Filters, and which of the packets they accept: UDP in a VLAN, TCP over IPv6, ARP, ICMP.
const ROWS: &[(&str, [bool; 4])] = &[
    ("ip", [true, false, false, true]),
    ("ip6", [false, true, false, false]),
    ("arp", [false, false, true, false]),
    ("tcp", [false, true, false, false]),
    ("udp or tcp", [true, true, false, false]),
    ("icmp", [false, false, false, true]),
    ("ip proto icmp", [false, false, false, true]),
    ("proto 17", [true, false, false, false]),
    ("vlan", [true, false, false, false]),
    ("vlan 5 and udp", [true, false, false, false]),
    ("vlan 6", [false, false, false, false]),
    ("host 10.0.0.1", [true, false, true, true]),
    ("10.0.0.1", [true, false, true, true]),
    ("ip host 10.0.0.1", [true, false, false, true]),
    ("arp dst host 10.0.0.2", [false, false, true, false]),
    ("src host 10.0.0.2", [false, false, false, false]),
    ("dst 10.0.0.2", [true, false, true, false]),
    ("src and dst net 10.0.0.0/8", [true, false, true, false]),
    ("net 10", [true, false, true, true]),
    ("dst net 192.168.0.0 mask 255.255.0.0", [false, false, false, true]),
    ("net 2001:db8::/47", [false, true, false, false]),
    ("net 2001:db8:1::/48", [false, true, false, false]),
    ("dst net 2001:db8::/48", [false, false, false, false]),
    ("port 53", [true, false, false, false]),
    ("tcp port 53", [false, false, false, false]),
    ("tcp dst port 443", [false, true, false, false]),
    ("port 80 or 443 or 53", [true, true, false, false]),
    ("portrange 1-1023", [true, true, false, false]),
    ("udp src portrange 1-1023", [false, false, false, false]),
    ("ether host 02:00:00:00:00:02", [true, true, false, true]),
    ("ether src 02-00-00-00-00-02", [false, false, false, false]),
    ("ether proto arp", [false, false, true, false]),
    ("ether proto 0x8100", [true, false, false, false]),
    ("broadcast", [false, false, true, false]),
    ("ether multicast", [false, false, true, false]),
    ("less 60", [true, false, true, false]),
    ("greater 60", [false, true, false, true]),
    ("not arp", [true, true, false, true]),
    ("!arp&&!(icmp||ip6)", [true, false, false, false]),
    // `and` and `or` bind alike, from the left.
    ("arp or icmp and ip6", [false, false, false, false]),
    ("arp or (icmp and ip6)", [false, false, true, false]),
    ("not arp or icmp", [true, true, false, true]),
];

#[test]
fn packets_are_told_apart() {
    let packets = [tagged_udp(), syn6(), question(), ping()];
    for (filter, expected) in ROWS {
        let accepted = packets.each_ref().map(|packet| accepts(filter, packet));
        assert_eq!(accepted, *expected, "{filter}");
    }
}

#[test]
fn mistakes_are_shown() {
    let rows = [
        ("tcp prot 80", 5, "`and` or `or` is missing before this"),
        ("hots 10.0.0.1", 1, "did you mean `host`?"),
        ("port", 5, "the number of a port is missing here"),
        ("host example.org", 6, "names of hosts are not looked up"),
        ("tcp and", 8, "a condition is missing here"),
        ("(tcp or udp", 12, "a closing parenthesis is missing"),
        ("tcp)", 4, "there is no parenthesis that this one closes"),
        ("net 10.0.0.1/8", 5, "bits are set behind the first 8"),
        ("net 10.0.0.0/33", 5, "is not a network"),
        ("port 65536", 6, "is not the number of a port"),
        ("portrange 9-1", 11, "is not a range of ports"),
        ("vlan 5000", 6, "is not the number of a VLAN"),
        ("ether port 80", 7, "after `ether` comes"),
        ("tcp src 80", 9, "`port` or `portrange` is missing here"),
        ("ip src port 80", 8, "does not go with"),
        ("tcp[13] = 2", 1, "expressions on bytes"),
        ("äh tcp", 1, "`äh` is no word"),
        ("ether host 1:2:3", 12, "is not an Ethernet address"),
        ("", 1, "a condition is missing here"),
    ];
    for (filter, column, part) in rows {
        let error = filter.parse::<Filter>().unwrap_err().to_string();
        let start = format!("filter, column {column}: ");
        assert!(error.starts_with(&start) && error.contains(part), "{filter}: {error}");
    }
}

#[test]
fn a_mistake_is_underlined() {
    let error = "ip or (hots 1.1.1.1)".parse::<Filter>().unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[1..], ["  | ip or (hots 1.1.1.1)", "  |        ^^^^"]);
}

#[test]
fn deep_nesting_is_refused_and_long_chains_are_not() {
    let deep = format!("{}arp{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(deep.parse::<Filter>().is_err());
    let long = vec!["arp"; 100_000].join(" or ");
    assert!(accepts(&long, &question()));
}

/// Words that mostly make a filter.
fn words() -> impl Strategy<Value = String> {
    let known = ROWS
        .iter()
        .flat_map(|(filter, _)| filter.split(' '))
        .collect::<Vec<_>>();
    let word = prop_oneof![8 => proptest::sample::select(known).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
    proptest::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
}

/// Frames that are mostly like real ones.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let real = proptest::sample::select(vec![tagged_udp(), syn6(), question(), ping()]);
    let spoiled = (
        real,
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        0_usize..100,
    )
        .prop_map(|(mut frame, changes, length)| {
            for (place, byte) in changes {
                let place = place.index(frame.len());
                frame[place] = byte;
            }
            frame.truncate(length);
            frame
        });
    prop_oneof![spoiled, proptest::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #[test]
    fn nothing_panics(filter in words(), text in "\\PC{0,40}", frame in frames()) {
        for link in [LinkType::Ethernet, LinkType::Raw, LinkType::Ppp, LinkType::User] {
            let facts = Facts::of(&frame, link);
            let _ = super::super::summary::line(&facts);
            for text in [&filter, &text] {
                if let Ok(filter) = text.parse::<Filter>() {
                    let _ = filter.accepts(&facts);
                }
            }
        }
    }

    #[test]
    fn not_is_the_opposite(filter in words(), frame in frames()) {
        let facts = Facts::of(&frame, LinkType::Ethernet);
        let (plain, negated) = (filter.parse::<Filter>(), format!("not ({filter})").parse::<Filter>());
        prop_assert_eq!(plain.is_ok(), negated.is_ok());
        if let (Ok(plain), Ok(negated)) = (plain, negated) {
            prop_assert_ne!(plain.accepts(&facts), negated.accepts(&facts));
        }
    }
}
