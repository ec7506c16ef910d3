//! Reads filters.

use std::net::Ipv4Addr;

use graph::suggest;

use super::values::{ether_type, length_of_mask, net, port, ports, protocol_number, station};
use super::words::{Word, split};
use super::{Expression, Family, FilterError, Joint, Net, Test, Way, as_bits, mask, protocol};

/// How deep parentheses and `not` may be nested.
const DEEPEST: usize = 64;

/// Every word that has a meaning, to find the one that was meant.
const WORDS: [&str; 32] = [
    "ether",
    "ip",
    "ip6",
    "arp",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "icmp6",
    "igmp",
    "esp",
    "ah",
    "src",
    "dst",
    "host",
    "net",
    "mask",
    "port",
    "portrange",
    "proto",
    "vlan",
    "less",
    "greater",
    "broadcast",
    "multicast",
    "and",
    "or",
    "not",
    "&&",
    "||",
    "(",
    ")",
];

type Result<T> = std::result::Result<T, FilterError>;

/// What a value that stands alone is: as the one before.
#[derive(Debug, Clone, Copy)]
struct Kind {
    scope: Scope,
    way: Way,
    what: What,
}

/// The word that a condition starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Ether,
    Network(Family),
    Transport(Option<u8>),
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Host,
    Net,
    Port,
    PortRange,
    Protocol,
}

/// Reads all of a filter.
pub fn parse(text: &str) -> Result<Expression> {
    let mut parser = Parser {
        text,
        words: split(text)?,
        next: 0,
        depth: 0,
        last: None,
    };
    let expression = parser.chain()?;
    match parser.peek(0) {
        None => Ok(expression),
        Some(")") => Err(parser.fail("there is no parenthesis that this one closes")),
        Some(_) => Err(parser.fail("`and` or `or` is missing before this")),
    }
}

struct Parser<'a> {
    text: &'a str,
    words: Vec<Word<'a>>,
    next: usize,
    depth: usize,
    last: Option<Kind>,
}

