//! Where a device is on the PCI bus.

use graph::PciAddress;

/// How far above an interface's device the PCI bus may be; a virtio card is one step away.
const STEPS: usize = 8;

/// The PCI address of a device, or of the nearest device above it that has one.
///
/// `driver` is the driver's name with the unit, as in `vtnet1`; `sysctl` reads those below `dev` (rman(9), device(9)).
pub fn address(driver: &str, sysctl: &dyn Fn(&str) -> Option<String>) -> Option<PciAddress> {
    let mut device = driver.to_owned();
    for _ in 0..STEPS {
        let tree = tree(&device)?;
        let location = sysctl(&format!("{tree}.%location"))?;
        if let Some(address) = located(&location) {
            return Some(address);
        }
        device = sysctl(&format!("{tree}.%parent"))?;
    }
    None
}

/// `vtnet1` is described below `dev.vtnet.1`.
fn tree(device: &str) -> Option<String> {
    let name = device.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let unit = &device[name.len()..];
    (!name.is_empty() && !unit.is_empty()).then(|| format!("dev.{name}.{unit}"))
}

/// The address in a device's location, such as `slot=5 function=0 dbsf=pci0:0:5:0`.
fn located(location: &str) -> Option<PciAddress> {
    let address = location.split_whitespace().find_map(|word| word.strip_prefix("dbsf="));
    address?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What sysctl(8) says in a machine of QEMU with virtio cards.
    const SYSCTLS: &str = r"
dev.vtnet.1.%parent: virtio_pci2
dev.vtnet.1.%location:
dev.virtio_pci.2.%parent: pci0
dev.virtio_pci.2.%location: slot=3 function=0 dbsf=pci0:0:3:0 handle=\_SB_.PCI0.S18_
dev.em.0.%parent: pci3
dev.em.0.%location: slot=0 function=1 dbsf=pci0:3:0:1
dev.axe.0.%parent: uhub0
dev.axe.0.%location: bus=0 hubaddr=1 port=2
dev.uhub.0.%parent:
dev.uhub.0.%location:
dev.loop.1.%parent: loop1
dev.loop.1.%location:
";

    fn sysctl(name: &str) -> Option<String> {
        SYSCTLS.lines().find_map(|line| {
            let value = line.strip_prefix(name)?.strip_prefix(':')?;
            Some(value.trim().to_owned())
        })
    }

    #[test]
    fn cards_are_found_on_the_bus() {
        let rows = [
            ("vtnet1", Some("pci0:0:3:0")),
            ("em0", Some("pci0:3:0:1")),
            ("axe0", None),
            ("loop1", None),
            ("lo0", None),
            ("vlan", None),
            ("0", None),
            ("", None),
        ];
        for (driver, expected) in rows {
            let found = address(driver, &sysctl).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{driver}");
        }
    }
}
