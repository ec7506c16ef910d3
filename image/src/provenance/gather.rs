//! The list of files, out of a tree or out of what goes into an initramfs.

use std::collections::BTreeMap;

use super::{Account, Kind, Pruned, Record};
use crate::build::additions::{Addition, AdditionBody};
use crate::error::Result;
use crate::tree::{self, Body, Node, NodeId, Tree, display};
use crate::ufs::inode::Attributes;

/// Mode and origin of directories that nobody names.
const IMPLIED: (u16, &str) = (0o755, "ngforge");

/// Of a tree and of what patterns have left out of it.
pub fn of_tree(tree: &Tree, mut left_out: Vec<Pruned>) -> Account {
    let mut first: BTreeMap<NodeId, String> = BTreeMap::new();
    let files = tree.iter().map(|(path, id)| {
        let mut record = of_node(tree, path, tree.node(id));
        match first.get(&id) {
            Some(path) => record.same_as = Some(path.clone()),
            None => drop(first.insert(id, record.path.clone())),
        }
        record
    });
    let files = files.collect();
    let own = tree.pruned().map(|(path, origin)| Pruned {
        path: display(path),
        origin: origin.into(),
        pattern: None,
    });
    left_out.extend(own);
    left_out.retain(|pruned| tree.get(pruned.path.trim_start_matches('/').as_bytes()).is_none());
    Account::new(files, left_out)
}

fn of_node(tree: &Tree, path: &[u8], node: &Node) -> Record {
    let mut record = record(path, &node.attributes, tree.origin_name(node.origin));
    match &node.body {
        Body::Directory => {}
        Body::Symlink(target) => link_to(&mut record, target),
        Body::File { data, .. } => {
            record.kind = Kind::File;
            record.size = Some(data.size);
            record.sha256.clone_from(&data.sha256);
        }
    }
    record.replaced = tree.replaced(path).map(Into::into).collect();
    record.moved_from = tree.moved_from(path).map(display);
    record
}

/// A directory, until something else is known.
fn record(path: &[u8], attributes: &Attributes, origin: &str) -> Record {
    Record {
        path: display(path),
        kind: Kind::Directory,
        mode: format!("{:04o}", attributes.mode),
        uid: attributes.uid,
        gid: attributes.gid,
        flags: attributes.flags,
        size: None,
        sha256: None,
        target: None,
        same_as: None,
        origin: origin.into(),
        replaced: Vec::new(),
        moved_from: None,
    }
}

fn link_to(record: &mut Record, target: &[u8]) {
    record.kind = Kind::Link;
    record.target = Some(String::from_utf8_lossy(target).into_owned());
}

/// Of files for an initramfs; of two for the same path the later one wins.
///
/// # Errors
/// A file cannot be read.
pub fn of_additions(additions: &[Addition]) -> Result<Account> {
    let mut records: BTreeMap<&[u8], Record> = BTreeMap::new();
    for addition in additions {
        let unnamed = matches!(addition.body, AdditionBody::Directory { named: false });
        if unnamed && records.contains_key(&*addition.path) {
            continue;
        }
        let mut record = of_addition(addition)?;
        if let Some(old) = records.remove(&*addition.path) {
            record.replaced = old.replaced;
            record.replaced.push(old.origin);
        }
        records.insert(&addition.path, record);
    }
    for addition in additions {
        let mut above = tree::parent(&addition.path);
        while !above.is_empty() {
            records.entry(above).or_insert_with(|| implied(above));
            above = tree::parent(above);
        }
    }
    Ok(Account::new(records.into_values().collect(), Vec::new()))
}

fn implied(path: &[u8]) -> Record {
    let (mode, origin) = IMPLIED;
    let attributes = Attributes {
        mode,
        ..Attributes::default()
    };
    record(path, &attributes, origin)
}

fn of_addition(addition: &Addition) -> Result<Record> {
    let mut record = record(&addition.path, &addition.attributes, &addition.origin);
    match &addition.body {
        AdditionBody::Directory { .. } => {}
        AdditionBody::Symlink(target) => link_to(&mut record, target),
        AdditionBody::Bytes(_) | AdditionBody::File(_) => {
            record.kind = Kind::File;
            record.size = Some(addition.size()?);
            record.sha256 = Some(addition.sha256()?);
        }
    }
    Ok(record)
}
