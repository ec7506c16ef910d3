//! What a graph needs of the machine around netgraph: its network interfaces and its jails.

use std::ffi::OsString;

use graph::{Mac, NetworkInterface};

use crate::failure::Result;

#[cfg(test)]
pub mod fake;
mod freebsd;
#[cfg(not(target_os = "freebsd"))]
mod hosted;

pub use freebsd::{FreeBsd, enter_jail, jail_number};
#[cfg(not(target_os = "freebsd"))]
pub use hosted::Hosted;

/// The machine on which a graph is made.
pub trait Host {
    /// The arguments by which another ng works on the same machine, from any folder.
    fn arguments(&self) -> Result<Vec<OsString>> {
        Ok(Vec::new())
    }

    /// The network interfaces that there are in this network stack, and the cards of the machine that jails have got.
    fn interfaces(&self) -> Result<Vec<NetworkInterface>>;

    /// Gives an interface another name.
    fn rename(&self, interface: &str, name: &str) -> Result<()>;

    /// Gives an interface a hardware address.
    fn set_mac(&self, interface: &str, mac: Mac) -> Result<()>;

    /// Moves an interface into the network stack of a jail.
    fn move_to_jail(&self, interface: &str, jail: &str) -> Result<()>;

    /// The interface in the jail's network stack, if it is there.
    fn in_jail(&self, interface: &str, jail: &str) -> Result<Option<NetworkInterface>>;

    /// What tells one life of this netgraph from the next: it changes when the graph is gone, as after a reboot.
    fn instance(&self) -> Result<String>;
}
