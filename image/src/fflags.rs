//! File flags by name, as chflags(1), mtree(5) and archives write them.

/// Names and values from FreeBSD's sys/stat.h.
const FLAGS: [(&str, u32); 22] = [
    ("nodump", 0x0000_0001),
    ("uchg", 0x0000_0002),
    ("uchange", 0x0000_0002),
    ("uimmutable", 0x0000_0002),
    ("uappnd", 0x0000_0004),
    ("uappend", 0x0000_0004),
    ("opaque", 0x0000_0008),
    ("uunlnk", 0x0000_0010),
    ("uunlink", 0x0000_0010),
    ("system", 0x0000_0080),
    ("sparse", 0x0000_0100),
    ("offline", 0x0000_0200),
    ("reparse", 0x0000_0400),
    ("uarch", 0x0000_0800),
    ("rdonly", 0x0000_1000),
    ("hidden", 0x0000_8000),
    ("arch", 0x0001_0000),
    ("schg", 0x0002_0000),
    ("sappnd", 0x0004_0000),
    ("sunlnk", 0x0010_0000),
    ("schange", 0x0002_0000),
    ("simmutable", 0x0002_0000),
];

/// The flags of a comma-separated list.
///
/// # Errors
/// The name that is not a flag.
pub fn parse(list: &str) -> Result<u32, &str> {
    let names = list.split(',').map(str::trim);
    let named = names.filter(|name| !name.is_empty() && *name != "none");
    named.map(flag).try_fold(0, |all, flag| Ok(all | flag?))
}

fn flag(name: &str) -> Result<u32, &str> {
    let found = FLAGS.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).ok_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        assert_eq!(parse("schg,uarch"), Ok(0x2_0800));
        assert_eq!(parse(""), Ok(0));
        assert_eq!(parse("none"), Ok(0));
        assert_eq!(parse("schg,shiny"), Err("shiny"));
    }
}
