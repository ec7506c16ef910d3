//! What names of interfaces and jails, and hardware addresses, have to be like.

use crate::Mac;

/// The longest name of an interface in bytes (`IFNAMSIZ` of net/if.h, less the terminating zero).
pub const MAX_INTERFACE: usize = 15;

/// The longest name of a jail in bytes (`MAXHOSTNAMELEN` of sys/param.h, less the terminating zero).
const MAX_JAIL: usize = 255;

/// What is wrong, and what to do about it.
type Objection = (String, Option<String>);

/// The name of an interface that is there: the kernel and drivers choose it, so little is refused.
pub fn check_interface(name: &str) -> Result<(), Objection> {
    let printable = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
    if name.parse::<Mac>().is_ok() {
        let hint = format!("choose by hardware address with `interface: {{ mac: \"{name}\" }}`");
        return Err((format!("`{name}` is a hardware address, not a name"), Some(hint)));
    }
    if name.starts_with("pci") && name.parse::<crate::PciAddress>().is_ok() {
        let hint = format!("choose by place with `interface: {{ pci: \"{name}\" }}`");
        return Err((format!("`{name}` is a PCI address, not a name"), Some(hint)));
    }
    if name.is_empty() || !name.bytes().all(printable) {
        return Err((format!("`{name}` cannot be the name of an interface"), None));
    }
    check_length(name)
}

/// A name that an interface is to be given.
pub fn check_rename(name: &str) -> Result<(), Objection> {
    let hint = "take letters, digits, `_`, `-` and `.`, with a letter first, such as `lan0`";
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if !starts_well || !name.bytes().all(allowed) {
        let message = format!("an interface cannot well be named `{name}`");
        return Err((message, Some(hint.to_owned())));
    }
    check_length(name)
}

fn check_length(name: &str) -> Result<(), Objection> {
    if name.len() <= MAX_INTERFACE {
        return Ok(());
    }
    let message = format!(
        "the interface name `{name}` has {} bytes; {MAX_INTERFACE} is the most",
        name.len()
    );
    Err((message, None))
}

/// The name of a jail; jails inside jails have dots in their names (jail(8)).
pub fn check_jail(name: &str) -> Result<(), Objection> {
    if name.len() > MAX_JAIL {
        return Err((
            format!("the jail name has {} bytes; {MAX_JAIL} is the most", name.len()),
            None,
        ));
    }
    let is_name = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    let mut parts = name.split('.');
    if !parts.all(is_name) {
        return Err((format!("`{name}` cannot be the name of a jail"), None));
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        let hint = "a number is a jail's ID, which changes when the jail starts again; give the jail a name";
        return Err((format!("`{name}` is no name of a jail"), Some(hint.to_owned())));
    }
    Ok(())
}

/// An address that one network card can have.
pub fn check_mac(mac: Mac) -> Result<(), Objection> {
    let [first, ..] = mac.0;
    if mac.0 == [0; 6] {
        return Err((format!("`{mac}` is the address of nothing"), Some(local_address(mac))));
    }
    if first & 1 == 1 {
        let message = format!("`{mac}` is the address of a group (multicast), not of one interface");
        return Err((message, Some(local_address(mac))));
    }
    Ok(())
}

/// The nearest address of those that anyone may use.
fn local_address(mac: Mac) -> String {
    let [_, b, c, d, e, f] = mac.0;
    let last = if mac.0 == [0; 6] { 1 } else { f };
    format!(
        "such as `{}`: addresses that start with 02 are free for all",
        Mac([2, b, c, d, e, last])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_interfaces() {
        for name in ["vtnet0", "em0.100", "epair0a", "x"] {
            assert_eq!(check_interface(name), Ok(()), "{name}");
            assert_eq!(check_rename(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "a b",
            "a/b",
            "averyverylongname",
            "02:00:00:00:00:01",
            "pci0:0:5:0",
            "größe",
        ] {
            assert!(check_interface(name).is_err(), "{name}");
            assert!(check_rename(name).is_err(), "{name}");
        }
        for name in ["0lan", "a:b", "-x", "lan*"] {
            assert!(check_rename(name).is_err(), "{name}");
        }
    }

    #[test]
    fn names_of_jails() {
        for name in ["web", "web.db", "web-1", "1a"] {
            assert_eq!(check_jail(name), Ok(()), "{name}");
        }
        for name in ["", "7", "web.7", ".web", "a b", &"x".repeat(256)] {
            assert!(check_jail(name).is_err(), "{name}");
        }
    }

    #[test]
    fn addresses_of_groups_and_of_nothing_are_refused() {
        assert_eq!(check_mac(Mac([2, 0, 0, 0, 0, 1])), Ok(()));
        let (message, hint) = check_mac(Mac([3, 0, 0, 0, 0, 7])).unwrap_err();
        assert!(message.contains("multicast"), "{message}");
        assert!(hint.unwrap().contains("02:00:00:00:00:07"));
        assert!(check_mac(Mac([0; 6])).is_err());
        assert!(check_mac(Mac([0xff; 6])).is_err());
    }
}
