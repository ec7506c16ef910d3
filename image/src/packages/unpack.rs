//! A package becomes a layer in the cache, under its checksum; what its manifest says is checked against its files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::Context;
use super::catalogue::Offer;
use super::compress;
use super::fetch;
use super::manifest::{self, FileEntry, Manifest};
use crate::archive;
use crate::build::layers::{Scratch, Set};
use crate::error::{Error, Result};
use crate::fflags;
use crate::hash::Hashing;
use crate::layer::{Entry, EntryBody, Layer, StoredAttributes, Writer};

/// Version of the layers' form; another one does not read these.
const VERSION: u32 = 1;
/// The manifest, beside the layer.
const MANIFEST: &str = "manifest.json";

/// A package that is ready to be put into the tree.
#[derive(Debug)]
pub struct Package {
    /// All that it says of itself.
    pub manifest: Manifest,
    /// The text of that, for the appliance.
    pub text: Vec<u8>,
    /// Its files.
    pub set: Set,
}

/// The package that `offer` promises.
///
/// # Errors
/// It cannot be had, is not what the catalogue says, or contradicts itself.
pub fn obtain(offer: &Offer, context: &Context<'_>) -> Result<Package> {
    let folder = context.cache.join("layers");
    fs::create_dir_all(&folder).map_err(Error::io("make the cache", &folder))?;
    let place = folder.join(format!("{}-pkg-v{VERSION}", offer.sha256));
    if !place.is_dir() {
        let file = context.package(&offer.location, &offer.sha256)?;
        make(&file, offer, &place, context)?;
    }
    let mut layer = Layer::open(&place)?;
    let path = place.join(MANIFEST);
    let text = fs::read(&path).map_err(Error::io("read the manifest", &path))?;
    let name = offer.manifest.full_name();
    let manifest = Manifest::parse(&text).map_err(|cause| bad(&name, cause))?;
    describe(&mut layer.index.entries, &manifest)?;
    Ok(Package {
        set: Set {
            name,
            sha256: offer.sha256.clone(),
            layer,
        },
        manifest,
        text,
    })
}

fn make(file: &Path, offer: &Offer, place: &Path, context: &Context<'_>) -> Result<()> {
    let scratch = context.scratch()?;
    let input = File::open(file).map_err(Error::io("open the package", file))?;
    let size = input.metadata().map_err(Error::io("read the package", file))?.len();
    let task = context
        .progress
        .begin(&format!("unpack {}", offer.manifest.full_name()), Some(size));
    let mut reader = Hashing::new(input);
    let mut writer = Writer::new(scratch.path())?;
    let contents = compress::open(&mut reader)
        .map_err(Error::io("read the package", file))
        .and_then(|tar| archive::read_package(file, tar, &mut writer));
    // A damaged package is first of all not the one of the catalogue.
    io::copy(&mut reader, &mut io::sink()).map_err(Error::io("read the package", file))?;
    task.advance(size);
    let (found, _) = reader.finish();
    if found != offer.sha256 {
        return Err(fetch::differs(file, &offer.sha256, &found));
    }
    let contents = contents?;
    let mut manifest = Manifest::parse(&contents.manifest).map_err(|cause| bad(&offer.manifest.full_name(), cause))?;
    let layer = writer.finish()?;
    compare(&manifest, &offer.manifest, &layer.index.entries, &contents.sums)?;
    manifest.sum.clear();
    let path = scratch.path().join(MANIFEST);
    fs::write(&path, &contents.manifest).map_err(Error::io("write the manifest", &path))?;
    keep(scratch, place)
}

fn keep(scratch: Scratch, place: &Path) -> Result<()> {
    match scratch.keep_as(place) {
        // Another build was faster.
        Err(_) if place.is_dir() => Ok(()),
        kept => kept,
    }
}

/// Checks that the manifest is that of the catalogue, and that it and the archive name the same files.
fn compare(manifest: &Manifest, offered: &Manifest, entries: &[Entry], sums: &BTreeMap<Vec<u8>, String>) -> Result<()> {
    let name = offered.full_name();
    if manifest.full_name() != name || manifest.deps.keys().ne(offered.deps.keys()) {
        let cause = format!(
            "is not the one of the catalogue: it calls itself {}",
            manifest.full_name()
        );
        return Err(bad(&name, cause));
    }
    let mut listed = BTreeMap::new();
    for (path, entry) in &manifest.files {
        listed.insert(below_root(&name, path)?, entry);
    }
    for entry in entries {
        let listed = listed.remove(&entry.path);
        check_file(entry, listed, sums).map_err(|cause| bad(&name, cause))?;
    }
    match listed.keys().next() {
        None => Ok(()),
        Some(path) => Err(bad(
            &name,
            format!("lists {}, which it does not hold", crate::tree::display(path)),
        )),
    }
}

