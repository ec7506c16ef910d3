//! Gives layers, directories and links their places on the volume.

use std::collections::BTreeMap;

use super::LayerFiles;
use super::geometry::*;
use super::inode::{Addresses, SHORT_LINK};
use super::pointers::{Builder, DiskRun};
use super::space::{Full, Space};
use crate::data::{BlobRun, FileData, Shape};
use crate::piece::{Piece, Source};
use crate::tree::{Body, Node, NodeId, Tree};

/// Where a file's contents ended up.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// For its inode.
    pub addresses: Addresses,
    /// Fragments held, indirect blocks included.
    pub frags: u64,
}

/// Blocks of a layer that are consecutive on the disk, too.
#[derive(Debug, Clone, Copy)]
struct Moved {
    block: u64,
    at: u64,
    count: u64,
}

/// Where the blocks of one layer went.
#[derive(Debug, Default)]
struct LayerMap {
    /// Whole blocks, sorted.
    blocks: Vec<Moved>,
    /// Blocks of fragments.
    frags: BTreeMap<u64, u64>,
}

/// Places contents one after the other and remembers where layers went.
#[derive(Debug)]
pub struct Placer<'a> {
    space: Space,
    layers: &'a [LayerFiles],
    maps: Vec<LayerMap>,
    pieces: Vec<Piece>,
}

impl<'a> Placer<'a> {
    /// An empty volume.
    pub fn new(space: Space, layers: &'a [LayerFiles]) -> Self {
        Self {
            space,
            layers,
            maps: Vec::new(),
            pieces: Vec::new(),
        }
    }

    /// The volume's geometry.
    pub fn geometry(&self) -> &Geometry {
        self.space.geometry()
    }

    /// The space as it is now, and the pieces so far.
    pub fn finish(self) -> (Space, Vec<Piece>) {
        (self.space, self.pieces)
    }

    /// Goes on at fragment `at`, if that lies ahead.
    pub fn skip_to(&mut self, at: u64) {
        self.space.skip_to(at);
    }

    /// Places every block of a layer that these nodes use, in the layer's own order: neighbours stay neighbours, so
    /// that contents are copied in long stretches. Layers are placed one after the other, the first one first.
    ///
    /// # Errors
    /// [`Full`].
    pub fn place_layer(&mut self, layer: usize, tree: &Tree, nodes: &[NodeId]) -> Result<(), Full> {
        debug_assert_eq!(layer, self.maps.len());
        let files = nodes.iter().filter_map(|id| match &tree.node(*id).body {
            Body::File { layer: of, data } if *of == layer => Some(data),
            _ => None,
        });
        let (runs, frags) = in_use(files);
        let map = LayerMap {
            blocks: self.place_blocks(layer, &runs)?,
            frags: self.place_frags(layer, &frags)?,
        };
        self.maps.push(map);
        Ok(())
    }

    fn place_blocks(&mut self, layer: usize, runs: &[BlobRun]) -> Result<Vec<Moved>, Full> {
        let mut moved = Vec::new();
        for run in runs {
            let mut block = run.block;
            for part in self.space.blocks(run.count)? {
                moved.push(Moved {
                    block,
                    at: part.at,
                    count: part.blocks,
                });
                self.pieces.push(Piece {
                    at: part.at * FRAG,
                    len: part.blocks * BLOCK,
                    source: Source::Blob {
                        blob: self.layers[layer].blocks,
                        offset: block * BLOCK,
                    },
                });
                block += part.blocks;
            }
        }
        Ok(moved)
    }

    fn place_frags(&mut self, layer: usize, masks: &BTreeMap<u64, u8>) -> Result<BTreeMap<u64, u64>, Full> {
        let mut moved = BTreeMap::new();
        for (block, mask) in masks {
            let at = self.space.block_of_frags(*mask)?;
            moved.insert(*block, at);
            for (first, count) in set_runs(*mask) {
                self.push_frags(layer, at + first, block * FRAGS + first, count);
            }
        }
        Ok(moved)
    }

    /// Adds fragments of a layer, as part of the piece before them if both neighbours agree.
    fn push_frags(&mut self, layer: usize, at: u64, from: u64, count: u64) {
        let blob = self.layers[layer].frags;
        if let Some(Piece {
            at: last_at,
            len,
            source: Source::Blob { blob: last, offset },
        }) = self.pieces.last_mut()
            && *last == blob
            && *last_at + *len == at * FRAG
            && *offset + *len == from * FRAG
        {
            *len += count * FRAG;
            return;
        }
        self.pieces.push(Piece {
            at: at * FRAG,
            len: count * FRAG,
            source: Source::Blob {
                blob,
                offset: from * FRAG,
            },
        });
    }

    /// The addresses of a file whose layer has been placed.
    ///
    /// # Errors
    /// [`Full`], if it needs indirect blocks and there is no room.
    pub fn file(&mut self, layer: usize, data: &FileData) -> Result<Placed, Full> {
        let map = &self.maps[layer];
        let runs: Vec<DiskRun> = data.runs.iter().flat_map(|run| map.follow(run)).collect();
        let tail = data.tail.map(|tail| {
            let at = map.frags[&tail.block] + u64::from(tail.first);
            (data.size / BLOCK, at)
        });
        let tail_frags = data.tail.map_or(0, |tail| u64::from(tail.count));
        self.addresses(&runs, tail, tail_frags)
    }

