//! `cargo xtask kmod`: the ng_socket.ko kernel module.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use xshell::Shell;

/// Build and check ng_socket.ko
#[derive(Args)]
pub struct Kmod {}

impl Kmod {
    pub fn run(self) -> Result<()> {
        bail!("not written yet")
    }
}

/// Builds ng_socket.ko for a FreeBSD release such as `14.3` and returns where it lies.
///
/// # Errors
/// Always, so far.
pub fn build(_shell: &Shell, release: &str) -> Result<PathBuf> {
    bail!("cannot build ng_socket.ko for FreeBSD {release} yet\nhint: name one with --module")
}
