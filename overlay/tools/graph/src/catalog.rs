//! What is known of the node types that come with FreeBSD: their hooks, how long their nodes live, what can be set and
//! asked, and between which hooks they pass frames on. Of all other types the kernel alone knows.
//!
//! Source: section 4 of the manual, ng_<type>(4), of FreeBSD 14 and 15.

/// A node type.
#[derive(Debug)]
pub struct Type {
    /// Its name.
    pub name: &'static str,
    /// Which hooks its nodes accept.
    pub hooks: Hooks,
    /// How long its nodes live.
    pub life: Life,
    /// What can be set by one message and asked by another one.
    pub settings: &'static [Setting],
    /// Between which hooks a frame that comes in by one leaves by another unchanged.
    pub passes: Passes,
}

/// The hooks of a type.
#[derive(Debug, Clone, Copy)]
pub enum Hooks {
    /// Any name.
    Any,
    /// Exactly these.
    Named(&'static [&'static str]),
    /// One of these names, or one of these words with a decimal number behind it.
    Numbered(&'static [&'static str], &'static [&'static str]),
}

/// When a node goes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// With its last hook.
    LastHook,
    /// Never: only when it is shut down. It is made by a first link with this hook.
    Lasting(&'static str),
    /// It cannot be made by a message, and comes and goes with something else, such as an interface.
    Given,
}

/// A pair of messages that set and ask the same.
#[derive(Debug)]
pub struct Setting {
    /// The command that sets it.
    pub set: &'static str,
    /// The command that asks for it; its answer is in the form of the arguments of the one that sets.
    pub get: &'static str,
    /// What a new node has, in the words of the answer, where that is always the same.
    pub default: Option<&'static str>,
}

/// Between which hooks a node passes frames on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// Between none, or only changed: no frame can go round in a circle through it.
    Nothing,
    /// From each to all others.
    All,
    /// Between the hooks of each of these pairs.
    Pairs(&'static [(&'static str, &'static str)]),
}

const TYPES: &[Type] = &[
    Type {
        name: "ether",
        hooks: Hooks::Named(&["lower", "upper", "orphans"]),
        life: Life::Given,
        settings: &[
            Setting {
                set: "setpromisc",
                get: "getpromisc",
                default: Some("0"),
            },
            Setting {
                set: "setautosrc",
                get: "getautosrc",
                default: Some("1"),
            },
        ],
        passes: Passes::Nothing,
    },
    Type {
        name: "tee",
        hooks: Hooks::Named(&["left", "right", "left2right", "right2left"]),
        life: Life::LastHook,
        settings: &[],
        passes: Passes::Pairs(&[("left", "right")]),
    },
    Type {
        name: "bridge",
        hooks: Hooks::Numbered(&[], &["link", "uplink"]),
        life: Life::LastHook,
        settings: &[Setting {
            set: "setconfig",
            get: "getconfig",
            default: None,
        }],
        passes: Passes::All,
    },
    Type {
        name: "hub",
        hooks: Hooks::Any,
        life: Life::LastHook,
        settings: &[],
        passes: Passes::All,
    },
    Type {
        name: "eiface",
        hooks: Hooks::Named(&["ether"]),
        life: Life::Lasting("ether"),
        settings: &[],
        passes: Passes::Nothing,
    },
    Type {
        name: "iface",
        hooks: Hooks::Named(&["inet", "inet6"]),
        life: Life::Lasting("inet"),
        settings: &[],
        passes: Passes::Nothing,
    },
];

/// The type of that name, if it is known here.
#[must_use]
pub fn find(type_name: &str) -> Option<&'static Type> {
    TYPES.iter().find(|kind| kind.name == type_name)
}

/// What to say when nodes of the type accept no hook of that name; None when they do, or when the type is not known here.
#[must_use]
pub fn objection(type_name: &str, hook: &str) -> Option<String> {
    match find(type_name)?.hooks {
        Hooks::Any => None,
        Hooks::Named(names) if names.contains(&hook) => None,
        Hooks::Named(names) => crate::suggest::hint(hook, names),
        Hooks::Numbered(names, words) => {
            let accepted = names.contains(&hook) || words.iter().any(|word| is_numbered(hook, word));
            let examples = names.iter().map(|&name| name.to_owned());
            let examples = examples.chain(words.iter().map(|word| format!("{word}0")));
            (!accepted).then(|| format!("its hooks are {}, and so on", crate::suggest::listed(examples)))
        }
    }
}

/// A word, then a number without leading zeros.
fn is_numbered(hook: &str, word: &str) -> bool {
    let Some(digits) = hook.strip_prefix(word) else {
        return false;
    };
    digits.parse::<u32>().is_ok_and(|number| number.to_string() == digits)
}

/// The hook by which a node can be made that nothing connects to, for types whose nodes live without links.
#[must_use]
pub fn of_lasting_type(type_name: &str) -> Option<&'static str> {
    match find(type_name)?.life {
        Life::Lasting(hook) => Some(hook),
        Life::LastHook | Life::Given => None,
    }
}

/// A hook that a node of the type would accept besides those in use, to hold it by while its links change.
#[must_use]
pub fn spare_hook(type_name: &str, in_use: &dyn Fn(&str) -> bool) -> Option<String> {
    match find(type_name)?.hooks {
        Hooks::Any => (0..).map(|number| format!("spare{number}")).find(|name| !in_use(name)),
        Hooks::Named(names) => names.iter().find(|name| !in_use(name)).map(|&name| name.to_owned()),
        Hooks::Numbered(names, words) => {
            let word = words.first()?;
            let named = names.iter().map(|&name| name.to_owned());
            named
                .chain((0..1024).map(|number| format!("{word}{number}")))
                .find(|name| !in_use(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_of_known_types() {
        let rows = [
            ("tee", "left", true),
            ("tee", "middle", false),
            ("bridge", "link0", true),
            ("bridge", "uplink12", true),
            ("bridge", "link", false),
            ("bridge", "link01", false),
            ("bridge", "left", false),
            ("unheard_of", "anything", true),
        ];
        for (kind, hook, accepted) in rows {
            assert_eq!(objection(kind, hook).is_none(), accepted, "{kind} {hook}");
        }
    }

    #[test]
    fn a_spare_hook_is_not_in_use() {
        assert_eq!(spare_hook("tee", &|name| name.starts_with("left")).unwrap(), "right");
        assert_eq!(spare_hook("bridge", &|name| name == "link0").unwrap(), "link1");
        assert_eq!(spare_hook("eiface", &|name| name == "ether"), None);
    }
}
