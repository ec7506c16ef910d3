//! A FreeBSD machine, through its own programs: ifconfig(8), jls(8), ps(1), and its sysctls.

use std::ffi::OsString;
use std::io;
use std::process;

use graph::{Mac, NetworkInterface};

use super::Host;
use crate::failure::{Failure, Result};

mod calls;
mod ifconfig;
mod pci;
mod program;

use ifconfig::Described;

/// The machine that this runs on, and one of its network stacks.
#[derive(Debug, Clone, Default)]
pub struct FreeBsd {
    /// The jail whose network stack it is; None: that of this process.
    jail: Option<String>,
}

impl FreeBsd {
    /// The network stack of a jail, by the jail's name.
    pub fn in_jail(jail: &str) -> Self {
        let jail = Some(jail.to_owned());
        Self { jail }
    }

    fn ifconfig(&self, arguments: &[&str]) -> Result<()> {
        ifconfig::run(self.jail.as_deref(), arguments).map(drop)
    }
}

impl Host for FreeBsd {
    fn arguments(&self) -> Result<Vec<OsString>> {
        Ok(self
            .jail
            .iter()
            .flat_map(|jail| ["--jail", jail])
            .map(OsString::from)
            .collect())
    }

    fn interfaces(&self) -> Result<Vec<NetworkInterface>> {
        if let Some(jail) = &self.jail {
            let own = |one| NetworkInterface { jail: None, ..one };
            return Ok(listed(Some(jail))?.into_iter().map(own).collect());
        }
        let mut interfaces = listed(None)?;
        for jail in jails()? {
            let cards = listed(Some(&jail))?.into_iter().filter(|one| one.pci.is_some());
            interfaces.extend(cards);
        }
        Ok(interfaces)
    }

    fn rename(&self, interface: &str, name: &str) -> Result<()> {
        self.ifconfig(&[interface, "name", name])
    }

    fn set_mac(&self, interface: &str, mac: Mac) -> Result<()> {
        self.ifconfig(&[interface, "ether", &mac.to_string()])
    }

    fn move_to_jail(&self, interface: &str, jail: &str) -> Result<()> {
        self.ifconfig(&[interface, "vnet", jail])
    }

    fn in_jail(&self, interface: &str, jail: &str) -> Result<Option<NetworkInterface>> {
        Ok(listed(Some(jail))?.into_iter().find(|one| one.name == interface))
    }

    /// The kernel's random number of this boot, and the jail whose network stack this is.
    fn instance(&self) -> Result<String> {
        let boot = sysctl("kern.boot_id")?;
        let boot: String = boot.iter().map(|byte| format!("{byte:02x}")).collect();
        let flag = |name| Ok::<bool, Failure>(sysctl(name)?.iter().any(|&byte| byte != 0));
        if let Some(name) = &self.jail {
            return Ok(format!("{boot}:{}", jail_number(name)?));
        }
        if flag("security.jail.jailed")? && flag("security.jail.vnet")? {
            let process = process::id().to_string();
            let jail = program::run("/bin/ps", &["-o", "jid=", "-p", &process])?;
            return Ok(format!("{boot}:{}", jail.trim()));
        }
        Ok(boot)
    }
}

/// The number of a jail that has a network stack of its own, by its name.
///
/// # Errors
/// There is no such jail, or it has none.
pub fn jail_number(name: &str) -> Result<i32> {
    let said = program::run("/usr/sbin/jls", &["-j", name, "vnet", "jid"])?;
    let number = said.trim().strip_prefix("new ").and_then(|number| number.parse().ok());
    number.ok_or_else(|| Failure::Usage(format!("the jail {name} has no network stack of its own (vnet)")))
}

/// Makes this process one of the jail of that number, for good.
///
/// # Errors
/// There is no such jail, or this is not root.
pub fn enter_jail(number: i32) -> io::Result<()> {
    calls::attach(number)
}

/// The interfaces of a network stack: that of a jail, or the one of this process.
fn listed(jail: Option<&str>) -> Result<Vec<NetworkInterface>> {
    let interface = |described: Described| NetworkInterface {
        pci: pci::address(&described.driver, &|name| sysctl_text(name)),
        name: described.name,
        mac: described.mac,
        factory_mac: described.factory_mac,
        jail: jail.map(str::to_owned),
    };
    let described = ifconfig::list(jail)?;
    Ok(described.into_iter().map(interface).collect())
}

/// The jails that have network stacks of their own, by name.
fn jails() -> Result<Vec<String>> {
    let lines = program::run("/usr/sbin/jls", &["vnet", "name"])?;
    let names = lines.lines().filter_map(|line| line.strip_prefix("new "));
    Ok(names.map(str::to_owned).collect())
}

fn sysctl(name: &'static str) -> Result<Vec<u8>> {
    let what = name;
    calls::sysctl(name).map_err(|error| Failure::Io { what, error })
}

/// A sysctl that is text, if it is there.
fn sysctl_text(name: &str) -> Option<String> {
    let bytes = calls::sysctl(name).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.trim_end_matches('\0').to_owned())
}
