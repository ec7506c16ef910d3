//! The unified kernel image: an EFI program that carries a kernel, its command line and its initramfs.
//!
//! Facts are from the Microsoft PE format and from systemd-stub(7): the stub finds what it starts in sections of its own
//! file, by their names.

use std::path::Path;

use crate::error::{Error, Result};

/// What the stub starts.
#[derive(Debug)]
pub struct Contents<'a> {
    /// os-release(5).
    pub release: &'a str,
    /// The kernel's release, such as `6.1.0-56-cloud-amd64`.
    pub uname: &'a str,
    /// The kernel's command line.
    pub cmdline: &'a str,
    /// A bzImage.
    pub kernel: &'a [u8],
    /// A cpio archive.
    pub initramfs: &'a [u8],
}

/// Bytes in an entry of the section table.
const ENTRY: usize = 40;
/// Sections are aligned to pages in memory at least: the stub hands addresses in them to the kernel.
const PAGE: usize = 4096;
/// `IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ`
const READ_ONLY_DATA: u32 = 0x4000_0040;
/// Magic number of the optional header of 64-bit programs, `PE32+`.
const PE32_PLUS: usize = 0x20b;

/// Puts `contents` into the stub, which is the file `stub_file` for messages.
///
/// # Errors
/// [`Error::Input`]: the stub is no EFI program with room for so many sections.
pub fn assemble(stub: &[u8], stub_file: &Path, contents: &Contents<'_>) -> Result<Vec<u8>> {
    let sections: [(&[u8], &[u8]); 5] = [
        (b".osrel", contents.release.as_bytes()),
        (b".uname", contents.uname.as_bytes()),
        (b".cmdline", contents.cmdline.as_bytes()),
        (b".linux", contents.kernel),
        (b".initrd", contents.initramfs),
    ];
    let unusable = |cause: &str| Error::Input {
        file: stub_file.to_path_buf(),
        cause: format!("is no EFI stub to put a kernel into: {cause}"),
        hint: "the stub is named in the parts file of the hosted base; Debian's is in the package systemd-boot-efi"
            .into(),
    };
    let mut program = Program::new(stub).ok_or_else(|| unusable("it is no 64-bit EFI program"))?;
    for (name, bytes) in sections {
        program
            .append(name, bytes)
            .ok_or_else(|| unusable("there is no room for another section in its headers, or in 4 GiB"))?;
    }
    Ok(program.bytes)
}

/// An EFI program to which sections are added.
struct Program {
    bytes: Vec<u8>,
    /// Where the COFF header begins.
    coff: usize,
    /// Where the section table begins.
    table: usize,
}

impl Program {
    fn new(stub: &[u8]) -> Option<Self> {
        let bytes = stub.to_vec();
        let signature = field(&bytes, 0x3c, 4)?;
        if bytes.get(..2)? != b"MZ" || bytes.get(signature..signature + 4)? != b"PE\0\0" {
            return None;
        }
        let coff = signature + 4;
        if field(&bytes, coff + 20, 2)? != PE32_PLUS {
            return None;
        }
        let table = coff + 20 + field(&bytes, coff + 16, 2)?;
        let program = Self { bytes, coff, table };
        // All that is changed later is there.
        program.header_end()?;
        for index in 0..program.sections()? {
            let entry = table + ENTRY * index;
            let (at, size) = (
                field(&program.bytes, entry + 20, 4)?,
                field(&program.bytes, entry + 16, 4)?,
            );
            program.bytes.get(at..at + size)?;
            program.bytes.get(entry..entry + ENTRY)?;
        }
        (program.sections()? > 0).then_some(program)
    }

    fn sections(&self) -> Option<usize> {
        field(&self.bytes, self.coff + 2, 2)
    }

    /// A field of the optional header.
    fn optional(&self, offset: usize) -> Option<usize> {
        field(&self.bytes, self.coff + 20 + offset, 4)
    }

    /// Where the headers end: `SizeOfHeaders`.
    fn header_end(&self) -> Option<usize> {
        self.optional(60)
    }

