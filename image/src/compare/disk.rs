//! Where on a disk a byte lies.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::{Error, Result};
use crate::gpt::SECTOR;

/// Bytes in an entry of the table, and entries in it, as our own tables have them.
const ENTRY: usize = 128;
const ENTRIES: usize = 128;

/// The place of byte `at` in words: partition and byte in it, or the table.
///
/// # Errors
/// The image cannot be read.
pub fn place(image: &Path, at: u64) -> Result<String> {
    let file = File::open(image).map_err(Error::io("open the image", image))?;
    let mut table = vec![0; ENTRY * ENTRIES];
    file.read_exact_at(&mut table, 2 * SECTOR)
        .map_err(Error::io("read the partition table", image))?;
    let found = table.chunks_exact(ENTRY).zip(1..).find_map(|(entry, number)| {
        let (first, last) = (word(entry, 32), word(entry, 40));
        let inside = first > 0 && (first..=last).contains(&(at / SECTOR));
        inside.then(|| (number, label(entry), at - first * SECTOR))
    });
    Ok(match found {
        Some((number, label, offset)) => format!("byte {at}, which is byte {offset} of partition {number} ({label})"),
        None => format!("byte {at}, which is in no partition"),
    })
}

fn word(entry: &[u8], at: usize) -> u64 {
    entry[at..at + 8]
        .iter()
        .rev()
        .fold(0, |all, byte| all << 8 | u64::from(*byte))
}

fn label(entry: &[u8]) -> String {
    let units = entry[56..]
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}
