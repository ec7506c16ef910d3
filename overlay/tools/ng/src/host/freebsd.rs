//! A FreeBSD machine, through its own programs: ifconfig(8), sysctl(8), jexec(8).

use graph::{Mac, NetworkInterface};

use super::Host;
use crate::failure::Result;

/// The machine that this runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct FreeBsd;

impl Host for FreeBsd {
    fn interfaces(&self) -> Result<Vec<NetworkInterface>> {
        Ok(Vec::new())
    }

    fn rename(&self, _: &str, _: &str) -> Result<()> {
        Ok(())
    }

    fn set_mac(&self, _: &str, _: Mac) -> Result<()> {
        Ok(())
    }

    fn move_to_jail(&self, _: &str, _: &str) -> Result<()> {
        Ok(())
    }

    fn in_jail(&self, _: &str, _: &str) -> Result<Option<NetworkInterface>> {
        Ok(None)
    }

    fn instance(&self) -> Result<String> {
        Ok(String::new())
    }
}
