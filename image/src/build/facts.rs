//! What the files of a layer tell about their needs. For a set this is found out once, and kept beside its layer.

use std::collections::BTreeMap;
use std::path::Path;

use object::read::ReadCache;

use super::needs::World;
use crate::data::FileData;
use crate::elf::{self, Facts};
use crate::error::{Error, Result};
use crate::layer::{EntryBody, Layer};
use crate::output;
use crate::tree::Body;

/// Name of the file beside a layer; another version of the form has another name.
const FILE: &str = "needs-1.json";

/// By the number of the entry in the layer's index.
pub type Known = BTreeMap<usize, Facts>;

/// The facts of a set's layer.
///
/// # Errors
/// They cannot be written beside it.
pub fn of_layer(layer: &Layer) -> Result<Known> {
    let path = layer.folder().join(FILE);
    if let Some(known) = kept(&path) {
        return Ok(known);
    }
    let entries = layer.index.entries.iter().enumerate();
    let found = entries.filter_map(|(number, entry)| match &entry.body {
        EntryBody::File(data) => Some((number, of_file(layer, data, entry.attributes.mode)?)),
        _ => None,
    });
    let known: Known = found.collect();
    let text = serde_json::to_vec(&known).map_err(|error| Error::io("write", &path)(error.into()))?;
    output::replace(&path, &text)?;
    Ok(known)
}

fn kept(path: &Path) -> Option<Known> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Adds the facts of what lies in the topmost layer.
pub fn of_additions(world: &mut World, number: usize, layer: &Layer) {
    for (_, id) in world.tree.iter() {
        let node = world.tree.node(id);
        let Body::File { layer: place, data } = &node.body else {
            continue;
        };
        if *place == number
            && let Some(facts) = of_file(layer, data, node.attributes.mode)
        {
            world.facts.insert(id, facts);
        }
    }
}

/// Only a script that can be executed needs its interpreter.
fn of_file(layer: &Layer, data: &FileData, mode: u16) -> Option<Facts> {
    let cache = ReadCache::new(layer.open_file(data));
    let facts = elf::facts(&cache)?;
    match facts {
        Facts::Script(_) if mode & 0o111 == 0 => None,
        facts => Some(facts),
    }
}
