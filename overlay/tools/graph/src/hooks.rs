//! Which hooks node types accept, as far as it is known here. The kernel has the last word on all others.

/// The hooks of a type.
enum Hooks {
    /// Exactly these.
    Named(&'static [&'static str]),
    /// One of these words with a decimal number behind it.
    Numbered(&'static [&'static str]),
}

/// From the manual pages ng_ether(4), ng_tee(4), ng_bridge(4), ng_eiface(4), ng_iface(4).
fn known(type_name: &str) -> Option<Hooks> {
    match type_name {
        "ether" => Some(Hooks::Named(&["lower", "upper", "orphans"])),
        "tee" => Some(Hooks::Named(&["left", "right", "left2right", "right2left"])),
        "bridge" => Some(Hooks::Numbered(&["link", "uplink"])),
        "eiface" => Some(Hooks::Named(&["ether"])),
        "iface" => Some(Hooks::Named(&["inet", "inet6"])),
        _ => None,
    }
}

/// What to say when nodes of the type accept no hook of that name; None when they do, or when the type is not known here.
pub fn objection(type_name: &str, hook: &str) -> Option<String> {
    match known(type_name)? {
        Hooks::Named(names) if names.contains(&hook) => None,
        Hooks::Named(names) => crate::suggest::hint(hook, names),
        Hooks::Numbered(words) if words.iter().any(|word| is_numbered(hook, word)) => None,
        Hooks::Numbered(words) => {
            let examples = words.iter().map(|word| format!("{word}0"));
            Some(format!("its hooks are {}, and so on", crate::suggest::listed(examples)))
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
pub fn of_lasting_type(type_name: &str) -> Option<&'static str> {
    match type_name {
        "eiface" => Some("ether"),
        "iface" => Some("inet"),
        _ => None,
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
}
