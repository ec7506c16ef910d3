//! The second stage: layers, prune list and additions become one tree.

use std::fs::File;
use std::path::Path;

use super::additions::{Addition, AdditionBody};
use super::layers::Set;
use super::needs::{self, World};
use super::owners::{Owners, without_empty_passwords};
use super::{Request, facts};
use crate::error::{Error, Result};
use crate::layer::{Entry, EntryBody, Layer, Writer};
use crate::packages::{Aftermath, Texts};
use crate::profile::Rules;
use crate::progress::Progress;
use crate::provenance::Pruned;
use crate::tree::{Body, Node, Tree, display};
use crate::ufs::inode::Attributes;

/// What the firmware starts.
const LOADER: &[u8] = b"boot/loader.efi";
/// What a BIOS starts, from the MBR and from a partition.
const BIOS: [&[u8]; 2] = [b"boot/pmbr", b"boot/gptboot"];
/// Most bytes that the code in the MBR loads: what lies between it and the video memory.
const BOOT_MAX: u64 = 545 << 10;
/// Accounts with their passwords.
const ACCOUNTS: &[u8] = b"etc/master.passwd";
/// Groups.
const GROUPS: &[u8] = b"etc/group";
/// Databases made from accounts; the appliance makes them again when it boots.
const ACCOUNT_DATABASES: [&[u8]; 2] = [b"etc/pwd.db", b"etc/spwd.db"];

/// A finished tree.
#[derive(Debug)]
pub struct Merged {
    /// The tree; layers are those of the sets, then `top`.
    pub tree: Tree,
    /// The layer of additions.
    pub top: Layer,
    /// The boot loader's bytes.
    pub loader: Vec<u8>,
    /// What a BIOS starts.
    pub bios: Bios,
    /// What profile and appliance file leave out.
    pub left_out: Vec<Pruned>,
    /// When the newest file of the sets was changed: the image's own time, in seconds since 1970.
    pub time: i64,
}

impl Merged {
    /// Gives the image a time; no file in it is newer.
    pub fn date(&mut self, time: i64) {
        self.time = time;
        self.tree.limit_times(time);
    }
}

/// Programs for a BIOS; both are empty if the sets lack one of them.
#[derive(Debug, Default)]
pub struct Bios {
    /// Code for the MBR.
    pub mbr: Vec<u8>,
    /// What it loads from its partition.
    pub boot: Vec<u8>,
}

/// What is merged.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Distribution sets, then packages.
    pub sets: &'a [Set],
    /// How many of them are distribution sets, of which later ones win; two packages may not have the same file.
    pub loose: usize,
    /// What follows from the packages' manifests.
    pub aftermath: &'a Aftermath,
    /// What goes on top.
    pub additions: &'a [Addition],
}

/// Merges everything; contents of additions go into a layer in `scratch`.
///
/// # Errors
/// Inputs contradict each other, or there is no boot loader.
pub fn merge(request: &Request, parts: Parts<'_>, scratch: &Path, progress: &dyn Progress) -> Result<Merged> {
    let sets = parts.sets;
    let mut world = World::default();
    let accounts = accounts(sets, parts.aftermath, progress)?;
    insert_sets(&mut world, parts, &Owners::new(&accounts.passwd, &accounts.group))?;
    samples(&mut world.tree, &parts.aftermath.samples)?;
    let entries = sets.iter().flat_map(|set| &set.layer.index.entries);
    let time = entries.map(|entry| entry.attributes.mtime).max().unwrap_or(0);
    world.tree.date_root(time);
    let rules = needs::rules(request)?;
    select(&mut world, &rules, progress);
    let tree = &mut world.tree;
    let mut top = Top {
        writer: Writer::new(scratch)?,
        layer: sets.len(),
        origin: tree.origin("ngforge, from the sets"),
        time,
    };
    close_accounts(tree, &accounts, parts.aftermath, &mut top)?;
    for addition in parts.aftermath.additions.iter().chain(parts.additions) {
        top.add(tree, addition)?;
    }
    let loader = loader(tree, sets)?;
    let bios = bios(tree, sets)?;
    let top_layer = top.layer;
    let top = top.writer.finish()?;
    facts::of_additions(&mut world, top_layer, &top);
    needs::settle(&mut world, request, &rules, sets, progress)?;
    world.tree.check_links()?;
    Ok(Merged {
        loader,
        bios,
        top,
        left_out: left_out(&world, &rules),
        tree: world.tree,
        time,
    })
}