    /// Where the last section ends in memory.
    fn memory_end(&self) -> Option<usize> {
        let entries = 0..self.sections()?;
        let ends = entries.map(|index| {
            let entry = self.table + ENTRY * index;
            Some(field(&self.bytes, entry + 12, 4)? + field(&self.bytes, entry + 8, 4)?)
        });
        ends.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Adds a section at the end of the file and of memory.
    fn append(&mut self, name: &[u8], contents: &[u8]) -> Option<()> {
        let entry = self.table + ENTRY * self.sections()?;
        if entry + ENTRY > self.header_end()? {
            return None;
        }
        let (in_memory, in_file) = (self.optional(32)?.max(PAGE), self.optional(36)?.max(1));
        let address = self.memory_end()?.next_multiple_of(in_memory);
        let at = self.bytes.len().next_multiple_of(in_file);
        let room = contents.len().next_multiple_of(in_file);
        self.bytes.resize(at, 0);
        self.bytes.extend_from_slice(contents);
        self.bytes.resize(at + room, 0);
        self.bytes[entry..entry + ENTRY].fill(0);
        self.bytes[entry..entry + name.len()].copy_from_slice(name);
        for (offset, value) in [(8, contents.len()), (12, address), (16, room), (20, at)] {
            self.put(entry + offset, u32::try_from(value).ok()?);
        }
        self.put(entry + 36, READ_ONLY_DATA);
        let count = u16::try_from(self.sections()? + 1).ok()?;
        self.bytes[self.coff + 2..self.coff + 4].copy_from_slice(&count.to_le_bytes());
        let size = (address + contents.len()).next_multiple_of(in_memory);
        self.put(self.coff + 20 + 56, u32::try_from(size).ok()?);
        // The checksum is optional for EFI programs; a wrong one would be worse than none.
        self.put(self.coff + 20 + 64, 0);
        Some(())
    }

    fn put(&mut self, at: usize, value: u32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
}

/// A little-endian number of `len` bytes.
fn field(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | usize::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use object::read::pe::PeFile64;
    use object::{Object, ObjectSection};

    use super::super::testing::stub;
    use super::*;

    const CONTENTS: Contents<'_> = Contents {
        release: "ID=a\n",
        uname: "6.1",
        cmdline: "console=ttyS0",
        kernel: &[1; 5000],
        initramfs: b"070701",
    };

    #[test]
    fn an_independent_reader_finds_every_section() {
        let program = assemble(&stub(8), Path::new("stub"), &CONTENTS).unwrap();
        let parsed = PeFile64::parse(&*program).unwrap();
        for (name, expected) in [(".cmdline", CONTENTS.cmdline.as_bytes()), (".linux", CONTENTS.kernel)] {
            let section = parsed.section_by_name(name).unwrap();
            assert_eq!(&section.data().unwrap()[..expected.len()], expected, "{name}");
            assert_eq!(section.size(), expected.len() as u64);
        }
        let mut ranges: Vec<_> = { parsed.sections() }
            .map(|section| (section.address(), section.size()))
            .collect();
        ranges.sort_unstable();
        assert!(
            ranges.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0),
            "{ranges:?}"
        );
        let (last, size) = ranges[ranges.len() - 1];
        let end = parsed
            .nt_headers()
            .optional_header
            .size_of_image
            .get(object::LittleEndian);
        assert!(last - parsed.relative_address_base() + size <= u64::from(end));
    }

    #[test]
    fn a_stub_without_room_or_of_another_kind_is_refused() {
        let refused = |stub: &[u8]| {
            assemble(stub, Path::new("stub.efi"), &CONTENTS)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&stub(11)).contains("no room for another section"));
        let whole = stub(1);
        for length in [0, 2, 64, 130, whole.len() - 600] {
            let error = refused(&whole[..length]);
            assert!(error.starts_with("stub.efi: is no EFI stub"), "{error}");
        }
    }
}
