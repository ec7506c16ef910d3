//! What nodes forget, or do, when one of their hooks is removed, even if it comes back at once.
//!
//! Source: section 4 of the manual, ng_<type>(4), and the types' sources in FreeBSD 14 and 15.

/// What would be lost with a hook of a node of that type; None when nothing that matters is known to be.
pub fn loss(type_name: &str, hook: &str) -> Option<&'static str> {
    match (type_name, hook) {
        ("ksocket" | "device", _) => Some("the node goes with it"),
        ("source", "output") | ("pppoe", "ethernet") => Some("the node goes with it"),
        ("lmi", _) if hook != "debug" => Some("the node goes with it"),
        ("pppoe", _) if hook != "debug" => Some("its session ends with it"),
        ("l2tp", _) if hook.starts_with("session") => Some("its session's settings go with it"),
        ("pptpgre", _) if hook != "lower" => Some("its session's settings go with it"),
        ("vlan", _) if !matches!(hook, "downstream" | "nomatch") => Some("its filter goes with it"),
        ("etf", _) if !matches!(hook, "downstream" | "nomatch") => Some("its filters go with it"),
        ("bpf" | "tag", _) => Some("its program goes with it"),
        ("macfilter", _) if hook != "ether" => Some("its addresses go with it"),
        ("one2many", _) if hook != "one" => Some("it is taken out of use with it"),
        ("tcpmss" | "car" | "netflow" | "pipe", _) => Some("its settings go with it"),
        ("deflate" | "pred1" | "mppc" | "async", _) => Some("its state goes with it"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_that_carry_nothing_are_told_from_those_that_do() {
        let rows = [
            ("bridge", "link0", false),
            ("hub", "a", false),
            ("ether", "lower", false),
            ("vlan", "downstream", false),
            ("vlan", "v5", true),
            ("pppoe", "debug", false),
            ("pppoe", "isp", true),
            ("one2many", "one", false),
            ("one2many", "many3", true),
            ("ksocket", "inet/dgram/udp", true),
        ];
        for (kind, hook, frail) in rows {
            assert_eq!(loss(kind, hook).is_some(), frail, "{kind} {hook}");
        }
    }
}
