//! QEMU's qcow2, version 3 (docs/interop/qcow2.txt in QEMU's source).
//!
//! Which clusters are stored is known beforehand, so all tables go in front and the file is written, and hashed, from
//! its beginning to its end.

use std::io;

use super::{CLUSTER, Checkpointed, Chunk, Finished, Sink, Twin};

const MAGIC: &[u8; 4] = b"QFI\xfb";
const HEADER: usize = 104;
/// Set in table entries whose cluster has exactly one user.
const COPIED: u64 = 1 << 63;
/// Entries in a table of one cluster.
const ENTRIES: u64 = CLUSTER / 8;
/// Sixteen-bit reference counts in a cluster.
const COUNTS: u64 = CLUSTER / 2;

/// Where everything lies, in clusters from the start of the file.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    count_table: u64,
    count_table_len: u64,
    count_blocks: u64,
    count_blocks_len: u64,
    top: u64,
    top_len: u64,
    tables: u64,
    tables_len: u64,
    data: u64,
    total: u64,
}

impl Plan {
    fn new(top_entries: u64, tables_len: u64, data_len: u64) -> Self {
        let top_len = top_entries.div_ceil(ENTRIES).max(1);
        let others = 1 + top_len + tables_len + data_len;
        let (mut count_table_len, mut count_blocks_len) = (1, 1);
        loop {
            let total = others + count_table_len + count_blocks_len;
            let blocks = total.div_ceil(COUNTS);
            let table = blocks.div_ceil(ENTRIES);
            if (table, blocks) == (count_table_len, count_blocks_len) {
                break;
            }
            (count_table_len, count_blocks_len) = (table, blocks);
        }
        let count_blocks = 1 + count_table_len;
        let top = count_blocks + count_blocks_len;
        let tables = top + top_len;
        let data = tables + tables_len;
        Self {
            count_table: 1,
            count_table_len,
            count_blocks,
            count_blocks_len,
            top,
            top_len,
            tables,
            tables_len,
            data,
            total: data + data_len,
        }
    }
}

/// Writes a qcow2 image.
pub struct Qcow2 {
    twin: Twin,
    hash: Checkpointed,
}

/// Which of the tables exist: one for each stretch of the disk in which anything is stored.
fn needed_tables(used: &[bool]) -> Vec<bool> {
    used.chunks(ENTRIES as usize).map(|part| part.contains(&true)).collect()
}

fn plan(used: &[bool]) -> Plan {
    let stored = used.iter().filter(|used| **used).count() as u64;
    let needed = needed_tables(used);
    let tables = needed.iter().filter(|needed| **needed).count() as u64;
    Plan::new(needed.len() as u64, tables, stored)
}

/// Where the first stored cluster lies, in bytes from the start of the file.
pub fn data_start(used: &[bool]) -> u64 {
    plan(used).data * CLUSTER
}

impl Qcow2 {
    /// Starts an image of a disk of `size` bytes of which `used` clusters are stored, and writes its tables.
    pub fn new(twin: Twin, size: u64, used: &[bool]) -> io::Result<Self> {
        let needed = needed_tables(used);
        let plan = plan(used);
        let hash = Checkpointed::new();
        let mut image = Self { twin, hash };
        image.append(&header(&plan, size, needed.len() as u32))?;
        image.append(&count_table(&plan))?;
        image.append(&counts(&plan))?;
        image.append(&addresses(&needed, plan.tables, plan.top_len))?;
        let mut next = plan.data;
        for part in used.chunks(ENTRIES as usize).filter(|part| part.contains(&true)) {
            image.append(&addresses(part, next, 1))?;
            next += part.iter().filter(|used| **used).count() as u64;
        }
        Ok(image)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.twin.write_all_at(bytes, self.hash.bytes())?;
        self.hash.update(bytes);
        Ok(())
    }
}

impl Sink for Qcow2 {
    fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        for (from, to) in used_runs(&chunk.used) {
            let end = (to * CLUSTER as usize).min(chunk.bytes.len());
            self.append(&chunk.bytes[from * CLUSTER as usize..end])?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Finished> {
        Ok(Finished {
            size: self.hash.bytes(),
            hash: self.hash,
            twin: self.twin,
        })
    }
}

/// Runs of set flags: first index, and the one behind the last.
pub fn used_runs(used: &[bool]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for index in (0..used.len()).filter(|index| used[*index]) {
        match runs.last_mut() {
            Some((_, end)) if *end == index => *end += 1,
            _ => runs.push((index, index + 1)),
        }
    }
    runs
}

fn header(plan: &Plan, size: u64, top_entries: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(CLUSTER as usize);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&3u32.to_be_bytes());
    bytes.extend_from_slice(&[0; 12]);
    bytes.extend_from_slice(&CLUSTER.trailing_zeros().to_be_bytes());
    bytes.extend_from_slice(&size.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&top_entries.to_be_bytes());
    bytes.extend_from_slice(&(plan.top * CLUSTER).to_be_bytes());
    bytes.extend_from_slice(&(plan.count_table * CLUSTER).to_be_bytes());
    bytes.extend_from_slice(&(plan.count_table_len as u32).to_be_bytes());
    bytes.extend_from_slice(&[0; 36]);
    bytes.extend_from_slice(&4u32.to_be_bytes());
    bytes.extend_from_slice(&(HEADER as u32).to_be_bytes());
    bytes.resize(CLUSTER as usize, 0);
    bytes
}

fn count_table(plan: &Plan) -> Vec<u8> {
    let blocks = plan.count_blocks..plan.count_blocks + plan.count_blocks_len;
    let mut bytes: Vec<u8> = blocks.flat_map(|block| (block * CLUSTER).to_be_bytes()).collect();
    bytes.resize((plan.count_table_len * CLUSTER) as usize, 0);
    bytes
}

fn counts(plan: &Plan) -> Vec<u8> {
    let mut bytes = [0, 1].repeat(plan.total as usize);
    bytes.resize((plan.count_blocks_len * CLUSTER) as usize, 0);
    bytes
}

/// A table with consecutive clusters from `next` on for the entries that are used.
fn addresses(used: &[bool], mut next: u64, clusters: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity((clusters * CLUSTER) as usize);
    for used in used {
        let entry = if *used { (next * CLUSTER) | COPIED } else { 0 };
        next += u64::from(*used);
        bytes.extend_from_slice(&entry.to_be_bytes());
    }
    bytes.resize((clusters * CLUSTER) as usize, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_counts_cover_themselves() {
        for data in [0, 1, 32_000, 32_763, 32_764, 32_765, 300_000_000] {
            let plan = Plan::new(10, 10, data);
            assert!(plan.count_blocks_len * COUNTS >= plan.total);
            assert!(plan.count_table_len * ENTRIES >= plan.count_blocks_len);
            assert_eq!(plan.total, plan.tables + plan.tables_len + data);
        }
    }

    #[test]
    fn the_header_is_104_bytes() {
        let bytes = header(&Plan::new(1, 1, 1), 1 << 20, 1);
        assert_eq!(bytes[96..104], [0, 0, 0, 4, 0, 0, 0, 104]);
        assert_eq!(bytes[104..112], [0; 8], "no header extensions");
    }

    #[test]
    fn runs() {
        assert_eq!(used_runs(&[true, true, false, true]), [(0, 2), (3, 4)]);
        assert_eq!(used_runs(&[false]), []);
    }
}
