//! The third stage: the tree becomes a disk: an EFI partition, and one root partition or what goes with two of them
//! ([`slots`]).

mod slots;

use std::path::Path;

use super::layers::Set;
use super::merge::Merged;
use crate::error::{Error, Result};
use crate::gpt::{self, Partition};
use crate::layer::Layer;
use crate::output::Disk;
use crate::piece::{Blobs, Piece};
use crate::progress::Progress;
use crate::spec::{Layout, Spec};
use crate::tree::Tree;
use crate::ufs::space::Full;
use crate::ufs::{self, LayerFiles};
use crate::{esp, hash};

/// Partitions begin and end at multiples of this many bytes.
const ALIGN: u64 = 1 << 20;
/// First byte of the EFI partition.
const ESP_AT: u64 = ALIGN;
/// Behind the last partition: the backup table.
const TAIL: u64 = ALIGN;
/// The smallest root partition.
const LEAST_ROOT: u64 = 16 << 20;
/// A computed size grows by this until everything fits.
const STEP: u64 = 8 << 20;

/// What a disk is made of.
#[derive(Clone, Copy)]
pub struct Ingredients<'a> {
    /// The appliance.
    pub spec: &'a Spec,
    /// The file it came from.
    pub spec_file: &'a Path,
    /// The tree.
    pub merged: &'a Merged,
    /// The sets whose layers it refers to.
    pub sets: &'a [Set],
    /// What ids are made of: the same seed gives the same ids of disk, partitions and file systems.
    pub seed: &'a str,
    /// A folder for files of this build's own.
    pub scratch: &'a Path,
    /// Who is told.
    pub progress: &'a dyn Progress,
}

/// Decides where everything goes.
///
/// # Errors
/// [`Error::DiskTooSmall`]; what boots a disk with slots is not in the sets.
pub fn lay_out(ingredients: &Ingredients<'_>) -> Result<Disk> {
    match ingredients.spec.disk.layout {
        Layout::Single => single(ingredients),
        Layout::Slots => slots::lay_out(ingredients),
    }
}

/// A disk with one root partition.
fn single(ingredients: &Ingredients<'_>) -> Result<Disk> {
    let Ingredients { spec, merged, seed, .. } = *ingredients;
    let layers = Layers::open(ingredients, None)?;
    let (efi, boot, code) = firmware(ingredients)?;
    let root_at = end_of(&[&efi, &boot]);
    let (root_size, root) = root(ingredients, &layers.files, root_at)?;
    let size = root_at + root_size + TAIL;
    let mut pieces = shifted(root, root_at);
    pieces.extend(shifted(esp::lay_out(merged.loader.clone(), number(seed)), ESP_AT));
    pieces.extend(Piece::filled(boot.at, &merged.bios.boot));
    let root = Partition {
        kind: gpt::TYPE_UFS,
        id: guid(seed, "root"),
        at: root_at,
        len: root_size,
        label: &spec.label,
    };
    let mut partitions = vec![efi, root];
    if boot.len > 0 {
        partitions.insert(1, boot);
    }
    pieces.extend(gpt::lay_out(size, guid(seed, "disk"), &partitions, &code));
    Ok(layers.disk(size, pieces, None))
}

/// A disk with nothing on it but a program for the firmware to start.
pub fn with_program(program: Vec<u8>, seed: &str) -> Disk {
    let efi = efi(program.len(), seed);
    let size = efi.at + efi.len + TAIL;
    let mut pieces = gpt::lay_out(size, guid(seed, "disk"), &[efi], &[]);
    pieces.extend(shifted(esp::lay_out(program, number(seed)), ESP_AT));
    pieces.sort_unstable_by_key(|piece| piece.at);
    Disk {
        size,
        pieces,
        blobs: Blobs::default(),
        blob_names: Vec::new(),
        slot: None,
    }
}

/// The layers' files as the disk refers to them.
struct Layers {
    blobs: Blobs,
    names: Vec<Option<String>>,
    files: Vec<LayerFiles>,
}

impl Layers {
    /// Those of the sets, of the additions, and one more.
    fn open(ingredients: &Ingredients<'_>, own: Option<&Layer>) -> Result<Self> {
        let mut layers = Self {
            blobs: Blobs::default(),
            names: Vec::new(),
            files: Vec::new(),
        };
        for set in ingredients.sets {
            layers.add(&set.layer, Some(&set.sha256), ingredients.spec_file)?;
        }
        for layer in [&ingredients.merged.top].into_iter().chain(own) {
            layers.add(layer, None, ingredients.spec_file)?;
        }
        Ok(layers)
    }

    fn add(&mut self, layer: &Layer, sum: Option<&str>, spec_file: &Path) -> Result<()> {
        self.names
            .extend(["blocks", "frags"].map(|part| sum.map(|sum| format!("{sum} {part}"))));
        self.files.push(LayerFiles {
            blocks: self.blobs.0.len(),
            frags: self.blobs.0.len() + 1,
        });
        for file in [&layer.blocks, &layer.frags] {
            let copy = file.try_clone().map_err(Error::io("open the layer", spec_file))?;
            self.blobs.0.push(copy);
        }
        Ok(())
    }