    /// Places bytes that are in memory: a directory or a long symbolic link.
    ///
    /// # Errors
    /// [`Full`].
    pub fn bytes(&mut self, mut bytes: Vec<u8>) -> Result<Placed, Full> {
        let shape = Shape::of(bytes.len() as u64);
        let rest = bytes.split_off((shape.blocks * BLOCK).min(bytes.len() as u64) as usize);
        let mut runs = Vec::new();
        let mut lbn = 0;
        for part in self.space.blocks(shape.blocks)? {
            let from = (lbn * BLOCK) as usize;
            let to = (from + (part.blocks * BLOCK) as usize).min(bytes.len());
            self.push_padded(part.at, part.blocks * BLOCK, bytes[from..to].to_vec());
            runs.push(DiskRun {
                lbn,
                at: part.at,
                blocks: part.blocks,
            });
            lbn += part.blocks;
        }
        let mut tail = None;
        if shape.frags > 0 {
            let at = self.space.frags(shape.frags)?;
            self.push_padded(at, shape.frags * FRAG, rest);
            tail = Some((shape.blocks, at));
        }
        self.addresses(&runs, tail, shape.frags)
    }

    fn push_padded(&mut self, at: u64, len: u64, bytes: Vec<u8>) {
        self.pieces.push(Piece {
            at: at * FRAG,
            len,
            source: Source::Bytes(bytes),
        });
    }

    fn addresses(&mut self, runs: &[DiskRun], tail: Option<(u64, u64)>, tail_frags: u64) -> Result<Placed, Full> {
        let mut builder = Builder::new(&mut self.space, &mut self.pieces);
        let (addresses, indirects) = builder.addresses(runs, tail)?;
        let blocks: u64 = runs.iter().map(|run| run.blocks).sum::<u64>() + indirects;
        Ok(Placed {
            addresses,
            frags: blocks * FRAGS + tail_frags,
        })
    }
}

impl LayerMap {
    /// Where a run of a file's blocks went, in as many parts as it was split into.
    fn follow(&self, run: &BlobRun) -> Vec<DiskRun> {
        let end = run.block + run.count;
        let first = self
            .blocks
            .partition_point(|moved| moved.block + moved.count <= run.block);
        let parts = self.blocks[first..].iter().take_while(|moved| moved.block < end);
        parts
            .map(|moved| {
                let from = moved.block.max(run.block);
                let to = (moved.block + moved.count).min(end);
                DiskRun {
                    lbn: run.lbn + (from - run.block),
                    at: moved.at + (from - moved.block) * FRAGS,
                    blocks: to - from,
                }
            })
            .collect()
    }
}

/// The blocks of a layer that these files use: runs as long as possible, and fragments by block.
fn in_use<'a>(files: impl Iterator<Item = &'a FileData>) -> (Vec<BlobRun>, BTreeMap<u64, u8>) {
    let mut runs: Vec<BlobRun> = Vec::new();
    let mut masks: BTreeMap<u64, u8> = BTreeMap::new();
    for data in files {
        runs.extend(&data.runs);
        if let Some(tail) = data.tail {
            *masks.entry(tail.block).or_default() |= tail.mask();
        }
    }
    runs.sort_unstable_by_key(|run| run.block);
    let mut joined: Vec<BlobRun> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(last) if last.block + last.count == run.block => last.count += run.count,
            _ => joined.push(run),
        }
    }
    (joined, masks)
}

/// First bit and length of each run of set bits.
fn set_runs(mask: u8) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for bit in (0..FRAGS).filter(|bit| mask >> bit & 1 == 1) {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == bit => *count += 1,
            _ => runs.push((bit, 1)),
        }
    }
    runs
}

/// Fragments a node's contents take, without indirect blocks.
pub fn data_frags(node: &Node) -> u64 {
    match &node.body {
        Body::File { data, .. } => {
            let blocks: u64 = data.runs.iter().map(|run| run.count).sum();
            blocks * FRAGS + data.tail.map_or(0, |tail| u64::from(tail.count))
        }
        Body::Directory => 1,
        Body::Symlink(target) => u64::from(target.len() >= SHORT_LINK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_bits() {
        assert_eq!(set_runs(0b1011_0001), [(0, 1), (4, 2), (7, 1)]);
        assert_eq!(set_runs(0xff), [(0, 8)]);
        assert_eq!(set_runs(0), []);
    }

    #[test]
    fn pruned_files_take_no_space() {
        let file = |block, count| FileData {
            size: count * BLOCK,
            runs: vec![BlobRun { lbn: 0, block, count }],
            ..FileData::default()
        };
        let (runs, _) = in_use([file(8, 2), file(0, 3), file(3, 1)].iter());
        let found: Vec<_> = runs.iter().map(|run| (run.block, run.count)).collect();
        assert_eq!(found, [(0, 4), (8, 2)]);
    }
}
