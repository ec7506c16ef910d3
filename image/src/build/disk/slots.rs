//! A disk with two root slots: the second one is empty until an update fills it.
//!
//! Neither slot's contents say which slot it is: what an update writes fits both. The order of partitions is fixed, since
//! the loader knows them by number.

use super::{
    ALIGN, Ingredients, LEAST_ROOT, Layers, STEP, TAIL, Volume, end_of, firmware, guid, note, number, shifted,
};
use crate::build::boot::{self, STATE_SIZE};
use crate::error::{Error, Result};
use crate::esp;
use crate::gpt::{self, Partition};
use crate::output::Disk;
use crate::piece::Piece;
use crate::tree::Tree;
use crate::ufs::space::Full;

/// Room in the boot partition beyond what it holds.
const BOOT_FREE: u64 = 2 << 20;
/// A slot has a multiple of so many bytes, so that it seldom has another size after a change of the contents.
const SLOT_STEP: u64 = 64 << 20;
/// Stands at the start of a data partition that has never been used; the appliance makes its file system.
const NEW_DATA: &[u8] = b"ngforge-data new\n";

/// One partition's place and contents.
struct Part {
    label: String,
    at: u64,
    len: u64,
    pieces: Vec<Piece>,
}

/// The partitions behind those for the firmware, one after the other.
struct Row<'a> {
    ingredients: &'a Ingredients<'a>,
    end: u64,
    parts: Vec<Part>,
}

impl Row<'_> {
    fn push(&mut self, name: &str, len: u64, pieces: Vec<Piece>) {
        self.parts.push(Part {
            label: format!("{}-{name}", self.ingredients.spec.label),
            at: self.end,
            len,
            pieces: shifted(pieces, self.end),
        });
        self.end += len.next_multiple_of(ALIGN);
    }

    /// A file system of a fixed size for a tree.
    fn volume(&self, tree: &Tree, layers: &Layers, what: &str, size: u64) -> Result<Vec<Piece>> {
        let volume = self.describe(tree, layers, what);
        match volume.lay_out(size) {
            Ok((pieces, report)) => {
                note(self.ingredients.progress, what, &report);
                Ok(pieces)
            }
            Err(Full) => Err(Error::Tree {
                path: what.into(),
                cause: format!("does not fit in {size} bytes; it needs {}", volume.fitting(0).0),
                hint: format!("raise `disk: {what}` in the appliance file, or prune more"),
            }),
        }
    }

    /// Labels of file systems would be the same in both slots, so none has one.
    fn describe<'b>(&self, tree: &'b Tree, layers: &'b Layers, what: &str) -> Volume<'b> {
        Volume {
            tree,
            layers: &layers.files,
            label: "",
            time: self.ingredients.merged.time,
            id: number(&format!("{} {what}", self.ingredients.seed)),
        }
    }
}

/// Decides where everything goes.
///
/// # Errors
/// A slot or the disk is too small for what it holds; the loader's scripts are not in the sets.
pub fn lay_out(ingredients: &Ingredients<'_>) -> Result<Disk> {
    let Ingredients {
        spec,
        merged,
        sets,
        seed,
        ..
    } = *ingredients;
    let loader = boot::gather(&merged.tree, sets.len() + 1, merged.time, ingredients.scratch)?;
    let layers = Layers::open(ingredients, Some(&loader.layer))?;
    let (efi, bios, code) = firmware(ingredients)?;
    let mut row = Row {
        ingredients,
        end: end_of(&[&efi, &bios]),
        parts: Vec::new(),
    };
    let (size, (pieces, _)) = row.describe(&loader.boot, &layers, "boot").fitting(BOOT_FREE);
    row.push("boot", size, pieces);
    row.push(
        "state",
        STATE_SIZE,
        row.volume(&loader.state, &layers, "state", STATE_SIZE)?,
    );
    let slot = slot_size(&row, &layers);
    let a = row.end..row.end + slot;
    row.push("a", slot, row.volume(&merged.tree, &layers, "slot", slot)?);
    row.push("b", slot, Vec::new());
    let cfg = spec.disk.cfg().next_multiple_of(ALIGN);
    let mut empty = Tree::new();
    empty.date_root(merged.time);
    row.push("cfg", cfg, row.volume(&empty, &layers, "cfg", cfg)?);
    let data = data_size(ingredients, row.end)?;
    row.push("data", data, vec![Piece::bytes(0, NEW_DATA.to_vec())]);

    let size = row.end + TAIL;
    let parts = row.parts;
    let mut partitions = vec![efi, bios.clone()];
    partitions.extend(parts.iter().map(|part| Partition {
        kind: gpt::TYPE_UFS,
        id: guid(seed, &part.label),
        at: part.at,
        len: part.len,
        label: &part.label,
    }));
    let mut pieces = gpt::lay_out(size, guid(seed, "disk"), &partitions, &code);
    pieces.extend(shifted(
        esp::lay_out(merged.loader.clone(), number(seed)),
        super::ESP_AT,
    ));
    pieces.extend(Piece::filled(bios.at, &merged.bios.boot));
    pieces.extend(parts.iter().flat_map(|part| part.pieces.clone()));
    Ok(layers.disk(size, pieces, Some(a)))
}

/// Bytes in a slot: what was asked for, or room for half as much again as there is now, and at least for `free`.
fn slot_size(row: &Row<'_>, layers: &Layers) -> u64 {
    let Ingredients { spec, merged, .. } = *row.ingredients;
    if let Some(asked) = spec.disk.slot {
        return asked.0.next_multiple_of(ALIGN);
    }
    let used = crate::ufs::least_size(&merged.tree);
    let free = spec.disk.free().max(used / 2);
    let (size, _) = row.describe(&merged.tree, layers, "slot").fitting(free);
    size.next_multiple_of(SLOT_STEP)
}

/// Bytes in the data partition, which begins at `at`: what is left of the disk, if its size was asked for.
fn data_size(ingredients: &Ingredients<'_>, at: u64) -> Result<u64> {
    let disk = &ingredients.spec.disk;
    let least = disk.data().next_multiple_of(ALIGN);
    let Some(asked) = disk.size else {
        return Ok(least);
    };
    let left = (asked.0 / ALIGN * ALIGN).saturating_sub(at + TAIL);
    let enough = if disk.data.is_some() { least } else { LEAST_ROOT };
    if left >= enough {
        return Ok(left);
    }
    Err(Error::DiskTooSmall {
        file: ingredients.spec_file.to_path_buf(),
        needed: at + enough + TAIL,
        allowed: asked.0,
    })
}

const _: () = assert!(SLOT_STEP.is_multiple_of(STEP));