    fn disk(self, size: u64, mut pieces: Vec<Piece>, slot: Option<std::ops::Range<u64>>) -> Disk {
        pieces.sort_unstable_by_key(|piece| piece.at);
        Disk {
            size,
            pieces,
            blobs: self.blobs,
            blob_names: self.names,
            slot,
        }
    }
}

/// The EFI partition for a program of so many bytes.
fn efi(program: usize, seed: &str) -> Partition<'static> {
    Partition {
        kind: gpt::TYPE_EFI,
        id: guid(seed, "efi"),
        at: ESP_AT,
        len: esp::size_for(program as u64),
        label: "efiboot0",
    }
}

/// What the firmware starts: the EFI partition, and for a BIOS a partition, which may be unused, with code for the MBR.
fn firmware(ingredients: &Ingredients<'_>) -> Result<(Partition<'static>, Partition<'static>, Vec<u8>)> {
    let Ingredients { merged, seed, .. } = *ingredients;
    let efi = efi(merged.loader.len(), seed);
    let bios = &merged.bios;
    if bios.boot.is_empty() {
        ingredients
            .progress
            .note("UEFI only: the sets lack /boot/pmbr or /boot/gptboot, which a BIOS needs");
        return Ok((efi, Partition::unused(), Vec::new()));
    }
    let boot = Partition {
        kind: gpt::TYPE_BOOT,
        id: guid(seed, "bios"),
        at: efi.at + efi.len,
        len: (bios.boot.len() as u64).next_multiple_of(gpt::SECTOR),
        label: "gptboot0",
    };
    Ok((efi, boot, bios.mbr.clone()))
}

/// Where the next partition may begin.
fn end_of(partitions: &[&Partition<'_>]) -> u64 {
    let ends = partitions.iter().map(|partition| partition.at + partition.len);
    ends.max().unwrap_or(ESP_AT).next_multiple_of(ALIGN)
}

fn guid(seed: &str, what: &str) -> gpt::Guid {
    gpt::derived_guid(&format!("{seed} {what}"))
}

/// A file system with a tree.
struct Volume<'a> {
    tree: &'a Tree,
    layers: &'a [LayerFiles],
    label: &'a str,
    time: i64,
    id: u32,
}

impl Volume<'_> {
    fn lay_out(&self, size: u64) -> std::result::Result<(Vec<Piece>, ufs::Report), Full> {
        let options = ufs::Options {
            size,
            label: self.label,
            time: self.time,
            id: self.id,
            max_group: None,
        };
        ufs::lay_out(self.tree, self.layers, &options)
    }

    /// The smallest size, in steps, that everything fits in with `free` bytes to spare.
    fn fitting(&self, free: u64) -> (u64, (Vec<Piece>, ufs::Report)) {
        let data = ufs::least_size(self.tree) + free;
        // Inodes take a thirty-second of the space, group headers and indirect blocks a little.
        let mut size = (data + data / 32 + data / 256).max(LEAST_ROOT).next_multiple_of(ALIGN);
        loop {
            match self.lay_out(size) {
                Ok(found) => return (size, found),
                Err(Full) => size += STEP,
            }
        }
    }
}

fn note(progress: &dyn Progress, name: &str, report: &ufs::Report) {
    let free = report.totals.free_blocks * ufs::geometry::BLOCK + report.totals.free_frags * ufs::geometry::FRAG;
    let groups = report.geometry.groups;
    progress.note(&format!(
        "{name}: {} files, {} MiB free, {groups} groups",
        report.inodes,
        free >> 20
    ));
}

/// The root partition of a disk that has but one: its size in bytes and its pieces.
fn root(ingredients: &Ingredients<'_>, files: &[LayerFiles], root_at: u64) -> Result<(u64, Vec<Piece>)> {
    let Ingredients {
        spec, merged, progress, ..
    } = *ingredients;
    let volume = Volume {
        tree: &merged.tree,
        layers: files,
        label: &spec.label,
        time: merged.time,
        id: number(ingredients.seed),
    };
    let Some(asked) = spec.disk.size else {
        let (size, (pieces, summary)) = volume.fitting(spec.disk.free());
        note(progress, "root", &summary);
        return Ok((size, pieces));
    };
    let fixed = root_at + TAIL;
    let size = asked.0.saturating_sub(fixed) / ALIGN * ALIGN;
    match volume.lay_out(size) {
        Ok((pieces, summary)) => {
            note(progress, "root", &summary);
            Ok((size, pieces))
        }
        Err(Full) => Err(Error::DiskTooSmall {
            file: ingredients.spec_file.to_path_buf(),
            needed: volume.fitting(0).0 + fixed,
            allowed: asked.0,
        }),
    }
}

fn shifted(mut pieces: Vec<Piece>, by: u64) -> Vec<Piece> {
    for piece in &mut pieces {
        piece.at += by;
    }
    pieces
}

/// A number for file systems, made of the seed.
fn number(seed: &str) -> u32 {
    u32::from_str_radix(&hash::of_bytes(seed.as_bytes())[..8], 16)
        .unwrap_or(1)
        .max(1)
}
