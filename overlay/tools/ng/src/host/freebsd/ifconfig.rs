//! What ifconfig(8) says about interfaces, and does to them.

use graph::Mac;

use super::program;
use crate::failure::Result;

/// An interface as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Described {
    /// Its name.
    pub name: String,
    /// The hardware address that it has now.
    pub mac: Option<Mac>,
    /// The one that it was made with.
    pub factory_mac: Option<Mac>,
    /// The name that its driver gave it.
    pub driver: String,
}

/// Runs ifconfig in a network stack: that of a jail, or the one of this process.
pub fn run(jail: Option<&str>, arguments: &[&str]) -> Result<String> {
    match jail {
        None => program::run("/sbin/ifconfig", arguments),
        Some(jail) => program::run("/sbin/ifconfig", &[&["-j", jail], arguments].concat()),
    }
}

/// All interfaces of a network stack.
pub fn list(jail: Option<&str>) -> Result<Vec<Described>> {
    run(jail, &["-a", "-D"]).map(|text| parse(&text))
}

/// Reads what `ifconfig -a -D` prints: a line for each interface, and indented ones that say more.
fn parse(text: &str) -> Vec<Described> {
    let mut interfaces: Vec<Described> = Vec::new();
    for line in text.lines() {
        if !line.starts_with(char::is_whitespace) {
            interfaces.extend(line.split_once(": ").map(|(name, _)| named(name)));
        } else if let Some(interface) = interfaces.last_mut() {
            interface.read(line);
        }
    }
    interfaces
}

fn named(name: &str) -> Described {
    Described {
        name: name.to_owned(),
        ..Described::default()
    }
}

impl Described {
    /// Reads one of the indented lines.
    fn read(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("ether"), Some(mac)) => {
                self.mac = mac.parse().ok();
                self.factory_mac = self.factory_mac.or(self.mac);
            }
            // Only where it is another one than that in use.
            (Some("hwaddr"), Some(mac)) => self.factory_mac = mac.parse().ok(),
            (Some("drivername:"), Some(driver)) => driver.clone_into(&mut self.driver),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of FreeBSD 14, with a card that was renamed and given another address, and interfaces that are no cards.
    const LISTED: &str = "\
vtnet0: flags=1008843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500
\toptions=80028<VLAN_MTU,JUMBO_MTU,LINKSTATE>
\tether 52:54:00:6e:67:01
\tinet 10.0.2.15 netmask 0xffffff00 broadcast 10.0.2.255
\tmedia: Ethernet autoselect (10Gbase-T <full-duplex>)
\tstatus: active
\tnd6 options=29<PERFORMNUD,IFDISABLED,AUTO_LINKLOCAL>
\tdrivername: vtnet0
wan0: flags=1008802<BROADCAST,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500
\tdescription: ether 00:00:00:00:00:00
\toptions=80028<VLAN_MTU,JUMBO_MTU,LINKSTATE>
\tether 02:00:00:00:00:01
\thwaddr 52:54:00:6e:67:04
\tmedia: Ethernet autoselect (10Gbase-T <full-duplex>)
\tstatus: active
\tdrivername: vtnet3
lo0: flags=1008049<UP,LOOPBACK,RUNNING,MULTICAST,LOWER_UP> metric 0 mtu 16384
\tinet6 fe80::1%lo0 prefixlen 64 scopeid 0x5
\tgroups: lo
\tdrivername: lo0
wan0.7: flags=1008842<BROADCAST,RUNNING,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500
\tether 02:00:00:00:00:01
\tgroups: vlan
\tvlan: 7 vlanproto: 802.1q vlanpcp: 0 parent interface: wan0
\tdrivername: vlan
";

    #[test]
    fn interfaces_are_read_with_their_addresses_and_drivers() {
        let row = |name: &str, mac: &str, factory_mac: &str, driver: &str| Described {
            name: name.to_owned(),
            mac: mac.parse().ok(),
            factory_mac: factory_mac.parse().ok(),
            driver: driver.to_owned(),
        };
        let expected = [
            row("vtnet0", "52:54:00:6e:67:01", "52:54:00:6e:67:01", "vtnet0"),
            row("wan0", "02:00:00:00:00:01", "52:54:00:6e:67:04", "vtnet3"),
            row("lo0", "", "", "lo0"),
            row("wan0.7", "02:00:00:00:00:01", "02:00:00:00:00:01", "vlan"),
        ];
        assert_eq!(parse(LISTED), expected);
    }

    #[test]
    fn no_interface_is_no_error() {
        assert_eq!(parse(""), []);
        assert_eq!(parse("\tether 02:00:00:00:00:01\n"), []);
    }
}
