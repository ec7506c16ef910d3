//! `cargo xtask host`: the machine for an image, as a host's own definition.
//!
//! A [`Definition`] says what the machine consists of; one file per host turns it into a script that is printed.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::base::Base;
use crate::vm::disk;
use definition::{Definition, Wishes};

mod bhyve;
mod definition;
mod libvirt;
mod proxmox;
mod qemu;
mod script;
mod vm_bhyve;

/// Print a ready-to-run definition of the machine for a host
///
/// What is printed is a shell script for that host: it makes the machine, with UEFI firmware and variables of its own, the
/// network cards in the declared order (vtnet0, vtnet1, ... in the appliance), a serial console and a watchdog, where the
/// host has one. UUID and MAC addresses follow from the name: give each machine on a network its own with --name.
///
///     cargo xtask host --for libvirt --image-path /var/lib/libvirt/images/ngforge.qcow2 | ssh root@host sh
#[derive(Args)]
pub struct Host {
    /// What the machine is for
    #[arg(long = "for", value_enum, value_name = "HOST")]
    target: Target,
    /// The manifest of the image [default: the newest in target/image/]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The newest image of this base
    #[arg(long, value_enum, conflicts_with = "manifest")]
    base: Option<Base>,
    /// The machine's name [default: the image's]
    #[arg(long)]
    name: Option<String>,
    /// Where the image will lie on the host [default: where it was built]
    #[arg(long, value_name = "PATH")]
    image_path: Option<PathBuf>,
    /// Memory in MiB [default: 1024; 256 for a hosted base]
    #[arg(long, value_name = "MIB")]
    memory: Option<u32>,
    /// Processors
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    cpus: u8,
    /// What the first network card is connected to, and, given again, the second and so on: a bridge interface (bhyve), a
    /// switch (vm-bhyve), a network (libvirt), a bridge (proxmox), a tap interface (qemu); with --netgraph a node of type
    /// bridge, or NODE:HOOK
    #[arg(long = "network", value_name = "NAME")]
    networks: Vec<String>,
    /// Connect network cards to netgraph nodes of the host instead of taps (bhyve, vm-bhyve)
    #[arg(long)]
    netgraph: bool,
}

/// Hosts that machines are defined for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// FreeBSD's hypervisor, by its own commands
    Bhyve,
    /// The vm(8) command of the package vm-bhyve
    VmBhyve,
    /// virsh, virt-manager and their kin
    Libvirt,
    /// Proxmox VE
    Proxmox,
    /// QEMU alone
    Qemu,
}

impl Host {
    /// Prints the definition.
    ///
    /// # Errors
    /// There is no image that the host can take, or what was asked for is not possible there.
    pub fn run(self) -> Result<()> {
        let manifest = match &self.manifest {
            Some(manifest) => manifest.clone(),
            None => disk::newest_manifest(self.base)?,
        };
        let target = self.target;
        let definition = Definition::load(&manifest, target, self.wishes())?;
        print!("{}", target.script(&definition));
        Ok(())
    }

    fn wishes(self) -> Wishes {
        Wishes {
            name: self.name,
            image_path: self.image_path,
            memory: self.memory,
            cpus: self.cpus,
            networks: self.networks,
            netgraph: self.netgraph,
        }
    }
}

impl Target {
    fn script(self, definition: &Definition) -> String {
        match self {
            Self::Bhyve => bhyve::script(definition),
            Self::VmBhyve => vm_bhyve::script(definition),
            Self::Libvirt => libvirt::script(definition),
            Self::Proxmox => proxmox::script(definition),
            Self::Qemu => qemu::script(definition),
        }
    }
}

#[cfg(test)]
#[path = "host/tests.rs"]
mod tests;
