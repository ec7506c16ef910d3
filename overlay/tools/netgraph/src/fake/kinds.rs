//! The node types that the kernel in memory knows.

/// Their names.
pub const NAMES: [&str; 12] = [
    "bridge",
    "eiface",
    "ether",
    "frame_relay",
    "hole",
    "hub",
    "iface",
    "ksocket",
    "lmi",
    "rfc1490",
    "socket",
    "tee",
];

/// Whether there is such a type.
pub fn exists(kind: &str) -> bool {
    NAMES.contains(&kind)
}

/// Whether nodes of the type can be made by a message.
pub fn can_be_made(kind: &str) -> bool {
    !matches!(kind, "socket" | "ether")
}

/// Whether the command takes these arguments.
pub fn takes(command: &str, arguments: &str) -> bool {
    match command {
        "setpromisc" | "setautosrc" => arguments.trim().parse::<i32>().is_ok(),
        "setconfig" => arguments.starts_with('{') && arguments.ends_with('}'),
        _ => true,
    }
}

/// Whether there is such a module.
pub fn is_module(name: &str) -> bool {
    name.strip_prefix("ng_").is_some_and(|kind| NAMES.contains(&kind))
}

/// Whether nodes of the type outlive their last hook.
pub fn lasts(kind: &str) -> bool {
    matches!(kind, "ether" | "eiface" | "iface" | "socket")
}

/// What a new node's name begins with; a number follows. Only nodes that are interfaces have one from the beginning.
pub fn prefix(kind: &str) -> Option<&'static str> {
    match kind {
        "eiface" => Some("ngeth"),
        "iface" => Some("ng"),
        _ => None,
    }
}

/// Whether nodes of the type accept a hook of that name.
pub fn accepts(kind: &str, hook: &str) -> bool {
    match kind {
        "bridge" => hook.starts_with("link") || hook.starts_with("uplink"),
        "eiface" => hook == "ether",
        "iface" => matches!(hook, "inet" | "inet6"),
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
        "ksocket" => matches!(command, "bind" | "connect" | "getname"),
        _ => false,
    }
}

/// A count as the kernel writes it.
pub fn count(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_ne_bytes()
}
