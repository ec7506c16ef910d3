//! Which network interface is meant: by its name, or by what stays the same when names change.

use std::fmt;
use std::str::FromStr;

use crate::suggest;

/// Chooses one of the network interfaces that a machine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// By its name, such as `vtnet1`.
    Name(String),
    /// By its hardware address.
    Mac(Mac),
    /// By its place on the PCI bus, as pciconf(8) prints it.
    Pci(PciAddress),
    /// By its place among the machine's Ethernet interfaces, in the order of their PCI addresses, from 0.
    Order(u32),
}

/// A hardware address of Ethernet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// A place on the PCI bus: domain, bus, slot, function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress(pub u32, pub u8, pub u8, pub u8);

/// A network interface of this machine, as far as choosing needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInterface {
    /// Its name.
    pub name: String,
    /// Its hardware address.
    pub mac: Option<Mac>,
    /// The hardware address that it was made with; it stays when another one is set.
    pub factory_mac: Option<Mac>,
    /// Where it is on the PCI bus, if it is there.
    pub pci: Option<PciAddress>,
    /// The jail in whose network stack it is; None: in that of the process.
    pub jail: Option<String>,
}

/// What is wrong, and what to do about it.
type Objection = (String, Option<String>);

impl Selector {
    /// The name of the interface that is meant; one that already has the name it is to be given counts as the one named.
    pub(crate) fn find(&self, interfaces: &[NetworkInterface], renamed: Option<&str>) -> Result<String, Objection> {
        let is_there = |name: &str| interfaces.iter().any(|interface| interface.name == name);
        let found: Vec<&NetworkInterface> = match self {
            Self::Name(name) => {
                let current = renamed.filter(|new| !is_there(name) && is_there(new));
                return Ok(current.unwrap_or(name).to_owned());
            }
            Self::Mac(mac) => of_mac(*mac, interfaces),
            Self::Pci(pci) => interfaces.iter().filter(|one| one.pci == Some(*pci)).collect(),
            Self::Order(order) => {
                let mut cards: Vec<&NetworkInterface> = interfaces.iter().filter(|one| one.pci.is_some()).collect();
                cards.sort_by_key(|one| one.pci);
                cards.into_iter().skip(*order as usize).take(1).collect()
            }
        };
        match found.as_slice() {
            [only] => Ok(only.name.clone()),
            [] => Err((format!("there is no interface with {self}"), Some(known(interfaces)))),
            several => {
                let names = suggest::listed(several.iter().map(|one| &one.name));
                Err((format!("several interfaces have {self}: {names}"), None))
            }
        }
    }
}

/// The interfaces with that address: cards before interfaces that stand on them (those of vlan(4) have the address of their
/// card), and those that were made with it before those that were given it.
fn of_mac(mac: Mac, interfaces: &[NetworkInterface]) -> Vec<&NetworkInterface> {
    let made = |one: &NetworkInterface| one.factory_mac == Some(mac);
    let given = |one: &NetworkInterface| one.mac == Some(mac);
    let kinds: [&dyn Fn(&NetworkInterface) -> bool; 4] = [
        &|one| one.pci.is_some() && made(one),
        &|one| one.pci.is_some() && given(one),
        &made,
        &given,
    ];
    let found = kinds
        .iter()
        .map(|kind| interfaces.iter().filter(|one| kind(one)).collect::<Vec<_>>());
    found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

fn known(interfaces: &[NetworkInterface]) -> String {
    let described = interfaces.iter().map(|one| {
        let mac = one.mac.map(|mac| format!(" mac {mac}")).unwrap_or_default();
        let pci = one.pci.map(|pci| format!(" pci {pci}")).unwrap_or_default();
        format!("{}{mac}{pci}", one.name)
    });
    format!("this machine has {}", suggest::listed(described))
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "the name {name}"),
            Self::Mac(mac) => write!(f, "the hardware address {mac}"),
            Self::Pci(pci) => write!(f, "the PCI address {pci}"),
            Self::Order(order) => write!(f, "number {order} in the order of PCI addresses"),
        }
    }
}