impl<'a> Parser<'a> {
    fn peek(&self, ahead: usize) -> Option<&'a str> {
        self.words.get(self.next + ahead).map(|word| word.text)
    }

    /// Takes the next word if it is this one.
    fn take(&mut self, word: &str) -> bool {
        let is_it = self.peek(0) == Some(word);
        self.next += usize::from(is_it);
        is_it
    }

    /// What is wrong with the next word, or with the end.
    fn fail(&self, reason: impl Into<String>) -> FilterError {
        let end = self.text.chars().count();
        let place = self
            .words
            .get(self.next)
            .map_or((end, end), |word| (word.column, word.end()));
        FilterError {
            text: self.text.to_owned(),
            place,
            reason: reason.into(),
        }
    }

    /// The next word, taken; what it should be otherwise.
    fn value<T>(&mut self, wanted: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        let Some(word) = self.peek(0) else {
            return Err(self.fail(format!("{wanted} is missing here")));
        };
        let value = read(word).ok_or_else(|| self.fail(format!("`{word}` is not {wanted}")))?;
        self.next += 1;
        Ok(value)
    }

    fn chain(&mut self) -> Result<Expression> {
        let first = self.term()?;
        let mut rest = Vec::new();
        loop {
            let joint = match self.peek(0) {
                Some("and" | "&&") => Joint::And,
                Some("or" | "||") => Joint::Or,
                _ => break,
            };
            self.next += 1;
            rest.push((joint, self.term()?));
        }
        Ok(if rest.is_empty() {
            first
        } else {
            Expression::Chain(Box::new(first), rest)
        })
    }

    fn term(&mut self) -> Result<Expression> {
        if self.depth == DEEPEST {
            return Err(self.fail(format!("it is nested more than {DEEPEST} deep")));
        }
        self.depth += 1;
        let term = self.nested();
        self.depth -= 1;
        term
    }

    fn nested(&mut self) -> Result<Expression> {
        if self.take("not") || self.take("!") {
            return Ok(Expression::Not(Box::new(self.term()?)));
        }
        if !self.take("(") {
            return self.test().map(Expression::Is);
        }
        let inner = self.chain()?;
        match self.peek(0) {
            Some(")") => self.next += 1,
            Some(_) => return Err(self.fail("`and`, `or` or `)` is missing before this")),
            None => return Err(self.fail("a closing parenthesis is missing")),
        }
        Ok(inner)
    }

    fn test(&mut self) -> Result<Test> {
        let Some(word) = self.peek(0) else {
            return Err(self.fail("a condition is missing here"));
        };
        let test = match word {
            "ether" => return self.ether(),
            "ip" => return self.network(Family::Ip4),
            "ip6" => return self.network(Family::Ip6),
            "arp" => return self.network(Family::Arp),
            "tcp" | "udp" | "sctp" => return self.transport(word),
            "src" | "dst" | "host" | "net" | "port" | "portrange" | "proto" => {
                return self.qualified(Scope::Network(Family::Any));
            }
            "broadcast" => Test::Broadcast,
            "multicast" => Test::Multicast,
            "icmp" => Test::Protocol(Family::Ip4, protocol::ICMP),
            "icmp6" => Test::Protocol(Family::Ip6, protocol::ICMP6),
            "vlan" => return self.vlan(),
            "less" | "greater" => return self.length(word),
            _ => match protocol_number(word) {
                Some(number) if word.parse::<u8>().is_err() => Test::Protocol(Family::Any, number),
                _ => return self.alone(word),
            },
        };
        self.next += 1;
        Ok(test)
    }

    /// A value without a word before it.
    fn alone(&mut self, word: &str) -> Result<Test> {
        if let Some(kind) = self.last {
            return self.of_kind(kind);
        }
        if net(word).is_some() {
            return self.of_kind(Kind {
                scope: Scope::Network(Family::Any),
                way: Way::Either,
                what: What::Host,
            });
        }
        Err(self.fail(match suggest::nearest(word, WORDS) {
            Some(near) => format!("`{word}` is no word of a filter; did you mean `{near}`?"),
            None => format!("`{word}` is no word of a filter, nor an address; names of hosts are not looked up"),
        }))
    }

    fn vlan(&mut self) -> Result<Test> {
        self.next += 1;
        let number = self
            .peek(0)
            .filter(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        if number.is_none() {
            return Ok(Test::Vlan(None));
        }
        let vlan = self.value("the number of a VLAN, 0 to 4095", |word| {
            word.parse().ok().filter(|vlan| *vlan < 4096)
        })?;
        Ok(Test::Vlan(Some(vlan)))
    }

    fn length(&mut self, word: &str) -> Result<Test> {
        self.next += 1;
        let bytes = self.value("a number of bytes", |word| word.parse().ok())?;
        Ok(if word == "less" {
            Test::Less(bytes)
        } else {
            Test::Greater(bytes)
        })
    }

    fn ether(&mut self) -> Result<Test> {
        self.next += 1;
        if self.take("broadcast") {
            return Ok(Test::Broadcast);
        }
        if self.take("multicast") {
            return Ok(Test::Multicast);
        }
        match self.peek(0) {
            Some("src" | "dst" | "host" | "proto") => self.qualified(Scope::Ether),
            _ => Err(self.fail("after `ether` comes `host`, `src`, `dst`, `proto`, `broadcast` or `multicast`")),
        }
    }

    fn network(&mut self, family: Family) -> Result<Test> {
        self.next += 1;
        match self.peek(0) {
            Some("src" | "dst" | "host" | "net" | "proto") => self.qualified(Scope::Network(family)),
            Some("broadcast" | "multicast" | "port" | "portrange") => {
                Err(self.fail("after this comes `host`, `net`, `src`, `dst` or `proto`, or `and`"))
            }
            _ if family == Family::Arp => Ok(Test::Arp),
            _ => Ok(Test::Ip(family)),
        }
    }

    fn transport(&mut self, word: &str) -> Result<Test> {
        self.next += 1;
        let number = protocol_number(word);
        match (self.peek(0), number) {
            (Some("src" | "dst" | "port" | "portrange"), _) => self.qualified(Scope::Transport(number)),
            (_, Some(number)) => Ok(Test::Protocol(Family::Any, number)),
            (_, None) => Err(self.fail("there is no such protocol")),
        }
    }

    /// A direction or none, what is meant, and a value.
    fn qualified(&mut self, scope: Scope) -> Result<Test> {
        let way = self.way();
        let what = match self.peek(0) {
            Some("host") => What::Host,
            Some("net") => What::Net,
            Some("port") => What::Port,
            Some("portrange") => What::PortRange,
            Some("proto") => What::Protocol,
            _ if matches!(scope, Scope::Transport(_)) => {
                return Err(self.fail("`port` or `portrange` is missing here"));
            }
            _ => {
                let kind = Kind {
                    scope,
                    way,
                    what: What::Host,
                };
                return self.of_kind(kind);
            }
        };
        let kind = Kind { scope, way, what };
        if !kind.makes_sense() {
            return Err(self.fail("this does not go with the words before it"));
        }
        self.next += 1;
        self.of_kind(kind)
    }

    /// `src`, `dst`, `src or dst`, `src and dst`, or nothing.
    fn way(&mut self) -> Way {
        let (way, length) = match (self.peek(0), self.peek(1), self.peek(2)) {
            (Some("src"), Some("or"), Some("dst")) | (Some("dst"), Some("or"), Some("src")) => (Way::Either, 3),
            (Some("src"), Some("and"), Some("dst")) | (Some("dst"), Some("and"), Some("src")) => (Way::Both, 3),
            (Some("src"), ..) => (Way::Source, 1),
            (Some("dst"), ..) => (Way::Destination, 1),
            _ => (Way::Either, 0),
        };
        self.next += length;
        way
    }

    /// A value of a known kind.
    fn of_kind(&mut self, kind: Kind) -> Result<Test> {
        self.last = Some(kind);
        let way = kind.way;
        let family = match kind.scope {
            Scope::Network(family) => family,
            Scope::Ether | Scope::Transport(_) => Family::Any,
        };
        match (kind.scope, kind.what) {
            (Scope::Ether, What::Protocol) => {
                let number = self.value("a type of Ethernet frames, such as `arp` or 0x88cc", ether_type)?;
                Ok(Test::EtherType(number))
            }
            (Scope::Ether, _) => {
                let address = self.value("an Ethernet address, such as 02:00:00:00:00:01", station)?;
                Ok(Test::Station(way, address))
            }
            (_, What::Protocol) => {
                let number = self.value("a protocol, by number or one of a few names", protocol_number)?;
                Ok(Test::Protocol(family, number))
            }
            (_, What::Host) => {
                let address = self.value("an address; names of hosts are not looked up", |word| word.parse().ok())?;
                let bits = as_bits(address).0;
                Ok(Test::Address(family, way, Net { address, bits }))
            }
            (_, What::Net) => Ok(Test::Address(family, way, self.net()?)),
            (scope, What::Port | What::PortRange) => {
                let number = match scope {
                    Scope::Transport(number) => number,
                    Scope::Ether | Scope::Network(_) => None,
                };
                let range = match kind.what {
                    What::Port => self.value("the number of a port", |word| port(word).map(|port| port..=port))?,
                    _ => self.value("a range of ports, such as 1-1023", ports)?,
                };
                Ok(Test::Port(number, way, range))
            }
        }
    }

    /// A network, with its mask if one follows.
    fn net(&mut self) -> Result<Net> {
        let wanted = "a network, such as 10.0.0.0/8 or 2001:db8::/32";
        let start = self.next;
        let mut found = self.value(wanted, net)?;
        if self.take("mask") {
            let mask = |word: &str| word.parse::<Ipv4Addr>().ok().and_then(length_of_mask);
            found.bits = self.value("a mask, such as 255.255.0.0", mask)?;
        }
        let (width, bits) = as_bits(found.address);
        if bits & !mask(width, found.bits) & mask(width, width) != 0 {
            self.next = start;
            return Err(self.fail(format!(
                "bits are set behind the first {}, which are the network",
                found.bits
            )));
        }
        Ok(found)
    }
}

impl Kind {
    fn makes_sense(&self) -> bool {
        match self.scope {
            Scope::Ether => matches!(self.what, What::Host | What::Protocol),
            Scope::Network(Family::Any) => true,
            Scope::Network(_) => !matches!(self.what, What::Port | What::PortRange),
            Scope::Transport(_) => matches!(self.what, What::Port | What::PortRange),
        }
    }
}
