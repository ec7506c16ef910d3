//! The second stage: layers, prune list and additions become one tree.

use std::fs::File;
use std::path::Path;

use super::additions::{Addition, AdditionBody};
use super::glob;
use super::layers::Set;
use super::owners::{Owners, without_empty_passwords};
use crate::error::{Error, Result};
use crate::layer::{Entry, EntryBody, Layer, Writer};
use crate::progress::Progress;
use crate::spec::Spec;
use crate::tree::{Body, Node, Tree};
use crate::ufs::inode::Attributes;

/// What the firmware starts.
const LOADER: &[u8] = b"boot/loader.efi";
/// Accounts with their passwords.
const ACCOUNTS: &[u8] = b"etc/master.passwd";
/// Databases made from it; the appliance makes them again when it boots.
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

/// Merges everything; contents of additions go into a layer in `scratch`.
///
/// # Errors
/// Inputs contradict each other, or there is no boot loader.
pub fn merge(
    spec: &Spec,
    sets: &[Set],
    additions: &[Addition],
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Merged> {
    let mut tree = Tree::new();
    let owners = owners(sets)?;
    for (index, set) in sets.iter().enumerate() {
        let origin = tree.origin(&set.name);
        for entry in &set.layer.index.entries {
            insert_entry(&mut tree, entry, index, origin, &owners)?;
        }
    }
    let entries = sets.iter().flat_map(|set| &set.layer.index.entries);
    let time = entries.map(|entry| entry.attributes.mtime).max().unwrap_or(0);
    tree.date_root(time);
    let patterns: Vec<&[u8]> = spec
        .prune
        .iter()
        .map(|pattern| pattern.trim_matches('/').as_bytes())
        .collect();
    let pruned = tree.prune(|path| patterns.iter().any(|pattern| glob::matches(pattern, path)));
    if pruned > 0 {
        progress.note(&format!("pruned {pruned} paths"));
    }
    let mut top = Top {
        writer: Writer::new(scratch)?,
        layer: sets.len(),
        origin: tree.origin("ngforge, from the sets"),
        time,
    };
    close_accounts(&mut tree, sets, &mut top)?;
    for addition in additions {
        top.add(&mut tree, addition)?;
    }
    tree.check_links()?;
    Ok(Merged {
        loader: loader(&tree, sets)?,
        top: top.writer.finish()?,
        tree,
        time,
    })
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

fn owners(sets: &[Set]) -> Result<Owners> {
    Ok(Owners::new(&text_of(sets, ACCOUNTS)?, &text_of(sets, b"etc/group")?))
}

/// Sees to it that no account opens without a key: FreeBSD's sets come with an empty password for root.
fn close_accounts(tree: &mut Tree, sets: &[Set], top: &mut Top) -> Result<()> {
    let Some(node) = tree.get(ACCOUNTS) else {
        return Ok(());
    };
    let attributes = node.attributes;
    let text = without_empty_passwords(&text_of(sets, ACCOUNTS)?);
    let body = top.store(&mut text.as_bytes(), text.len() as u64, Path::new("etc/master.passwd"))?;
    let origin = top.origin;
    tree.insert(
        ACCOUNTS,
        Node {
            attributes,
            body,
            origin,
        },
    )?;
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