/// Puts everything that sets and packages have into the tree, with what is known of its needs.
fn insert_sets(world: &mut World, parts: Parts<'_>, owners: &Owners) -> Result<()> {
    for (index, set) in parts.sets.iter().enumerate() {
        let origin = world.tree.origin(&set.name);
        let known = facts::of_layer(&set.layer)?;
        for (number, entry) in set.layer.index.entries.iter().enumerate() {
            if index >= parts.loose {
                check_packaged(&world.tree, entry, &set.name, owners)?;
            }
            insert_entry(&mut world.tree, entry, index, origin, owners)?;
            if let (Some(facts), Some(id)) = (known.get(&number), world.tree.id(&entry.path)) {
                world.facts.insert(id, facts.clone());
            }
        }
    }
    Ok(())
}

/// Takes out what profile and appliance file leave out, and tells which patterns match nothing.
fn select(world: &mut World, rules: &Rules, progress: &dyn Progress) {
    world.gone = rules.apply(&mut world.tree).gone;
    let left = world.tree.iter().map(|(path, _)| path);
    let known: Vec<&[u8]> = left.chain(world.gone.keys().map(Vec::as_slice)).collect();
    for line in rules.idle(&known) {
        progress.note(&line);
    }
}

/// What was taken out, and by which pattern.
fn left_out(world: &World, rules: &Rules) -> Vec<Pruned> {
    let gone = world.gone.iter().map(|(path, (id, rule))| {
        let rule = rules.get(*rule);
        Pruned {
            path: display(path),
            origin: world.tree.origin_name(world.tree.node(*id).origin).into(),
            pattern: Some(format!("{} ({})", rule.pattern, rule.place)),
        }
    });
    gone.collect()
}

fn insert_entry(tree: &mut Tree, entry: &Entry, layer: usize, origin: usize, owners: &Owners) -> Result<()> {
    let stored = &entry.attributes;
    let body = match &entry.body {
        EntryBody::HardLink(target) => return tree.link(&entry.path, target),
        EntryBody::Directory => Body::Directory,
        EntryBody::Symlink(target) => Body::Symlink(target.clone()),
        EntryBody::File(data) => Body::File {
            layer,
            data: data.clone(),
        },
    };
    let uid = owners.user(stored.uname.as_deref(), stored.uid);
    let gid = owners.group(stored.gname.as_deref(), stored.gid);
    let attributes = stored.owned_by(uid, gid);
    tree.insert(
        &entry.path,
        Node {
            attributes,
            body,
            origin,
        },
    )
}

/// The text of a small file of the sets; empty if none has it.
fn text_of(sets: &[Set], path: &[u8]) -> Result<String> {
    for set in sets.iter().rev() {
        let entry = set.layer.index.entries.iter().find(|entry| entry.path == path);
        if let Some(Entry {
            body: EntryBody::File(data),
            ..
        }) = entry
        {
            return Ok(String::from_utf8_lossy(&set.layer.read(data)?).into_owned());
        }
    }
    Ok(String::new())
}

/// The accounts of the sets, and those that packages ask for.
fn accounts(sets: &[Set], aftermath: &Aftermath, progress: &dyn Progress) -> Result<Texts> {
    let texts = aftermath
        .accounts
        .apply(&text_of(sets, ACCOUNTS)?, &text_of(sets, GROUPS)?);
    for note in &texts.notes {
        progress.note(note);
    }
    Ok(texts)
}

/// Refuses a file of a package that is there already, and one that belongs to nobody.
fn check_packaged(tree: &Tree, entry: &Entry, package: &str, owners: &Owners) -> Result<()> {
    let refuse = |cause: String, hint: &str| {
        Err(Error::Tree {
            path: crate::tree::display(&entry.path),
            cause,
            hint: hint.into(),
        })
    };
    if entry.body != EntryBody::Directory
        && let Some(there) = tree.get(&entry.path)
    {
        let other = tree.origin_name(there.origin);
        return refuse(
            format!("is in both {other} and {package}"),
            "the two cannot be installed together; leave one of them out",
        );
    }
    let stored = &entry.attributes;
    let unknown_user = stored
        .uname
        .as_deref()
        .filter(|name| *name != "root" && !owners.knows_user(name));
    let unknown_group = stored
        .gname
        .as_deref()
        .filter(|name| *name != "wheel" && !owners.knows_group(name));
    match unknown_user
        .map(|name| ("user", name))
        .or(unknown_group.map(|name| ("group", name)))
    {
        None => Ok(()),
        Some((what, name)) => refuse(
            format!("belongs in {package} to the {what} {name}, which neither the base nor a package brings"),
            "the package should name it among its `users` or `groups`; report that to its maintainer",
        ),
    }
}

