//! What the packets of an edge start with.

use clap::ValueEnum;

/// What packets start with; pcap calls it the link type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LinkType {
    /// Ethernet frames, without checksum.
    Ethernet,
    /// IPv4 or IPv6 packets without anything before them.
    Raw,
    /// PPP frames, with or without address and control bytes.
    Ppp,
    /// Cisco HDLC frames.
    Chdlc,
    /// Frame relay frames.
    Frelay,
    /// Something that no reader knows.
    User,
}

impl LinkType {
    /// Its number in pcap and pcapng files (`LINKTYPE_` at tcpdump.org).
    pub fn number(self) -> u16 {
        match self {
            Self::Ethernet => 1,
            Self::Ppp => 9,
            Self::Raw => 101,
            Self::Chdlc => 104,
            Self::Frelay => 107,
            Self::User => 147,
        }
    }

    /// What an edge carries whose ends are these hooks, each with its node's type; Ethernet where neither type tells.
    pub fn of_edge(ends: [(&str, &str); 2]) -> Self {
        let mut told = ends.into_iter().filter_map(|(kind, hook)| Self::of_hook(kind, hook));
        told.next().unwrap_or(Self::Ethernet)
    }

    /// What a hook carries, by the manual page of its node's type, where it is always the same.
    fn of_hook(kind: &str, hook: &str) -> Option<Self> {
        match (kind, hook) {
            ("ether" | "eiface" | "bridge" | "vlan" | "vlan_rotate" | "etf" | "macfilter", _) => Some(Self::Ethernet),
            ("pppoe" | "rfc1490" | "netflow", "ethernet") => Some(Self::Ethernet),
            ("iface" | "nat" | "ip_input" | "ipfw" | "vjc", _) => Some(Self::Raw),
            ("ppp" | "rfc1490" | "cisco", "inet" | "inet6" | "ipv6") => Some(Self::Raw),
            ("ppp", _) if hook.starts_with("link") => Some(Self::Ppp),
            ("async", "sync") | ("rfc1490", "ppp") => Some(Self::Ppp),
            ("pppoe", session) if session != "debug" => Some(Self::Ppp),
            ("l2tp", session) if session.starts_with("session") => Some(Self::Ppp),
            ("pptpgre", upper) if upper == "upper" || upper.starts_with("session") => Some(Self::Ppp),
            ("cisco", "downstream") => Some(Self::Chdlc),
            ("frame_relay", "downstream") => Some(Self::Frelay),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_that_knows_tells() {
        let rows = [
            ([("hub", "a"), ("hub", "b")], LinkType::Ethernet),
            ([("tee", "left"), ("iface", "inet")], LinkType::Raw),
            ([("ppp", "link0"), ("tee", "right")], LinkType::Ppp),
            ([("ppp", "inet"), ("iface", "inet")], LinkType::Raw),
            ([("pppoe", "ethernet"), ("ether", "orphans")], LinkType::Ethernet),
            ([("pppoe", "mpd1"), ("hub", "x")], LinkType::Ppp),
        ];
        for (ends, expected) in rows {
            assert_eq!(LinkType::of_edge(ends), expected, "{ends:?}");
        }
    }
}
