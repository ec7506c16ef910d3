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

use std::collections::{HashMap, HashSet};

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
/// Files of the last layer, which is the one that changes from build to build, get inodes and blocks in the last
/// cylinder group, where there is room, so that a small change is one at the end of the disk.
///
/// # Errors
/// [`Full`] if the tree does not fit.
pub fn lay_out(tree: &Tree, layers: &[LayerFiles], options: &Options<'_>) -> Result<(Vec<Piece>, Report), Full> {
    let mut numbers = Numbers::new(tree, layers.len().saturating_sub(1), options.id);
    let geometry = geometry_for(options, tree.node_count() as u64)?;
    numbers.assign(&geometry);
    let mut placer = Placer::new(Space::new(geometry), layers);
    let early_layers = layers.len() - usize::from(!numbers.late.is_empty());
    for layer in 0..early_layers {
        placer.place_layer(layer, tree, &numbers.early)?;
    }
    let mut tables = inode_tables(tree, &numbers, &numbers.early, &mut placer)?;
    placer.skip_to(geometry.group_start(geometry.groups - 1));
    for layer in early_layers..layers.len() {
        placer.place_layer(layer, tree, &numbers.late)?;
    }
    tables.extend(inode_tables(tree, &numbers, &numbers.late, &mut placer)?);
    let (space, mut pieces) = placer.finish();
    pieces.extend(tables);
    let (metadata, totals) = metadata(&space, &numbers, options);
    pieces.extend(metadata);
    pieces.sort_unstable_by_key(|piece| piece.at);
    let report = Report {
        geometry,
        totals,
        inodes: (numbers.early.len() + numbers.late.len()) as u32,
    };
    Ok((pieces, report))
}

/// An estimate, from below, of the bytes a volume with this tree takes.
pub fn least_size(tree: &Tree) -> u64 {
    let named: HashSet<NodeId> = tree.iter().map(|(_, id)| id).collect();
    let data: u64 = named.iter().map(|id| place::data_frags(tree.node(*id))).sum();
    (data * FRAG + named.len() as u64 * INODE).next_multiple_of(BLOCK)
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
    /// Nodes whose inodes come first, in their order, the root at the head.
    early: Vec<NodeId>,
    /// Nodes whose inodes lie in the last group.
    late: Vec<NodeId>,
    /// Number of the first late inode.
    late_from: u32,
    /// Inode number by node; 0 for nodes without a name.
    inode: Vec<u32>,
    /// The file system's id, which generation numbers are made of.
    volume: u32,
    links: Vec<u32>,
    depth: Vec<u32>,
    children: HashMap<NodeId, Vec<(&'a [u8], NodeId)>>,
}

impl<'a> Numbers<'a> {
    /// Counts links and sorts nodes; files of `late_layer` are late.
    fn new(tree: &'a Tree, late_layer: usize, volume: u32) -> Self {
        let count = tree.node_count();
        let mut numbers = Self {
            early: Vec::with_capacity(count),
            late: Vec::new(),
            late_from: 0,
            inode: vec![0; count],
            volume,
            links: vec![0; count],
            depth: vec![0; count],
            children: HashMap::new(),
        };
        let mut directories: HashMap<&[u8], NodeId> = HashMap::new();
        for (path, id) in tree.iter() {
            let body = &tree.node(id).body;
            if numbers.links[id] == 0 {
                match body {
                    Body::File { layer, .. } if *layer == late_layer => numbers.late.push(id),
                    _ => numbers.early.push(id),
                }
            }
            numbers.links[id] += 1;
            let is_directory = *body == Body::Directory;
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

    /// Gives every node its number: late ones in the last group, unless they do not fit or the early ones get there.
    fn assign(&mut self, geometry: &Geometry) {
        let early_end = ROOT + self.early.len() as u32;
        let last_group = (geometry.groups - 1) * geometry.inodes;
        if early_end > last_group || self.late.len() as u32 > geometry.inodes {
            self.early.append(&mut self.late);
        }
        self.late_from = last_group;
        for (id, number) in self.early.iter().zip(ROOT..) {
            self.inode[*id] = number;
        }
        for (id, number) in self.late.iter().zip(last_group..) {
            self.inode[*id] = number;
        }
    }

    /// How many inodes of a group are in use, and the nodes behind them.
    fn in_group(&self, first: u32, end: u32) -> (u32, impl Iterator<Item = NodeId>) {
        let slice = |nodes: &[NodeId], from: u32| {
            let len = nodes.len() as u32;
            let begin = first.clamp(from, from + len) - from;
            let stop = end.clamp(from, from + len) - from;
            nodes[begin as usize..stop as usize].to_vec()
        };
        let mut nodes = slice(&self.early, ROOT);
        nodes.extend(slice(&self.late, self.late_from));
        let reserved = if first == 0 { ROOT } else { 0 };
        (nodes.len() as u32 + reserved, nodes.into_iter())
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

/// Encodes the inodes of these nodes, which have consecutive numbers, placing directories, long links and indirect
/// blocks on the way; one piece per group.
fn inode_tables(
    tree: &Tree,
    numbers: &Numbers<'_>,
    nodes: &[NodeId],
    placer: &mut Placer<'_>,
) -> Result<Vec<Piece>, Full> {
    let geometry = *placer.geometry();
    let parents = numbers.parents();
    let mut tables: Vec<(u64, Vec<u8>)> = Vec::new();
    for id in nodes {
        let number = numbers.inode[*id];
        let bytes = encode_inode(tree, numbers, &parents, *id, placer)?;
        match tables.last_mut() {
            Some((_, table)) if !number.is_multiple_of(geometry.inodes) => table.extend_from_slice(&bytes),
            _ => tables.push((geometry.inode_at(number), bytes)),
        }
    }
    Ok(tables.into_iter().map(|(at, bytes)| Piece::bytes(at, bytes)).collect())
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
        generation: inode::generation(numbers.inode[id], numbers.volume),
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
    let (used_inodes, nodes) = numbers.in_group(index * per_group, (index + 1) * per_group);
    Group {
        index,
        taken: space.group(index),
        used_inodes,
        directories: nodes.filter(|id| numbers.is_directory(*id)).count() as u32,
        time,
    }
}

impl Numbers<'_> {
    fn is_directory(&self, id: NodeId) -> bool {
        id == self.early[0] || self.depth[id] > 0
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