impl FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is no hardware address such as 02:00:00:00:00:01");
        let parts: Vec<&str> = text.split(':').collect();
        let mut bytes = [0; 6];
        if parts.len() != bytes.len() {
            return Err(refused());
        }
        for (byte, part) in bytes.iter_mut().zip(parts) {
            let is_hex = matches!(part.len(), 1 | 2) && part.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(part, 16)
                .ok()
                .filter(|_| is_hex)
                .ok_or_else(refused)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for PciAddress {
    type Err = String;

    /// `pci0:0:5:0`, or the same without `pci`; as pciconf(8) prints it, with domain, bus, slot and function in decimal.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is no PCI address such as pci0:0:5:0");
        let numbers = text.strip_prefix("pci").unwrap_or(text);
        let numbers: Option<Vec<u32>> = numbers.split(':').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[domain, bus, slot, function]) => {
                let small = |number: u32| u8::try_from(number).map_err(|_| refused());
                Ok(Self(domain, small(bus)?, small(slot)?, small(function)?))
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(domain, bus, slot, function) = self;
        write!(f, "pci{domain}:{bus}:{slot}:{function}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Vec<NetworkInterface> {
        let interface = |name: &str, last, slot| NetworkInterface {
            name: name.to_owned(),
            mac: Some(Mac([2, 0, 0, 0, 0, last])),
            factory_mac: Some(Mac([2, 0, 0, 0, 0, last])),
            pci: Some(PciAddress(0, 0, slot, 0)),
            jail: None,
        };
        vec![
            interface("vtnet1", 1, 5),
            interface("vtnet0", 2, 4),
            interface("em0", 2, 6),
        ]
    }

    #[test]
    fn interfaces_are_found_by_what_is_stable() {
        let rows = [
            (Selector::Name("vtnet9".into()), Ok("vtnet9")),
            (Selector::Mac("02:0:0:0:0:1".parse().unwrap()), Ok("vtnet1")),
            (Selector::Pci("pci0:0:6:0".parse().unwrap()), Ok("em0")),
            (Selector::Order(0), Ok("vtnet0")),
            (Selector::Order(2), Ok("em0")),
            (Selector::Order(3), Err("there is no interface with number 3")),
            (Selector::Mac(Mac([2, 0, 0, 0, 0, 2])), Err("several interfaces")),
        ];
        for (selector, expected) in rows {
            let found = selector.find(&machine(), None);
            match (found, expected) {
                (Ok(name), Ok(expected)) => assert_eq!(name, expected),
                (Err((message, _)), Err(start)) => assert!(message.starts_with(start), "{message}"),
                (found, _) => panic!("{selector}: {found:?}"),
            }
        }
    }

    #[test]
    fn an_address_is_first_of_all_that_of_the_card_made_with_it() {
        let mut machine = machine();
        let find = |machine: &[NetworkInterface], mac: &str| Selector::Mac(mac.parse().unwrap()).find(machine, None);
        machine[0].mac = Some("02:0:0:0:0:9".parse().unwrap());
        let vlan = NetworkInterface {
            name: "vlan0".to_owned(),
            factory_mac: machine[0].mac,
            pci: None,
            ..machine[0].clone()
        };
        assert_eq!(find(&machine, "02:0:0:0:0:1").unwrap(), "vtnet1");
        assert_eq!(find(&machine, "02:0:0:0:0:9").unwrap(), "vtnet1");
        machine.push(vlan);
        assert_eq!(find(&machine, "02:0:0:0:0:1").unwrap(), "vtnet1");
        assert_eq!(find(&machine, "02:0:0:0:0:9").unwrap(), "vtnet1");
        machine[0].mac = machine[0].factory_mac;
        assert_eq!(find(&machine, "02:0:0:0:0:9").unwrap(), "vlan0");
    }

    #[test]
    fn an_interface_that_was_renamed_is_known_again() {
        let by_name = Selector::Name("vtnet7".into());
        assert_eq!(by_name.find(&machine(), Some("em0")).unwrap(), "em0");
        assert_eq!(by_name.find(&machine(), Some("wan0")).unwrap(), "vtnet7");
    }

    #[test]
    fn addresses_are_read_as_they_are_printed() {
        for text in ["02:00:00:00:0a:ff", "fe:dc:ba:98:76:54"] {
            assert_eq!(text.parse::<Mac>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "02:00:00:00:00",
            "02:00:00:00:00:00:00",
            "02:00:00:00:00:1g",
            "02:00:00:00:00:100",
            "+2:0:0:0:0:0",
        ] {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
        assert_eq!("0:1:2:3".parse::<PciAddress>().unwrap().to_string(), "pci0:1:2:3");
        for text in ["", "pci0:1:2", "pci0:999:0:0"] {
            assert!(text.parse::<PciAddress>().is_err(), "{text}");
        }
    }
}
