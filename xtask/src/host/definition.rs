//! What a machine consists of, whatever the host.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use ngforge_image::hash;
use ngforge_image::manifest::{Manifest, OutputFile};
use ngforge_image::output::Format;

use super::Target;
use crate::base::Base;

/// PCI slot of the disk.
pub const DISK_SLOT: u8 = 3;
/// PCI slot of the first network card; the others follow, so that the appliance finds them in this order.
pub const NIC_SLOT: u8 = 4;
/// Slots from 0x1a on belong to the chipset of some hosts.
const NICS_MAX: u8 = 0x1a - NIC_SLOT;

/// What the user asked for.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// The machine's name.
    pub name: Option<String>,
    /// Where the image will lie.
    pub image_path: Option<PathBuf>,
    /// Memory in MiB.
    pub memory: Option<u32>,
    /// Processors.
    pub cpus: u8,
    /// What network cards are connected to, the first one's first.
    pub networks: Vec<String>,
    /// Whether they are connected to netgraph nodes.
    pub netgraph: bool,
}

/// A machine.
#[derive(Debug)]
pub struct Definition {
    /// Letters, digits, `-` and `_`.
    pub name: String,
    /// What it is, in one line for people.
    pub introduction: String,
    /// The same for the same name, in RFC 9562's form.
    pub uuid: String,
    /// The image on the host.
    pub image: PathBuf,
    /// Its format.
    pub format: Format,
    /// Memory in MiB.
    pub memory: u32,
    /// Processors.
    pub cpus: u8,
    /// Network cards, vtnet0 first.
    pub nics: Vec<Nic>,
    /// Whether they are connected to netgraph nodes.
    pub netgraph: bool,
}

/// A network card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// Its number, from 0, as in `vtnet0`.
    pub number: u8,
    /// The same for the same name of the machine.
    pub mac: String,
    /// What it is connected to, if the user said so.
    pub network: Option<String>,
}

impl Nic {
    /// Its PCI slot on bus 0.
    pub fn slot(&self) -> u8 {
        NIC_SLOT + self.number
    }
}

impl Definition {
    /// The machine for the image of a manifest.
    ///
    /// # Errors
    /// The manifest cannot be read, has no image for this host, or a wish cannot be fulfilled.
    pub fn load(path: &Path, target: Target, wishes: Wishes) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{}: could not be read\nhint: build an image first", path.display()))?;
        let manifest: Manifest = serde_json::from_str(&text).with_context(|| {
            format!(
                "{}: is not the manifest of an image\nhint: name <name>.json beside one",
                path.display()
            )
        })?;
        let folder = std::path::absolute(path.parent().unwrap_or(Path::new("")))?;
        Self::new(&manifest, &folder, target, wishes).with_context(|| format!("{}: no definition", path.display()))
    }

    fn new(manifest: &Manifest, folder: &Path, target: Target, wishes: Wishes) -> Result<Self> {
        let base = Base::named(&manifest.base).with_context(|| format!("the base `{}` is unknown", manifest.base))?;
        let (file, format) = pick(manifest, target)?;
        let name = plain_name(wishes.name.as_deref().unwrap_or(&manifest.name));
        check_wishes(manifest, target, &wishes)?;
        let hash = hash::of_bytes(format!("ngforge machine {name}").as_bytes());
        let nic = |number: u8| Nic {
            number,
            mac: mac(&hash, number),
            network: wishes.networks.get(usize::from(number)).cloned(),
        };
        Ok(Self {
            introduction: base.introduction(manifest.system.as_deref(), &manifest.release),
            uuid: uuid(&hash),
            image: wishes.image_path.clone().unwrap_or_else(|| folder.join(&file.path)),
            format,
            memory: wishes.memory.unwrap_or(base.memory()),
            cpus: wishes.cpus,
            nics: (0..manifest.nics).map(nic).collect(),
            netgraph: wishes.netgraph,
            name,
        })
    }
}

/// Formats that a host takes, the best one first.
fn formats(target: Target) -> &'static [Format] {
    match target {
        Target::Bhyve | Target::VmBhyve => &[Format::Raw],
        Target::Proxmox => &[Format::Qcow2, Format::Raw, Format::Vmdk],
        Target::Libvirt | Target::Qemu => &[Format::Qcow2, Format::Raw],
    }
}

fn pick(manifest: &Manifest, target: Target) -> Result<(&OutputFile, Format)> {
    let wanted = formats(target);
    let find = |format: &Format| {
        let file = manifest.files.iter().find(|file| file.format == format.name())?;
        Some((file, *format))
    };
    wanted.iter().find_map(find).with_context(|| {
        let names: Vec<_> = wanted.iter().map(|format| format.name()).collect();
        format!(
            "there is no image in a format that this host takes: {}\nhint: add one of them to `formats` in the \
             appliance file and build again",
            names.join(", ")
        )
    })
}

fn check_wishes(manifest: &Manifest, target: Target, wishes: &Wishes) -> Result<()> {
    let nics = manifest.nics;
    ensure!(
        nics <= NICS_MAX,
        "{nics} network cards have no room on the machine's PCI bus; {NICS_MAX} have\nhint: lower `nics` in the \
         appliance file"
    );
    ensure!(
        wishes.networks.len() <= usize::from(nics),
        "--network was given {} times, but the appliance has {nics} network cards\nhint: raise `nics` in the appliance \
         file, or leave some out",
        wishes.networks.len()
    );
    if let Some(bad) = wishes.networks.iter().find(|name| !is_network(name)) {
        bail!("`{bad}` is not the name of a network\nhint: letters, digits and -_.: make one");
    }
    ensure!(
        !wishes.netgraph || matches!(target, Target::Bhyve | Target::VmBhyve),
        "--netgraph is for hosts that run FreeBSD\nhint: leave it out, or use --for bhyve or --for vm-bhyve"
    );
    Ok(())
}

/// Names go into scripts and XML, so they are of letters that mean nothing there.
fn is_network(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
}

/// A name that every host takes.
fn plain_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    name.chars().map(plain).collect()
}

/// A UUID of version 8 made of a hash in hexadecimal.
fn uuid(hash: &str) -> String {
    format!(
        "{}-{}-8{}-8{}-{}",
        &hash[..8],
        &hash[8..12],
        &hash[13..16],
        &hash[17..20],
        &hash[20..32]
    )
}

/// QEMU's prefix, two bytes of the machine, and the card's number.
fn mac(hash: &str, number: u8) -> String {
    format!("52:54:00:{}:{}:{:02x}", &hash[32..34], &hash[34..36], number + 1)
}
