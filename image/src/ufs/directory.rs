//! Directories: `struct direct` of FreeBSD's sys/ufs/ufs/dir.h, packed into sections of 512 bytes.

use super::inode::Kind;

/// No entry crosses a section of this many bytes; the last entry of each reaches to its end.
const SECTION: usize = 512;

/// One name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Inode it stands for.
    pub inode: u32,
    /// What that is.
    pub kind: Kind,
    /// The name, 1 to 255 bytes.
    pub name: &'a [u8],
}

/// Bytes of a directory with these names, in this order, `.` and `..` included by the caller.
pub fn encode(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::with_capacity(SECTION);
    let mut last = 0;
    for entry in entries {
        let need = record_len(entry.name.len());
        let room = bytes.len().next_multiple_of(SECTION) - bytes.len();
        if need > room && !bytes.is_empty() {
            stretch(&mut bytes, last);
        }
        last = bytes.len();
        put(&mut bytes, entry, need);
    }
    stretch(&mut bytes, last);
    bytes
}

/// Bytes of one entry: header, name, terminating zero, rounded up to four.
fn record_len(name: usize) -> usize {
    (8 + name + 1).next_multiple_of(4)
}

fn put(bytes: &mut Vec<u8>, entry: &Entry<'_>, len: usize) {
    let end = bytes.len() + len;
    bytes.extend_from_slice(&entry.inode.to_le_bytes());
    bytes.extend_from_slice(&(len as u16).to_le_bytes());
    bytes.extend_from_slice(&[entry.kind.entry_type(), entry.name.len() as u8]);
    bytes.extend_from_slice(entry.name);
    bytes.resize(end, 0);
}

/// Fills the current section up, giving the rest to its last entry.
fn stretch(bytes: &mut Vec<u8>, last: usize) {
    let end = bytes.len().next_multiple_of(SECTION);
    bytes.resize(end, 0);
    let len = (end - last) as u16;
    bytes[last + 4..last + 6].copy_from_slice(&len.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks a directory the way the kernel does.
    fn names(bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let len = usize::from(u16::from_le_bytes([bytes[at + 4], bytes[at + 5]]));
            assert!(len > 0 && len % 4 == 0);
            assert_eq!(at / SECTION, (at + len - 1) / SECTION, "an entry crosses a section");
            let name = usize::from(bytes[at + 7]);
            found.push(String::from_utf8(bytes[at + 8..at + 8 + name].to_vec()).unwrap());
            at += len;
        }
        found
    }

    #[test]
    fn entries_stay_in_their_sections() {
        let texts: Vec<String> = (0..200).map(|i| format!("{i:0width$}", width = 1 + i % 255)).collect();
        let entries: Vec<Entry<'_>> = texts
            .iter()
            .map(|text| Entry {
                inode: 5,
                kind: Kind::File,
                name: text.as_bytes(),
            })
            .collect();
        let bytes = encode(&entries);
        assert_eq!(bytes.len() % SECTION, 0);
        assert_eq!(names(&bytes), texts);
    }

    #[test]
    fn a_section_that_is_exactly_full_has_no_rest() {
        let name = [b'x'; 247];
        let entry = Entry {
            inode: 3,
            kind: Kind::File,
            name: &name,
        };
        assert_eq!(encode(&[entry, entry]).len(), SECTION);
        assert_eq!(encode(&[entry, entry, entry]).len(), 2 * SECTION);
    }
}