fn check_file(
    entry: &Entry,
    listed: Option<&FileEntry>,
    sums: &BTreeMap<Vec<u8>, String>,
) -> std::result::Result<(), String> {
    let path = crate::tree::display(&entry.path);
    let listed = match (listed, &entry.body) {
        (_, EntryBody::Directory) => return Ok(()),
        (Some(listed), _) => listed,
        (None, _) => return Err(format!("holds {path}, which its manifest does not list")),
    };
    let source = match &entry.body {
        EntryBody::HardLink(target) => target,
        _ => &entry.path,
    };
    let expected = listed.sha256().map_err(|cause| format!("{path} {cause}"))?;
    match (&entry.body, sums.get(source), expected) {
        (EntryBody::Symlink(_), ..) => Ok(()),
        (_, Some(found), Some(expected)) if *found == expected => Ok(()),
        (_, _, None) => Err(format!("lists {path} without a checksum")),
        (_, found, Some(expected)) => Err(format!(
            "{path} has the SHA-256 {}, but the manifest says {expected}",
            found.map_or("(none)", String::as_str)
        )),
    }
}

/// The path that a manifest writes, relative to the root.
fn below_root(name: &str, written: &str) -> Result<Vec<u8>> {
    let path = manifest::decode(written);
    let clean = path
        .strip_prefix(b"/")
        .map(|path| path.strip_suffix(b"/").unwrap_or(path));
    let inside = |path: &[u8]| {
        path.split(|byte| *byte == b'/')
            .all(|part| !matches!(part, b"" | b"." | b".."))
    };
    match clean {
        Some(path) if inside(path) && !path.contains(&0) => Ok(path.to_vec()),
        _ => Err(bad(
            name,
            format!("lists `{}`, which is no path below the root", written.escape_debug()),
        )),
    }
}

/// Gives entries the owners, permissions and flags of the manifest, and adds directories that only it has.
fn describe(entries: &mut Vec<Entry>, manifest: &Manifest) -> Result<()> {
    let name = manifest.full_name();
    let mut said = BTreeMap::new();
    for (path, entry) in manifest.files.iter().chain(&manifest.directories) {
        said.insert(below_root(&name, path)?, entry);
    }
    for entry in entries.iter_mut() {
        if let Some(listed) = said.remove(&entry.path) {
            apply(&mut entry.attributes, listed).map_err(|cause| bad(&name, cause))?;
        }
    }
    let time = entries.iter().map(|entry| entry.attributes.mtime).max().unwrap_or(0);
    for path in manifest.directories.keys() {
        let path = below_root(&name, path)?;
        let Some(listed) = said.remove(&path) else { continue };
        let mut attributes = StoredAttributes {
            mode: 0o755,
            mtime: time,
            ..StoredAttributes::default()
        };
        apply(&mut attributes, listed).map_err(|cause| bad(&name, cause))?;
        let body = EntryBody::Directory;
        entries.push(Entry { path, attributes, body });
    }
    Ok(())
}

fn apply(attributes: &mut StoredAttributes, listed: &FileEntry) -> std::result::Result<(), String> {
    if let Some(perm) = &listed.perm {
        attributes.mode = match u16::from_str_radix(perm, 8) {
            Ok(mode) if mode <= 0o7777 => mode,
            _ => return Err(format!("has the permissions `{}`, which are none", perm.escape_debug())),
        };
    }
    if let Some(flags) = &listed.fflags {
        let number = flags.parse().map_err(|_| ());
        let unknown = |flag: &str| format!("has the unknown file flag `{}`", flag.escape_debug());
        attributes.flags = number.or_else(|()| fflags::parse(flags)).map_err(unknown)?;
    }
    attributes.uname = listed.uname.clone().or(attributes.uname.take());
    attributes.gname = listed.gname.clone().or(attributes.gname.take());
    Ok(())
}

fn bad(package: &str, cause: String) -> Error {
    Error::Package {
        package: package.into(),
        cause,
        hint: "take it from a repository you trust; pkg-create(8) makes no such package".into(),
    }
}
