//! What a disk holds, by name instead of by content, so that two disks can be compared without reading them.

use std::io;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{CLUSTER, Disk};
use crate::piece::{Piece, Source};

/// A stretch of the disk and the name of its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Extent {
    at: u64,
    len: u64,
    /// Half of a SHA-256: the same name means the same bytes.
    name: [u64; 2],
}

impl Extent {
    /// The same extent gives the same bytes, for hashing.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let words = [self.at, self.len, self.name[0], self.name[1]];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }
}

/// All extents of a disk, in order.
///
/// # Errors
/// A layer cannot be read.
pub fn extents(disk: &Disk) -> io::Result<Vec<Extent>> {
    disk.pieces.iter().map(|piece| extent(disk, piece)).collect()
}

fn extent(disk: &Disk, piece: &Piece) -> io::Result<Extent> {
    let mut hasher = Sha256::new();
    match &piece.source {
        Source::Bytes(bytes) => hasher.update(bytes),
        Source::Pointers(_) => hasher.update(contents(disk, piece)?),
        Source::Blob { blob, offset } => match &disk.blob_names[*blob] {
            Some(name) => hasher.update(format!("{name} {offset}")),
            None => hasher.update(contents(disk, piece)?),
        },
    }
    let hash = hasher.finalize();
    let half = |from: usize| {
        hash[from..from + 8]
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte))
    };
    Ok(Extent {
        at: piece.at,
        len: piece.len,
        name: [half(0), half(8)],
    })
}

fn contents(disk: &Disk, piece: &Piece) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; piece.len as usize];
    piece.read(0, &mut bytes, &disk.blobs)?;
    Ok(bytes)
}

/// Clusters in which two disks of the same size may differ: byte ranges in order, not touching each other.
pub fn difference(old: &[Extent], new: &[Extent]) -> Vec<Range<u64>> {
    let mut old = old.iter().peekable();
    let mut new = new.iter().peekable();
    let mut changed: Vec<Range<u64>> = Vec::new();
    loop {
        let differing = match (old.peek(), new.peek()) {
            (Some(one), Some(other)) if one == other => {
                old.next();
                new.next();
                continue;
            }
            (Some(one), Some(other)) if one <= other => old.next(),
            (_, Some(_)) => new.next(),
            (_, None) => old.next(),
        };
        let Some(extent) = differing else {
            return changed;
        };
        let from = extent.at / CLUSTER * CLUSTER;
        let to = (extent.at + extent.len).next_multiple_of(CLUSTER);
        match changed.last_mut() {
            Some(last) if from <= last.end => last.end = last.end.max(to),
            _ => changed.push(from..to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(at: u64, len: u64, name: u64) -> Extent {
        Extent {
            at: at * CLUSTER,
            len: len * CLUSTER,
            name: [name, 0],
        }
    }

    fn clusters(old: &[Extent], new: &[Extent]) -> Vec<(u64, u64)> {
        let ranges = difference(old, new);
        ranges
            .iter()
            .map(|range| (range.start / CLUSTER, range.end / CLUSTER))
            .collect()
    }

    #[test]
    fn the_same_disks_do_not_differ() {
        let disk = [extent(0, 1, 1), extent(5, 2, 2)];
        assert_eq!(clusters(&disk, &disk), []);
    }

    #[test]
    fn what_is_new_gone_moved_or_renamed_differs() {
        let old = [extent(0, 1, 1), extent(5, 2, 2), extent(9, 1, 3)];
        assert_eq!(clusters(&old, &[extent(0, 1, 1), extent(5, 2, 2)]), [(9, 10)]);
        assert_eq!(clusters(&old[..2], &old), [(9, 10)]);
        assert_eq!(
            clusters(&old, &[extent(0, 1, 7), extent(5, 2, 2), extent(9, 1, 3)]),
            [(0, 1)]
        );
        assert_eq!(
            clusters(&old, &[extent(0, 1, 1), extent(4, 2, 2), extent(9, 1, 3)]),
            [(4, 7)]
        );
    }

    #[test]
    fn parts_of_clusters_count_as_whole_ones() {
        let small = Extent {
            at: 3 * CLUSTER + 5,
            len: 10,
            name: [0, 0],
        };
        assert_eq!(clusters(&[], &[small]), [(3, 4)]);
    }
}
