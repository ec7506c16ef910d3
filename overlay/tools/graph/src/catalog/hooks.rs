//! Which names of hooks a node type accepts.

use crate::suggest;

/// Names of hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hooks {
    /// Any name.
    Any,
    /// Exactly these.
    Named(&'static [&'static str]),
    /// A word, then a decimal number from `first` to `last` without leading zeros; the word may be empty.
    Numbered {
        /// What stands before the number.
        word: &'static str,
        /// The least number.
        first: u32,
        /// The greatest number.
        last: u32,
    },
    /// A word, then four hexadecimal digits in lower case.
    Hexadecimal(&'static str),
    /// Every name that starts with this word.
    Starting(&'static str),
    /// `family/type/protocol` of a socket, each a name that ng_ksocket(4) lists or a number.
    Socket,
}

/// What ng_ksocket(4) calls protocol families.
const FAMILIES: [&str; 5] = ["local", "inet", "inet6", "atm", "divert"];

/// What ng_ksocket(4) calls types of sockets.
const SOCKETS: [&str; 5] = ["stream", "dgram", "raw", "rdm", "seqpacket"];

/// What ng_ksocket(4) calls protocols; they are known in the family `inet` only.
const PROTOCOLS: [&str; 12] = [
    "ip", "raw", "icmp", "igmp", "tcp", "udp", "gre", "esp", "ah", "swipe", "encap", "pim",
];

/// As many numbered hooks are tried when a free one is wanted.
const TRIES: u32 = 65_536;

impl Hooks {
    /// A numbered hook from 0 on.
    pub(super) const fn numbered(word: &'static str, last: u32) -> Self {
        Self::Numbered { word, first: 0, last }
    }

    /// Whether the name is one of them.
    #[must_use]
    pub fn accepts(&self, hook: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(names) => names.contains(&hook),
            Self::Numbered { word, first, last } => hook
                .strip_prefix(word)
                .and_then(number)
                .is_some_and(|number| (first..=last).contains(&&number)),
            Self::Hexadecimal(word) => hook.strip_prefix(word).is_some_and(is_hexadecimal),
            Self::Starting(word) => hook.starts_with(word),
            Self::Socket => is_socket(hook),
        }
    }

    /// One of them that is not in use.
    pub(crate) fn free(&self, in_use: &dyn Fn(&str) -> bool) -> Option<String> {
        let is_free = |name: &String| !in_use(name);
        match *self {
            Self::Any => (0..TRIES).map(|number| format!("spare{number}")).find(is_free),
            Self::Named(names) => names.iter().map(|&name| name.to_owned()).find(is_free),
            Self::Numbered { word, first, last } => {
                let last = last.min(first.saturating_add(TRIES));
                (first..=last).map(|number| format!("{word}{number}")).find(is_free)
            }
            Self::Hexadecimal(word) => {
                let numbers = (1..=u16::MAX).rev();
                numbers.map(|number| format!("{word}{number:04x}")).find(is_free)
            }
            Self::Starting(word) => Some(word.to_owned()).filter(is_free),
            Self::Socket => None,
        }
    }

    /// In words for a hint.
    fn told(&self) -> Vec<String> {
        match self {
            Self::Any => vec!["any name".to_owned()],
            Self::Named(names) => names.iter().map(|name| format!("`{name}`")).collect(),
            Self::Numbered { word, first, last } if *last == u32::MAX => vec![format!("`{word}{first}` onwards")],
            Self::Numbered { word, first, last } => vec![format!("`{word}{first}` to `{word}{last}`")],
            Self::Hexadecimal(word) => vec![format!("`{word}0001` to `{word}ffff`")],
            Self::Starting(word) => vec![format!("`{word}`")],
            Self::Socket => vec!["`family/type/protocol` such as `inet/dgram/udp`".to_owned()],
        }
    }
}

/// What to say about a name that none of these accepts: the one it was to be, the limit that it breaks, or all of them.
pub(super) fn hint(accepted: &[Hooks], hook: &str) -> String {
    if accepted.contains(&Hooks::Socket) {
        return socket_hint(hook);
    }
    let names = accepted.iter().flat_map(|hooks| match hooks {
        Hooks::Named(names) => names,
        _ => [].as_slice(),
    });
    if let Some(near) = suggest::nearest(hook, names.copied()) {
        return format!("did you mean `{near}`?");
    }
    if let Some(limit) = accepted.iter().find_map(|hooks| broken_limit(hooks, hook)) {
        return limit;
    }
    let told: Vec<String> = accepted.iter().flat_map(Hooks::told).collect();
    match told.as_slice() {
        [only] => format!("its hooks are {only}"),
        [first @ .., last] => format!("its hooks are {} and {last}", first.join(", ")),
        [] => "it has no hooks".to_owned(),
    }
}

/// What is wrong with the number behind the right word.
fn broken_limit(hooks: &Hooks, hook: &str) -> Option<String> {
    let Hooks::Numbered { word, first, last } = hooks else {
        return None;
    };
    let digits = hook.strip_prefix(word)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match (is_number, number(digits)) {
        (true, None) => {
            let plain = digits.trim_start_matches('0');
            let plain = if plain.is_empty() { "0" } else { plain };
            (plain != digits).then(|| format!("write `{word}{plain}`, without zeros in front"))
        }
        (true, Some(_)) if *last == u32::MAX => Some(format!("the numbers of `{word}` start at {first}")),
        (true, Some(_)) => Some(format!("the numbers of `{word}` go from {first} to {last}")),
        (false, _) if digits.is_empty() && !word.is_empty() => {
            Some(format!("it takes a number, as in `{word}{first}`"))
        }
        (false, _) => None,
    }
}

/// A number without leading zeros.
fn number(digits: &str) -> Option<u32> {
    let is_plain = digits == "0" || digits.starts_with(|first| matches!(first, '1'..='9'));
    digits.parse().ok().filter(|_| is_plain)
}

fn is_hexadecimal(digits: &str) -> bool {
    digits.len() == 4 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_socket(hook: &str) -> bool {
    let parts: Vec<&str> = hook.split('/').collect();
    let known = |word: &str, words: &[&str]| words.contains(&word) || number(word).is_some();
    match parts.as_slice() {
        [family, kind, protocol] => {
            let protocols = if *family == "inet" { PROTOCOLS.as_slice() } else { &[] };
            known(family, &FAMILIES) && known(kind, &SOCKETS) && known(protocol, protocols)
        }
        _ => false,
    }
}

fn socket_hint(hook: &str) -> String {
    let parts: Vec<&str> = hook.split('/').collect();
    let [family, kind, protocol] = parts.as_slice() else {
        return "it is named for its socket: `family/type/protocol`, such as `inet/dgram/udp`".to_owned();
    };
    let unknown = |what: &str, word: &str, words: &[&str]| {
        let known = words.contains(&word) || number(word).is_some();
        let hint = suggest::hint(word, words).unwrap_or_default();
        (!known).then(|| format!("there is no {what} `{word}`; {hint}"))
    };
    unknown("protocol family", family, &FAMILIES)
        .or_else(|| unknown("type of socket", kind, &SOCKETS))
        .or_else(|| {
            (*family != "inet").then(|| format!("give the protocol of the family {family} as a number, such as 0"))
        })
        .or_else(|| unknown("protocol", protocol, &PROTOCOLS))
        .unwrap_or_default()
}
