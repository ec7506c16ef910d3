//! Whether two builds gave the same bytes, and if not, where they differ: which output, partition, file and property.

mod disk;
mod list;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::manifest::{self, Manifest, OutputFile};

/// Bytes compared at a time.
const CHUNK: usize = 1 << 20;
/// Name of the format whose bytes are the disk's own.
const RAW: &str = "raw";

/// What two builds have in common, and what not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Names of outputs that are the same, byte by byte.
    pub same: Vec<PathBuf>,
    /// What differs, one line each.
    pub differences: Vec<String>,
}

/// Compares two manifests and everything that they list.
///
/// # Errors
/// A manifest cannot be read, or an output cannot.
pub fn builds(first: &Path, second: &Path) -> Result<Comparison> {
    let (one, other) = (load(first)?, load(second)?);
    let mut found = Comparison::default();
    let name = PathBuf::from(first.file_name().unwrap_or_default());
    if bytes(first, second)?.is_none() {
        found.same.push(name);
    } else {
        found.differences.extend(manifests(&one, &other));
    }
    for output in outputs(&one)
        .chain(outputs(&other))
        .map(|file| &file.path)
        .collect::<BTreeSet<_>>()
    {
        compare_output(output, (first, &one), (second, &other), &mut found)?;
    }
    Ok(found)
}

fn load(path: &Path) -> Result<Manifest> {
    let text = std::fs::read(path).map_err(Error::io("read the manifest", path))?;
    serde_json::from_slice(&text).map_err(|error| Error::Input {
        file: path.to_path_buf(),
        cause: format!("is no manifest: {error}"),
        hint: "build the image again with `cargo xtask image`".into(),
    })
}

fn outputs(manifest: &Manifest) -> impl Iterator<Item = &OutputFile> {
    manifest.accounts.iter().chain(&manifest.files)
}

fn compare_output(
    output: &Path,
    (first, one): (&Path, &Manifest),
    (second, other): (&Path, &Manifest),
    found: &mut Comparison,
) -> Result<()> {
    let listed = |manifest| outputs(manifest).find(|file| file.path == output);
    let (Some(file), Some(_)) = (listed(one), listed(other)) else {
        let which = if listed(one).is_some() { "first" } else { "second" };
        found
            .differences
            .push(format!("{}: only the {which} build made it", output.display()));
        return Ok(());
    };
    let (first, second) = (first.with_file_name(output), second.with_file_name(output));
    let Some(difference) = bytes(&first, &second)? else {
        found.same.push(output.to_path_buf());
        return Ok(());
    };
    let place = match file.format.as_str() {
        RAW => disk::place(&first, difference.at)?,
        _ => format!("byte {}", difference.at),
    };
    let name = output.display();
    let Difference { count, sizes, .. } = difference;
    found.differences.push(format!(
        "{name}: {count} bytes differ, the first at {place} (sizes {} and {})",
        sizes.0, sizes.1
    ));
    if output.to_string_lossy().ends_with(manifest::FILES) {
        found.differences.extend(list::differences(&first, &second)?);
    }
    Ok(())
}

/// How two files differ.
struct Difference {
    /// The first byte that does.
    at: u64,
    /// How many bytes do; those that only one has are among them.
    count: u64,
    sizes: (u64, u64),
}

fn bytes(first: &Path, second: &Path) -> Result<Option<Difference>> {
    let open = |path: &Path| File::open(path).map_err(Error::io("open the output", path));
    let (mut one, mut other) = (open(first)?, open(second)?);
    let mut sizes = (0, 0);
    let (mut at, mut count) = (None, 0);
    loop {
        let a = chunk(&mut one).map_err(Error::io("read the output", first))?;
        let b = chunk(&mut other).map_err(Error::io("read the output", second))?;
        if a.is_empty() && b.is_empty() {
            return Ok(at.map(|at| Difference { at, count, sizes }));
        }
        if a != b {
            let common = a.len().min(b.len());
            let differing = (0..a.len().max(b.len())).filter(|place| *place >= common || a[*place] != b[*place]);
            for place in differing {
                at.get_or_insert(sizes.0.max(sizes.1) + place as u64);
                count += 1;
            }
        }
        sizes = (sizes.0 + a.len() as u64, sizes.1 + b.len() as u64);
    }
}

/// The next bytes, fewer than [`CHUNK`] only at the end.
fn chunk(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(CHUNK);
    file.take(CHUNK as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What differs in the accounts themselves: inputs by name, and everything else by key.
fn manifests(one: &Manifest, other: &Manifest) -> Vec<String> {
    let names: BTreeSet<&String> = one.inputs.keys().chain(other.inputs.keys()).collect();
    let differing = names
        .into_iter()
        .filter(|name| one.inputs.get(*name) != other.inputs.get(*name));
    let mut lines: Vec<String> = differing
        .map(|name| format!("input {name}: its bytes differ"))
        .collect();
    let value = |manifest: &Manifest| serde_json::to_value(manifest).unwrap_or_default();
    let (one, other) = (value(one), value(other));
    let keys = one.as_object().into_iter().flat_map(|keys| keys.keys());
    let others = keys.filter(|key| !["inputs", "files", "accounts"].contains(&key.as_str()));
    lines.extend(
        others
            .filter(|key| one[*key] != other[*key])
            .map(|key| format!("manifest: `{key}` is {} and {}", one[key], other[key])),
    );
    lines
}
