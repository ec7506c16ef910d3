//! The options that `run` and `smoke` share: what to boot and how.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::accel::{self, Choice, Wanted};
use super::disk::{self, Appliance, Disk};
use super::firmware::Firmware;
use super::{Console, Machine, Nic};
use crate::base::Base;
use crate::preflight;

/// What to boot and how.
#[derive(Args, Debug)]
pub struct MachineOptions {
    /// The manifest of the image to boot [default: the newest in target/image/]
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Boot an image of this base: the newest one in target/image/, or say that --image is one [default: the newest of
    /// all; --image is taken to be FreeBSD]
    #[arg(long, value_enum)]
    pub base: Option<Base>,
    /// An image without a manifest, raw or qcow2
    #[arg(long, value_name = "FILE", conflicts_with = "manifest")]
    pub image: Option<PathBuf>,
    /// The private key that opens root's account [default: the one in the manifest]
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// UEFI firmware [default: OVMF where the distribution keeps it]
    #[arg(long, value_name = "FILE")]
    pub firmware: Option<PathBuf>,
    /// What runs the guest's instructions
    #[arg(long, value_enum, default_value_t = Wanted::Auto)]
    pub accel: Wanted,
    /// The QEMU program
    #[arg(long, value_name = "PROGRAM")]
    pub qemu: Option<PathBuf>,
    /// Memory of the machine in MiB [default: 1024; 256 for a hosted base]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u32>,
    /// Processors of the machine
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub cpus: u8,
    /// Attach this seed, read only: a volume such as `cargo xtask seed` makes, or an ISO of cloud-init's
    #[arg(long, value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// Network cards of the machine; the first one carries SSH [default: as many as the manifest says, or 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=24))]
    pub nics: Option<u8>,
}

/// The parts of a machine that do not depend on the command.
#[derive(Debug)]
pub struct Prepared {
    /// The QEMU program.
    pub qemu: PathBuf,
    /// Its firmware.
    pub firmware: Firmware,
    /// What runs the guest's instructions, and why.
    pub choice: Choice,
    /// Its memory in MiB.
    pub memory: u32,
}

impl MachineOptions {
    /// The image that was asked for, with the options' corrections.
    ///
    /// # Errors
    /// There is no such image, or it is damaged.
    pub fn appliance(&self) -> Result<Appliance> {
        let mut appliance = match (&self.image, &self.manifest) {
            (Some(image), _) => Appliance::from_image(image, self.base.unwrap_or(Base::Freebsd))?,
            (None, Some(manifest)) => Appliance::from_manifest(manifest)?,
            (None, None) => Appliance::from_manifest(&disk::newest_manifest(self.base)?)?,
        };
        self.check_base(&appliance)?;
        if let Some(identity) = &self.identity {
            appliance.identity = Some(identity.clone());
        }
        if let Some(nics) = self.nics {
            appliance.nics = nics;
        }
        Ok(appliance)
    }

    /// A manifest that was named may be of another base than the one that was asked for.
    fn check_base(&self, appliance: &Appliance) -> Result<()> {
        match self.base {
            Some(wanted) if wanted != appliance.base => bail!(
                "the image {} is {}, but --base asks for {}\n\
                 hint: leave out --base, or leave out --manifest to take the newest image of that base",
                appliance.name,
                appliance.base.name(),
                wanted.name()
            ),
            _ => Ok(()),
        }
    }

    /// How much memory a machine with this image has, in MiB.
    pub fn memory(&self, appliance: &Appliance) -> u32 {
        self.memory.unwrap_or_else(|| appliance.base.memory())
    }

    /// The private key of the image.
    ///
    /// # Errors
    /// Neither the manifest nor the options name one, or it is not there.
    pub fn identity(&self, appliance: &Appliance) -> Result<PathBuf> {
        match &appliance.identity {
            None => bail!(
                "the image {} comes with no private key, so nobody here can log in to it\n\
                 hint: name the key with --identity",
                appliance.name
            ),
            Some(identity) if !identity.is_file() => bail!(
                "the private key {} is not there\nhint: build the image again, or name the key with --identity",
                identity.display()
            ),
            Some(identity) => Ok(identity.clone()),
        }
    }

    /// Finds QEMU and firmware and chooses the accelerator.
    ///
    /// # Errors
    /// One of them is missing.
    pub fn prepare(&self, appliance: &Appliance) -> Result<Prepared> {
        let qemu = match &self.qemu {
            Some(qemu) => given_program(qemu)?,
            None => preflight::need("qemu-system-x86_64")?,
        };
        let firmware = Firmware::find(self.firmware.as_deref())?;
        let choice = accel::choose(self.accel, &qemu, &firmware)?;
        Ok(Prepared {
            qemu,
            firmware,
            choice,
            memory: self.memory(appliance),
        })
    }

    /// The machine, with its sockets and variables in `dir`.
    ///
    /// # Errors
    /// The firmware's variables cannot be copied.
    pub fn machine(
        &self,
        prepared: &Prepared,
        disk: Disk,
        nics: Vec<Nic>,
        console: Console,
        dir: &Path,
    ) -> Result<Machine> {
        Ok(Machine {
            qemu: prepared.qemu.clone(),
            accelerator: prepared.choice.accelerator,
            firmware: prepared.firmware.code.clone(),
            variables: prepared.firmware.copy_variables(dir)?,
            disk,
            memory: prepared.memory,
            cpus: self.cpus,
            nics,
            console,
            seed: self.seed()?,
            control: dir.join("qmp"),
        })
    }
}

impl MachineOptions {
    fn seed(&self) -> Result<Option<PathBuf>> {
        match &self.seed {
            Some(seed) if !seed.is_file() => bail!(
                "the seed {} is not there\nhint: make one with `cargo xtask seed`",
                seed.display()
            ),
            seed => Ok(seed.as_ref().map(std::path::absolute).transpose()?),
        }
    }
}

/// A program that the user named: a path, or a name to look up.
fn given_program(name: &Path) -> Result<PathBuf> {
    let plain_name = name.to_str().filter(|name| !name.contains('/'));
    let found = match plain_name {
        Some(name) => preflight::find(name),
        None => name.is_file().then(|| name.to_owned()),
    };
    found.with_context(|| format!("could not find the program {} that --qemu names", name.display()))
}
