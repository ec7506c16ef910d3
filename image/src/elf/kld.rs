//! The metadata of FreeBSD's kernel modules: which modules a file brings, and which it depends on.
//!
//! The linker set `modmetadata_set` (sys/module.h, `MODULE_METADATA`) is a section of pointers to structures of 24 bytes:
//! version (int), type (int), data (pointer), name (pointer). In a relocatable object the pointers stand in relocations;
//! in the kernel they are addresses.

use std::collections::HashMap;

use object::LittleEndian as Le;
use object::elf::{ET_EXEC, ET_REL, FileHeader64, R_X86_64_64, SHF_ALLOC, SHT_NOBITS};
use object::read::elf::{FileHeader, Rela, SectionHeader, SectionTable, Sym, SymbolTable};
use object::read::{ReadRef, SectionIndex};
use serde::{Deserialize, Serialize};

use super::LONGEST_NAME;

/// Name of the linker set.
const SET: &[u8] = b"set_modmetadata_set";
/// `md_type` of a dependency.
const DEPEND: u32 = 1;
/// `md_type` of a version, which a module that others can depend on declares.
const VERSION: u32 = 3;
/// No file has more entries than this.
const MOST_ENTRIES: usize = 10_000;

/// What a kernel module, or the kernel, declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kld {
    /// Names of modules in it that others can depend on.
    pub provides: Vec<String>,
    /// Names of modules that it depends on.
    pub depends: Vec<String>,
}

/// Reads the metadata; `None` if the file has none, or is not an object or a kernel for amd64.
pub fn kld<'data, R: ReadRef<'data>>(data: R) -> Option<Kld> {
    let header = FileHeader64::<Le>::parse(data).ok()?;
    let sections = header.sections(Le, data).ok()?;
    let (index, set) = sections.section_by_name(Le, SET)?;
    let image: Box<dyn Memory> = match header.e_type(Le) {
        ET_REL => Box::new(Relocatable::new(data, &sections)?),
        ET_EXEC => Box::new(Addressed {
            data,
            sections: &sections,
        }),
        _ => return None,
    };
    let count = usize::try_from(set.sh_size(Le) / 8).ok()?;
    let mut kld = Kld::default();
    for entry in 0..count.min(MOST_ENTRIES) {
        let at = Place {
            section: index.0,
            offset: entry as u64 * 8,
        };
        let Some(metadata) = image.pointer(at) else { continue };
        let (Some(kind), Some(name)) = (image.number(metadata.plus(4)), image.pointer(metadata.plus(16))) else {
            continue;
        };
        match kind {
            DEPEND => kld.depends.extend(image.text(name)),
            VERSION => kld.provides.extend(image.text(name)),
            _ => {}
        }
    }
    Some(kld)
}

/// A byte in a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    section: usize,
    offset: u64,
}

impl Place {
    fn plus(self, bytes: u64) -> Self {
        Self {
            offset: self.offset.wrapping_add(bytes),
            ..self
        }
    }
}

/// What the sections would be in memory.
trait Memory {
    /// The bytes from a place to the end of its section.
    fn bytes(&self, at: Place) -> Option<&[u8]>;
    /// Where the pointer at a place leads.
    fn pointer(&self, at: Place) -> Option<Place>;

    fn number(&self, at: Place) -> Option<u32> {
        let bytes = self.bytes(at)?.get(..4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    fn text(&self, at: Place) -> Option<String> {
        let bytes = self.bytes(at)?;
        let end = bytes.iter().take(LONGEST_NAME).position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }
}

fn contents<'data, R: ReadRef<'data>>(
    data: R,
    sections: &SectionTable<'data, FileHeader64<Le>, R>,
    at: Place,
) -> Option<&'data [u8]> {
    let section = sections.section(SectionIndex(at.section)).ok()?;
    section.data(Le, data).ok()?.get(usize::try_from(at.offset).ok()?..)
}

/// A relocatable object.
struct Relocatable<'a, 'data, R: ReadRef<'data>> {
    data: R,
    sections: &'a SectionTable<'data, FileHeader64<Le>, R>,
    pointers: HashMap<Place, Place>,
}

impl<'a, 'data, R: ReadRef<'data>> Relocatable<'a, 'data, R> {
    fn new(data: R, sections: &'a SectionTable<'data, FileHeader64<Le>, R>) -> Option<Self> {
        let symbols = sections.symbols(Le, data, object::elf::SHT_SYMTAB).ok()?;
        let mut pointers = HashMap::new();
        for section in sections.iter() {
            let Ok(Some((relocations, _))) = section.rela(Le, data) else {
                continue;
            };
            let place = section.info_link(Le).0;
            for relocation in relocations {
                if let Some(target) = target(relocation, &symbols) {
                    let offset = relocation.r_offset(Le);
                    pointers.insert(Place { section: place, offset }, target);
                }
            }
        }
        Some(Self {
            data,
            sections,
            pointers,
        })
    }
}

fn target<'data, R: ReadRef<'data>>(
    relocation: &object::elf::Rela64<Le>,
    symbols: &SymbolTable<'data, FileHeader64<Le>, R>,
) -> Option<Place> {
    if relocation.r_type(Le, false) != R_X86_64_64 {
        return None;
    }
    let index = relocation.symbol(Le, false)?;
    let symbol = symbols.symbol(index).ok()?;
    Some(Place {
        section: usize::from(symbol.st_shndx(Le).0),
        offset: symbol.st_value(Le).wrapping_add_signed(relocation.r_addend(Le)),
    })
}

impl<'data, R: ReadRef<'data>> Memory for Relocatable<'_, 'data, R> {
    fn bytes(&self, at: Place) -> Option<&[u8]> {
        contents(self.data, self.sections, at)
    }

    fn pointer(&self, at: Place) -> Option<Place> {
        self.pointers.get(&at).copied()
    }
}

/// A kernel: pointers are addresses.
struct Addressed<'a, 'data, R: ReadRef<'data>> {
    data: R,
    sections: &'a SectionTable<'data, FileHeader64<Le>, R>,
}

impl<'data, R: ReadRef<'data>> Memory for Addressed<'_, 'data, R> {
    fn bytes(&self, at: Place) -> Option<&[u8]> {
        contents(self.data, self.sections, at)
    }

    fn pointer(&self, at: Place) -> Option<Place> {
        let address = u64::from_le_bytes(self.bytes(at)?.get(..8)?.try_into().ok()?);
        let found = self.sections.enumerate().find(|(_, section)| {
            let start = section.sh_addr(Le);
            let loaded = section.sh_flags(Le).0 & SHF_ALLOC.0 != 0 && section.sh_type(Le) != SHT_NOBITS;
            loaded && address >= start && address - start < section.sh_size(Le)
        });
        let (index, section) = found?;
        Some(Place {
            section: index.0,
            offset: address - section.sh_addr(Le),
        })
    }
}
