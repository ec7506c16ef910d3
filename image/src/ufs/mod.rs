//! A writer of UFS2, FreeBSD's file system, that needs no mount and no root.
//!
//! Facts are from FreeBSD's sys/ufs/ffs/fs.h, sys/ufs/ufs/dinode.h and dir.h; choices follow newfs(8), so that
//! fsck_ffs(8) finds nothing to correct: 32 KiB blocks, 4 KiB fragments, soft updates, check hashes over superblock,
//! group headers and inodes. The same tree gives the same bytes.
//!
//! [`lay_out`] decides where everything goes and returns the volume as [`Piece`]s; contents stay where they are until
//! the disk is written.

pub mod directory;
pub mod fields;
pub mod geometry;
pub mod group;
pub mod inode;
mod place;
pub mod pointers;
pub mod space;
pub mod superblock;

use std::collections::HashMap;

use crate::piece::{Blobs, Piece};
use crate::tree::{self, Body, NodeId, Tree};
use geometry::*;
use group::Group;
use inode::{Contents, Inode, Kind, SHORT_LINK};
use place::Placer;
use space::{Full, Space};
use superblock::{Identity, Totals};

/// What the volume is called and how big it is.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// Bytes; rounded down to whole blocks.
    pub size: u64,
    /// Volume label, at most [`superblock::LABEL_MAX`] bytes.
    pub label: &'a str,
    /// Seconds since 1970 that the file system says it was last written.
    pub time: i64,
    /// File system id; any number, the same for the same inputs.
    pub id: u32,
    /// Bound for the fragments in a cylinder group; `None` makes groups as large as newfs(8) does.
    pub max_group: Option<u32>,
}

/// The two files of a layer, as indices into [`Blobs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerFiles {
    /// The file of whole blocks.
    pub blocks: usize,
    /// The file of blocks of fragments.
    pub frags: usize,
}

/// What a volume came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Its geometry.
    pub geometry: Geometry,
    /// What is left.
    pub totals: Totals,
    /// Inodes in use.
    pub inodes: u32,
}

/// Where every byte of a volume with this tree goes, as pieces sorted by address from the volume's start.
///
/// # Errors
/// [`Full`] if the tree does not fit.
pub fn lay_out(tree: &Tree, layers: &[LayerFiles], options: &Options<'_>) -> Result<(Vec<Piece>, Report), Full> {
    let numbers = Numbers::new(tree);
    let geometry = geometry_for(options, numbers.order.len() as u64)?;
    let mut placer = Placer::new(Space::new(geometry), layers);
    placer.place_layers(tree, &numbers.order)?;
    let inodes = inode_tables(tree, &numbers, &mut placer)?;
    let (space, mut pieces) = placer.finish();
    pieces.extend(inodes);
    let (metadata, totals) = metadata(&space, &numbers, options);
    pieces.extend(metadata);
    pieces.sort_unstable_by_key(|piece| piece.at);
    let report = Report {
        geometry,
        totals,
        inodes: numbers.order.len() as u32,
    };
    Ok((pieces, report))
}

/// An estimate, from below, of the bytes a volume with this tree takes.
pub fn least_size(tree: &Tree) -> u64 {
    let numbers = Numbers::new(tree);
    let data: u64 = numbers.order.iter().map(|id| place::data_frags(tree.node(*id))).sum();
    (data * FRAG + numbers.order.len() as u64 * INODE).next_multiple_of(BLOCK)
}

/// newfs's density, or a higher one if there are very many small files.
fn geometry_for(options: &Options<'_>, inodes: u64) -> Result<Geometry, Full> {
    let cut = |density| Geometry::new(options.size, density, options.max_group);
    let candidates = [2, 1].into_iter().filter_map(cut);
    let mut fitting = candidates.filter(|geometry| inodes + inodes / 8 <= geometry.usable_inodes());
    fitting.next().ok_or(Full)
}

