//! A machine in memory, for tests.

use std::cell::RefCell;

use graph::{Mac, NetworkInterface};

use super::Host;
use crate::failure::{Failure, Result};

/// Its interfaces, each with the jail in which it is.
#[derive(Debug, Default)]
pub struct Machine {
    interfaces: RefCell<Vec<NetworkInterface>>,
    instance: String,
}

impl Machine {
    /// A machine that has these.
    pub fn new(interfaces: Vec<NetworkInterface>) -> Self {
        let interfaces = RefCell::new(interfaces);
        Self {
            interfaces,
            ..Self::default()
        }
    }

    /// A machine without interfaces, in that life of its graph.
    pub fn of(instance: &str) -> Self {
        Self {
            instance: instance.to_owned(),
            ..Self::default()
        }
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut NetworkInterface)) -> Result<()> {
        let mut interfaces = self.interfaces.borrow_mut();
        let mut here = interfaces.iter_mut().filter(|one| one.jail.is_none());
        let absent = || Failure::Usage(format!("interface {name} does not exist"));
        here.find(|one| one.name == name).map(change).ok_or_else(absent)
    }
}

impl Host for Machine {
    fn interfaces(&self) -> Result<Vec<NetworkInterface>> {
        Ok(self.interfaces.borrow().clone())
    }

    fn rename(&self, interface: &str, name: &str) -> Result<()> {
        self.change(interface, |one| name.clone_into(&mut one.name))
    }

    fn set_mac(&self, interface: &str, mac: Mac) -> Result<()> {
        self.change(interface, |one| one.mac = Some(mac))
    }

    fn move_to_jail(&self, interface: &str, jail: &str) -> Result<()> {
        self.change(interface, |one| one.jail = Some(jail.to_owned()))
    }

    fn in_jail(&self, interface: &str, jail: &str) -> Result<Option<NetworkInterface>> {
        let interfaces = self.interfaces.borrow();
        let mut inside = interfaces.iter().filter(|one| one.jail.as_deref() == Some(jail));
        Ok(inside.find(|one| one.name == interface).cloned())
    }

    fn instance(&self) -> Result<String> {
        Ok(self.instance.clone())
    }
}
