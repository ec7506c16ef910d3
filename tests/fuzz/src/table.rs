//! Partition tables that are moved to a larger disk: whatever the disk holds, nothing is written beyond it, and a table
//! that was moved is sound and stays where it is.

use arbitrary::{Arbitrary, Unstructured};
use ngforge_image::output::regrow::{HEAD, grown};

/// A disk's first bytes, with a header whose checksums are right if that was drawn.
#[derive(Debug, Arbitrary)]
struct Case {
    size: u64,
    count: u16,
    each: u8,
    entries_at: u64,
    last_usable: u64,
    right: bool,
    protective: bool,
    entries: Vec<u8>,
}

/// Runs one input.
///
/// # Panics
/// Something was found.
pub fn execute(data: &[u8]) {
    let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let mut head = case.head();
    let Ok(patches) = grown(&head, case.size) else { return };
    for (at, bytes) in &patches {
        assert!(
            at.checked_add(bytes.len() as u64).is_some_and(|end| end <= case.size),
            "beyond the disk"
        );
        for (place, byte) in (*at as usize..).zip(bytes).take_while(|(place, _)| *place < HEAD) {
            if let Some(there) = head.get_mut(place) {
                *there = *byte;
            }
        }
    }
    assert_eq!(
        grown(&head, case.size).as_ref(),
        Ok(&patches),
        "moved again, it is another one"
    );
}

impl Case {
    fn head(&self) -> Vec<u8> {
        let mut head = vec![0; 1024];
        head[450] = if self.protective { 0xee } else { 0 };
        head[512..520].copy_from_slice(b"EFI PART");
        head[512 + 48..512 + 56].copy_from_slice(&self.last_usable.to_le_bytes());
        let entries_at = if self.right { 2 } else { self.entries_at };
        head[512 + 72..512 + 80].copy_from_slice(&entries_at.to_le_bytes());
        head[512 + 80..512 + 84].copy_from_slice(&u32::from(self.count).to_le_bytes());
        head[512 + 84..512 + 88].copy_from_slice(&u32::from(self.each).to_le_bytes());
        head.extend_from_slice(&self.entries);
        let len = usize::from(self.count) * usize::from(self.each);
        if self.right && len <= HEAD {
            head.resize(head.len().max(1024 + len.next_multiple_of(512)), 0);
            let sum = crc32fast::hash(&head[1024..1024 + len]);
            head[512 + 88..512 + 92].copy_from_slice(&sum.to_le_bytes());
        }
        let sum = crc32fast::hash(&head[512..512 + 92]);
        head[512 + 16..512 + 20].copy_from_slice(&sum.to_le_bytes());
        head
    }
}