/// Inode numbers, link counts and what lies in each directory.
struct Numbers<'a> {
    /// Nodes in the order of their inode numbers, the root first.
    order: Vec<NodeId>,
    /// Inode number by node; 0 for nodes without a name.
    inode: Vec<u32>,
    links: Vec<u32>,
    depth: Vec<u32>,
    children: HashMap<NodeId, Vec<(&'a [u8], NodeId)>>,
}

impl<'a> Numbers<'a> {
    fn new(tree: &'a Tree) -> Self {
        let count = tree.node_count();
        let mut numbers = Self {
            order: Vec::with_capacity(count),
            inode: vec![0; count],
            links: vec![0; count],
            depth: vec![0; count],
            children: HashMap::new(),
        };
        let mut directories: HashMap<&[u8], NodeId> = HashMap::new();
        for (path, id) in tree.iter() {
            if numbers.inode[id] == 0 {
                numbers.inode[id] = ROOT + numbers.order.len() as u32;
                numbers.order.push(id);
            }
            numbers.links[id] += 1;
            let is_directory = tree.node(id).body == Body::Directory;
            if is_directory {
                numbers.links[id] += 1;
                directories.insert(path, id);
            }
            if !path.is_empty() {
                let parent = directories[tree::parent(path)];
                numbers.add_child(parent, tree::file_name(path), id, is_directory);
            }
        }
        numbers
    }

    fn add_child(&mut self, parent: NodeId, name: &'a [u8], id: NodeId, is_directory: bool) {
        if is_directory {
            self.links[parent] += 1;
            self.depth[id] = self.depth[parent] + 1;
        }
        self.children.entry(parent).or_default().push((name, id));
    }

    /// The bytes of a directory.
    fn directory(&self, tree: &Tree, id: NodeId, parent: NodeId) -> Vec<u8> {
        let entry = |name, id: NodeId| directory::Entry {
            inode: self.inode[id],
            kind: kind(&tree.node(id).body),
            name,
        };
        let dots = [entry(&b"."[..], id), entry(&b".."[..], parent)];
        let children = self.children.get(&id).into_iter().flatten();
        let entries: Vec<_> = dots
            .into_iter()
            .chain(children.map(|(name, id)| entry(name, *id)))
            .collect();
        directory::encode(&entries)
    }

    /// Every directory's parent.
    fn parents(&self) -> HashMap<NodeId, NodeId> {
        let pairs = self.children.iter();
        pairs
            .flat_map(|(parent, children)| children.iter().map(|(_, child)| (*child, *parent)))
            .collect()
    }
}

fn kind(body: &Body) -> Kind {
    match body {
        Body::Directory => Kind::Directory,
        Body::File { .. } => Kind::File,
        Body::Symlink(_) => Kind::Symlink,
    }
}

/// Encodes all inodes, placing directories, long links and indirect blocks on the way; one piece per group.
fn inode_tables(tree: &Tree, numbers: &Numbers<'_>, placer: &mut Placer<'_>) -> Result<Vec<Piece>, Full> {
    let geometry = *placer.geometry();
    let parents = numbers.parents();
    let mut tables: Vec<Piece> = Vec::new();
    for id in &numbers.order {
        let number = numbers.inode[*id];
        let bytes = encode_inode(tree, numbers, &parents, *id, placer)?;
        if tables.is_empty() || number % geometry.inodes == 0 {
            tables.push(Piece::bytes(geometry.inode_at(number), Vec::new()));
        }
        if let Some(crate::piece::Piece {
            len,
            source: crate::piece::Source::Bytes(table),
            ..
        }) = tables.last_mut()
        {
            table.extend_from_slice(&bytes);
            *len += INODE;
        }
    }
    Ok(tables)
}

