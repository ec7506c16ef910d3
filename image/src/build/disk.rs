//! The third stage: the tree becomes a disk with an EFI partition and a root partition.

use std::path::Path;

use super::layers::Set;
use super::merge::Merged;
use crate::error::{Error, Result};
use crate::gpt::{self, Partition};
use crate::output::Disk;
use crate::piece::{Blobs, Piece};
use crate::progress::Progress;
use crate::spec::Spec;
use crate::ufs::space::Full;
use crate::ufs::{self, LayerFiles};
use crate::{Result as ImageResult, esp, hash};

/// Partitions begin and end at multiples of this many bytes.
const ALIGN: u64 = 1 << 20;
/// First byte of the EFI partition.
const ESP_AT: u64 = ALIGN;
/// Behind the last partition: the backup table.
const TAIL: u64 = ALIGN;
/// Room left free if the spec does not say.
const DEFAULT_FREE: u64 = 256 << 20;
/// The smallest root partition.
const LEAST_ROOT: u64 = 16 << 20;
/// A computed size grows by this until everything fits.
const STEP: u64 = 8 << 20;

/// Decides where everything goes. The same `seed` gives the same ids of disk, partitions and file systems.
///
/// # Errors
/// [`Error::DiskTooSmall`].
pub fn lay_out(
    spec: &Spec,
    spec_file: &Path,
    merged: &Merged,
    sets: &[Set],
    seed: &str,
    progress: &dyn Progress,
) -> ImageResult<Disk> {
    let mut blobs = Blobs::default();
    let named = sets.iter().map(|set| (&set.layer, Some(&set.sha256)));
    let mut files = Vec::new();
    let mut blob_names = Vec::new();
    for (layer, sum) in named.chain([(&merged.top, None)]) {
        blob_names.extend(["blocks", "frags"].map(|part| sum.map(|sum| format!("{sum} {part}"))));
        files.push(LayerFiles {
            blocks: blobs.0.len(),
            frags: blobs.0.len() + 1,
        });
        for file in [&layer.blocks, &layer.frags] {
            let copy = file.try_clone().map_err(Error::io("open the layer", spec_file))?;
            blobs.0.push(copy);
        }
    }
    let efi = efi(merged.loader.len(), seed);
    let root_at = efi.at + efi.len;
    let (root_size, root) = root(spec, spec_file, merged, &files, seed, root_at, progress)?;
    let size = root_at + root_size + TAIL;
    let mut pieces = shifted(root, root_at);
    pieces.extend(shifted(esp::lay_out(merged.loader.clone(), number(seed)), ESP_AT));
    let root = Partition {
        kind: gpt::TYPE_UFS,
        id: guid(seed, "root"),
        at: root_at,
        len: root_size,
        label: &spec.label,
    };
    pieces.extend(gpt::lay_out(size, guid(seed, "disk"), &[efi, root]));
    pieces.sort_unstable_by_key(|piece| piece.at);
    Ok(Disk {
        size,
        pieces,
        blobs,
        blob_names,
    })
}

/// A disk with nothing on it but a program for the firmware to start.
pub fn with_program(program: Vec<u8>, seed: &str) -> Disk {
    let efi = efi(program.len(), seed);
    let size = efi.at + efi.len + TAIL;
    let mut pieces = gpt::lay_out(size, guid(seed, "disk"), &[efi]);
    pieces.extend(shifted(esp::lay_out(program, number(seed)), ESP_AT));
    pieces.sort_unstable_by_key(|piece| piece.at);
    Disk {
        size,
        pieces,
        blobs: Blobs::default(),
        blob_names: Vec::new(),
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

fn guid(seed: &str, what: &str) -> gpt::Guid {
    gpt::derived_guid(&format!("{seed} {what}"))
}

/// The root partition: its size in bytes and its pieces.
fn root(
    spec: &Spec,
    spec_file: &Path,
    merged: &Merged,
    files: &[LayerFiles],
    seed: &str,
    root_at: u64,
    progress: &dyn Progress,
) -> Result<(u64, Vec<Piece>)> {
    let attempt = |size| {
        let options = ufs::Options {
            size,
            label: &spec.label,
            time: merged.time,
            id: number(seed),
            max_group: None,
        };
        ufs::lay_out(&merged.tree, files, &options)
    };
    let report = |report: &ufs::Report| {
        let free = report.totals.free_blocks * ufs::geometry::BLOCK + report.totals.free_frags * ufs::geometry::FRAG;
        let groups = report.geometry.groups;
        progress.note(&format!(
            "root: {} files, {} MiB free, {groups} groups",
            report.inodes,
            free >> 20
        ));
    };
    let Some(asked) = spec.disk.size else {
        let free = spec.disk.free.map_or(DEFAULT_FREE, |free| free.0);
        let (size, (pieces, summary)) = fitting(merged, free, attempt);
        report(&summary);
        return Ok((size, pieces));
    };
    let fixed = root_at + TAIL;
    let size = asked.0.saturating_sub(fixed) / ALIGN * ALIGN;
    match attempt(size) {
        Ok((pieces, summary)) => {
            report(&summary);
            Ok((size, pieces))
        }
        Err(Full) => Err(Error::DiskTooSmall {
            file: spec_file.to_path_buf(),
            needed: fitting(merged, 0, attempt).0 + fixed,
            allowed: asked.0,
        }),
    }
}

/// The smallest size, in steps, that everything fits in with `free` bytes to spare.
fn fitting(
    merged: &Merged,
    free: u64,
    attempt: impl Fn(u64) -> std::result::Result<(Vec<Piece>, ufs::Report), Full>,
) -> (u64, (Vec<Piece>, ufs::Report)) {
    let data = ufs::least_size(&merged.tree) + free;
    // Inodes take a thirty-second of the space, group headers and indirect blocks a little.
    let mut size = (data + data / 32 + data / 256).max(LEAST_ROOT).next_multiple_of(ALIGN);
    loop {
        match attempt(size) {
            Ok(found) => return (size, found),
            Err(Full) => size += STEP,
        }
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
