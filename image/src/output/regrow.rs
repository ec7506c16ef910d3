//! The partition table of an image that was copied to a larger disk: its backup belongs to the disk's end.

use crate::gpt::SECTOR;

/// Bytes from a disk's beginning that [`grown`] needs at most.
pub const HEAD: usize = 2 * SECTOR as usize + ENTRIES_MAX;
/// The most that entries may take: eight times the usual.
const ENTRIES_MAX: usize = 128 << 10;
/// Bytes of the header that its checksum covers (UEFI specification, table 5-5).
const HEADER: usize = 92;
/// Where the protective entry of the MBR stands: its type, and how many sectors it covers.
const MBR_TYPE: usize = 446 + 4;
const MBR_SECTORS: usize = 446 + 12;

/// Something to write: where, in bytes, and what.
pub type Patch = (u64, Vec<u8>);

/// What to write to a disk of `size` bytes that begins with `head` so that the table covers it and its backup is at its
/// end. `head` is [`HEAD`] bytes, or the whole disk if that is smaller. The first header comes last, so that the table
/// in force is whole whenever this is cut off.
///
/// # Errors
/// In words: what is wrong with the table, or the disk is smaller than the table says.
pub fn grown(head: &[u8], size: u64) -> Result<Vec<Patch>, String> {
    let sector = SECTOR as usize;
    let mut first = head.get(sector..2 * sector).ok_or("the disk is too small")?.to_vec();
    if !first.starts_with(b"EFI PART") {
        return Err("there is no GUID partition table".into());
    }
    if word(&first, 16) != checksum(&first) {
        return Err("the partition table's header is damaged".into());
    }
    let entries = entries(head, &first)?;
    let last = (size / SECTOR).checked_sub(1).ok_or("the disk is too small")?;
    let sectors = entries.len() as u64 / SECTOR;
    let entries_at = last.checked_sub(sectors).ok_or("the disk is too small")?;
    if entries_at <= long(&first, 48).max(1 + sectors) {
        return Err("the disk is smaller than the partition table says".into());
    }
    put(&mut first, 32, last);
    put(&mut first, 48, entries_at - 1);
    seal(&mut first);
    let mut backup = first.clone();
    put(&mut backup, 24, last);
    put(&mut backup, 32, 1);
    put(&mut backup, 72, entries_at);
    seal(&mut backup);
    let mut patches = vec![(entries_at * SECTOR, entries), (last * SECTOR, backup)];
    patches.extend(protective(head, last));
    patches.push((SECTOR, first));
    Ok(patches)
}

/// The entries, whole sectors of them.
fn entries(head: &[u8], header: &[u8]) -> Result<Vec<u8>, String> {
    let (count, each) = (u64::from(word(header, 80)), u64::from(word(header, 84)));
    let len = count * each;
    if long(header, 72) != 2 || len == 0 || len > ENTRIES_MAX as u64 {
        return Err("the partition table is not laid out as ours are".into());
    }
    let from = 2 * SECTOR as usize;
    let whole = (len as usize).next_multiple_of(SECTOR as usize);
    let bytes = head.get(from..from + whole).ok_or("the partition table is cut off")?;
    match crc32fast::hash(&bytes[..len as usize]) == word(header, 88) {
        true => Ok(bytes.to_vec()),
        false => Err("the partition table's entries are damaged".into()),
    }
}

/// The MBR with its protective entry as long as the disk, if it has one.
fn protective(head: &[u8], last: u64) -> Option<Patch> {
    let mut mbr = head.get(..SECTOR as usize)?.to_vec();
    if mbr[MBR_TYPE] != 0xee {
        return None;
    }
    let covered = u32::try_from(last).unwrap_or(u32::MAX);
    mbr[MBR_SECTORS..MBR_SECTORS + 4].copy_from_slice(&covered.to_le_bytes());
    Some((0, mbr))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4]
        .iter()
        .rev()
        .fold(0, |all, byte| all << 8 | u32::from(*byte))
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at + 4)) << 32 | u64::from(word(bytes, at))
}