fn encode_inode(
    tree: &Tree,
    numbers: &Numbers<'_>,
    parents: &HashMap<NodeId, NodeId>,
    id: NodeId,
    placer: &mut Placer<'_>,
) -> Result<Vec<u8>, Full> {
    let node = tree.node(id);
    let (size, placed) = match &node.body {
        Body::File { layer, data } => (data.size, Some(placer.file(*layer, data)?)),
        Body::Directory => {
            let parent = parents.get(&id).copied().unwrap_or(id);
            let bytes = numbers.directory(tree, id, parent);
            (bytes.len() as u64, Some(placer.bytes(bytes)?))
        }
        Body::Symlink(target) if target.len() < SHORT_LINK => (target.len() as u64, None),
        Body::Symlink(target) => (target.len() as u64, Some(placer.bytes(target.clone())?)),
    };
    let contents = match (&placed, &node.body) {
        (Some(placed), _) => Contents::Blocks(placed.addresses),
        (None, Body::Symlink(target)) => Contents::Inline(target),
        (None, _) => Contents::Inline(&[]),
    };
    Ok(Inode {
        kind: kind(&node.body),
        attributes: node.attributes,
        links: numbers.links[id],
        size,
        sectors: placed.as_ref().map_or(0, |placed| placed.frags * (FRAG / 512)),
        contents,
        generation: inode::generation(numbers.inode[id]),
        depth: numbers.depth[id],
    }
    .encode())
}

/// Group headers, their summaries, the superblock and its copies.
fn metadata(space: &Space, numbers: &Numbers<'_>, options: &Options<'_>) -> (Vec<Piece>, Totals) {
    let geometry = space.geometry();
    let mut pieces = Vec::new();
    let mut totals = Totals::default();
    let mut summaries = Vec::new();
    for index in 0..geometry.groups {
        let group = describe_group(space, numbers, index, options.time);
        let (header, sum) = group.encode(geometry);
        pieces.push(Piece::bytes(
            (geometry.group_start(index) + u64::from(CBLKNO)) * FRAG,
            header,
        ));
        summaries.extend_from_slice(&sum.to_summary());
        totals.add(&sum);
    }
    summaries.resize(geometry.summary_frags() as usize * FRAG as usize, 0);
    pieces.push(Piece::bytes(u64::from(geometry.data_start()) * FRAG, summaries));
    pieces.push(Piece::bytes(SUPERBLOCK_AT - 512, superblock::recovery(geometry)));
    let identity = Identity {
        label: options.label,
        time: options.time,
        id: options.id,
    };
    let copies = (0..geometry.groups).map(|group| (geometry.group_start(group) + u64::from(SBLKNO)) * FRAG);
    for at in copies.chain([SUPERBLOCK_AT]) {
        pieces.push(Piece::bytes(at, superblock::encode(geometry, &totals, &identity, at)));
    }
    (pieces, totals)
}

fn describe_group<'a>(space: &'a Space, numbers: &Numbers<'_>, index: u32, time: i64) -> Group<'a> {
    let per_group = space.geometry().inodes;
    let first = index * per_group;
    let end = (ROOT + numbers.order.len() as u32).min(first + per_group);
    let ours = (first.max(ROOT)..end.max(first.max(ROOT))).map(|number| numbers.order[(number - ROOT) as usize]);
    Group {
        index,
        taken: space.group(index),
        used_inodes: end.saturating_sub(first),
        directories: ours
            .filter(|id| numbers.links[*id] > 0 && numbers.is_directory(*id))
            .count() as u32,
        time,
    }
}

impl Numbers<'_> {
    fn is_directory(&self, id: NodeId) -> bool {
        id == self.order[0] || self.depth[id] > 0
    }
}

/// Reads a whole laid-out volume into memory, for tests.
///
/// # Errors
/// A layer's file cannot be read.
pub fn to_bytes(pieces: &[Piece], blobs: &Blobs, size: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; size as usize];
    crate::piece::Reader::new(pieces, blobs).read(0, &mut bytes)?;
    Ok(bytes)
}