/// Makes configuration files of samples, where there is none.
fn samples(tree: &mut Tree, samples: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
    for (sample, target) in samples {
        if tree.get(target).is_none()
            && let Some(node) = tree.get(sample).cloned()
        {
            tree.insert(target, node)?;
        }
    }
    Ok(())
}

/// Sees to it that no account opens without a key: FreeBSD's sets come with an empty password for root.
fn close_accounts(tree: &mut Tree, accounts: &Texts, aftermath: &Aftermath, top: &mut Top) -> Result<()> {
    if !aftermath.accounts.is_empty() {
        top.rewrite(tree, GROUPS, &accounts.group)?;
    }
    if tree.get(ACCOUNTS).is_none() {
        return Ok(());
    }
    top.rewrite(tree, ACCOUNTS, &without_empty_passwords(&accounts.passwd))?;
    tree.prune(|path| ACCOUNT_DATABASES.contains(&path));
    Ok(())
}

fn loader(tree: &Tree, sets: &[Set]) -> Result<Vec<u8>> {
    let missing = |cause: &str| Error::Tree {
        path: crate::tree::display(LOADER),
        cause: cause.into(),
        hint: "the base set brings the boot loader; is `base` among `sets`, and is it not pruned?".into(),
    };
    match tree.get(LOADER).map(|node| &node.body) {
        Some(Body::File { layer, data }) if *layer < sets.len() => match data.size {
            0 => Err(missing("is empty")),
            1..=crate::esp::PROGRAM_MAX => sets[*layer].layer.read(data),
            _ => Err(missing("is too large for the EFI partition")),
        },
        _ => Err(missing("is not in any set, so nothing could start the appliance")),
    }
}

fn bios(tree: &Tree, sets: &[Set]) -> Result<Bios> {
    let mut found = Vec::new();
    for path in BIOS {
        match tree.get(path).map(|node| &node.body) {
            Some(Body::File { layer, data }) if *layer < sets.len() && (1..=BOOT_MAX).contains(&data.size) => {
                found.push(sets[*layer].layer.read(data)?);
            }
            _ => return Ok(Bios::default()),
        }
    }
    let boot = found.pop().unwrap_or_default();
    let mbr = found.pop().unwrap_or_default();
    Ok(Bios { mbr, boot })
}

/// The layer of additions under construction.
struct Top {
    writer: Writer,
    layer: usize,
    origin: usize,
    time: i64,
}

impl Top {
    fn add(&mut self, tree: &mut Tree, addition: &Addition) -> Result<()> {
        let path = &addition.path;
        if addition.keep_stock {
            let stock = [path, &b".stock"[..]].concat();
            tree.rename(path, &stock)?;
        }
        let body = match &addition.body {
            AdditionBody::Directory { named: false } if is_directory(tree, path) => return Ok(()),
            AdditionBody::Directory { .. } => Body::Directory,
            AdditionBody::Symlink(target) => Body::Symlink(target.clone()),
            AdditionBody::Bytes(bytes) => self.store(&mut &bytes[..], bytes.len() as u64, Path::new("generated"))?,
            AdditionBody::File(source) => {
                let mut file = File::open(source).map_err(Error::io("open the file", source))?;
                let size = file.metadata().map_err(Error::io("read the file", source))?.len();
                self.store(&mut file, size, source)?
            }
        };
        let attributes = Attributes {
            mtime: self.time,
            ..addition.attributes
        };
        let origin = tree.origin(&addition.origin);
        tree.insert(
            path,
            Node {
                attributes,
                body,
                origin,
            },
        )
    }

    /// Gives the file at `path`, if there is one, these contents.
    fn rewrite(&mut self, tree: &mut Tree, path: &[u8], text: &str) -> Result<()> {
        let Some(attributes) = tree.get(path).map(|node| node.attributes) else {
            return Ok(());
        };
        let name = String::from_utf8_lossy(path).into_owned();
        let body = self.store(&mut text.as_bytes(), text.len() as u64, Path::new(&name))?;
        let origin = self.origin;
        tree.insert(
            path,
            Node {
                attributes,
                body,
                origin,
            },
        )
    }

    fn store(&mut self, contents: &mut dyn std::io::Read, size: u64, source: &Path) -> Result<Body> {
        match self.writer.store(contents, size) {
            Ok(data) => Ok(Body::File {
                layer: self.layer,
                data,
            }),
            Err(error) => Err(Error::io("read the file", source)(self.writer.blame(error)?)),
        }
    }
}

fn is_directory(tree: &Tree, path: &[u8]) -> bool {
    tree.get(path).is_some_and(|node| node.body == Body::Directory)
}
