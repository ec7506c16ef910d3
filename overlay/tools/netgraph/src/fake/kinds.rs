//! The node types that the kernel in memory knows.

/// Their names.
pub const NAMES: [&str; 7] = ["bridge", "eiface", "ether", "hole", "hub", "socket", "tee"];

/// Whether there is such a type that a peer can be made of.
pub fn exists(kind: &str) -> bool {
    NAMES.contains(&kind) && !matches!(kind, "socket" | "ether")
}

/// Whether there is such a module.
pub fn is_module(name: &str) -> bool {
    name.strip_prefix("ng_").is_some_and(|kind| NAMES.contains(&kind))
}

/// Whether nodes of the type outlive their last hook.
pub fn lasts(kind: &str) -> bool {
    matches!(kind, "ether" | "eiface" | "socket")
}

/// Whether nodes of the type accept a hook of that name.
pub fn accepts(kind: &str, hook: &str) -> bool {
    match kind {
        "bridge" => hook.starts_with("link") || hook.starts_with("uplink"),
        "eiface" => hook == "ether",
        "ether" => matches!(hook, "lower" | "upper" | "orphans"),
        "tee" => matches!(hook, "left" | "right" | "left2right" | "right2left"),
        _ => true,
    }
}

/// Whether nodes of the type know that command.
pub fn knows(kind: &str, command: &str) -> bool {
    match kind {
        "bridge" => matches!(command, "setconfig" | "getconfig" | "reset" | "setpersistent"),
        "ether" => matches!(
            command,
            "setpromisc" | "getpromisc" | "setautosrc" | "getautosrc" | "getifname"
        ),
        _ => false,
    }
}

/// A count as the kernel writes it.
pub fn count(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_ne_bytes()
}