fn put(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// Of a header, with zeros in its own place.
fn checksum(header: &[u8]) -> u32 {
    let mut covered = header[..HEADER].to_vec();
    covered[16..20].fill(0);
    crc32fast::hash(&covered)
}

fn seal(header: &mut [u8]) {
    let sum = checksum(header);
    header[16..20].copy_from_slice(&sum.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpt::{self, Partition};

    const MIB: u64 = 1 << 20;

    fn head() -> Vec<u8> {
        let partition = Partition {
            kind: gpt::TYPE_UFS,
            id: [7; 16],
            at: MIB,
            len: 6 * MIB,
            label: "x",
        };
        let mut disk = vec![0; 8 * MIB as usize];
        for piece in gpt::lay_out(8 * MIB, [9; 16], &[partition], &[]) {
            let crate::piece::Source::Bytes(bytes) = &piece.source else {
                panic!()
            };
            disk[piece.at as usize..][..bytes.len()].copy_from_slice(bytes);
        }
        disk
    }

    fn refusal(change: impl FnOnce(&mut Vec<u8>), size: u64) -> String {
        let mut head = head();
        change(&mut head);
        grown(&head, size).unwrap_err()
    }

    #[test]
    fn a_grown_table_is_the_one_of_a_disk_of_that_size() {
        let partition = Partition {
            kind: gpt::TYPE_UFS,
            id: [7; 16],
            at: MIB,
            len: 6 * MIB,
            label: "x",
        };
        for size in [8 * MIB, 9 * MIB, 100 * MIB + 512, 3 << 40] {
            let mut got = grown(&head(), size).unwrap();
            assert_eq!(got.last().unwrap().0, 512, "the header in force is written last");
            got.sort();
            let expected = gpt::lay_out(size, [9; 16], std::slice::from_ref(&partition), &[]);
            let mut expected: Vec<_> = { expected.iter() }
                .filter(|piece| piece.at != 1024)
                .map(|piece| match &piece.source {
                    crate::piece::Source::Bytes(bytes) => (piece.at, bytes.to_vec()),
                    _ => panic!(),
                })
                .collect();
            expected.sort();
            assert!(got == expected, "{size}");
        }
    }

    #[test]
    fn damage_is_named_and_nothing_is_written() {
        let cut = |len: usize| move |head: &mut Vec<u8>| head.truncate(len);
        assert_eq!(refusal(cut(0), MIB), "the disk is too small");
        assert_eq!(refusal(cut(600), MIB), "the disk is too small");
        assert_eq!(refusal(cut(1500), 9 * MIB), "the partition table is cut off");
        assert_eq!(
            refusal(|head| head[512] = b'X', 9 * MIB),
            "there is no GUID partition table"
        );
        assert_eq!(
            refusal(|head| head[560] ^= 1, 9 * MIB),
            "the partition table's header is damaged"
        );
        assert_eq!(
            refusal(|head| head[1030] ^= 1, 9 * MIB),
            "the partition table's entries are damaged"
        );
        let smaller = "the disk is smaller than the partition table says";
        assert_eq!(refusal(|_| (), 8 * MIB - 512), smaller);
        assert_eq!(refusal(|_| (), 0), "the disk is too small");
    }

    /// Changes the header and makes its checksum right again.
    fn forged(at: usize, value: u64) -> impl FnOnce(&mut Vec<u8>) {
        move |head| {
            put(&mut head[512..1024], at, value);
            seal(&mut head[512..1024]);
        }
    }

    #[test]
    fn numbers_that_lead_astray_are_refused() {
        let strange = "the partition table is not laid out as ours are";
        assert_eq!(refusal(forged(80, u64::MAX), 9 * MIB), strange, "many large entries");
        assert_eq!(refusal(forged(80, 0), 9 * MIB), strange, "no entries");
        assert_eq!(
            refusal(forged(72, u64::MAX), 9 * MIB),
            strange,
            "entries beyond the disk"
        );
        let smaller = "the disk is smaller than the partition table says";
        assert_eq!(refusal(forged(48, u64::MAX), 9 * MIB), smaller);
        assert_eq!(
            refusal(forged(48, 0), 60 * 512),
            smaller,
            "the backup would lie on the table"
        );
    }
}
