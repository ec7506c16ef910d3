//! What the kernel's linker reads of a module's file, checked.

use object::read::elf::{ElfFile64, FileHeader, SectionHeader};
use object::read::{Object, ObjectSection, ObjectSymbol, SectionIndex, SymbolIndex};
use object::{LittleEndian, RelocationFlags, RelocationTarget, elf};

use super::LoadError;
use super::memory::Protection;

/// A section that is loaded.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub(super) index: SectionIndex,
    pub(super) name: &'a str,
    /// Empty for memory that begins as zeros.
    pub(super) contents: &'a [u8],
    pub(super) size: usize,
    pub(super) alignment: usize,
    pub(super) protection: Protection,
    pub(super) relocations: Vec<Relocation>,
}

/// A relocation with its addend.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relocation {
    pub(super) offset: u64,
    pub(super) kind: u32,
    pub(super) symbol: Option<SymbolIndex>,
    pub(super) addend: i64,
}

/// Where a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// In a section, at an offset.
    Section(SectionIndex, u64),
    Absolute(u64),
    /// Somewhere else, or, if it is weak, perhaps nowhere.
    Undefined {
        name: &'a str,
        weak: bool,
    },
}

/// A module's file.
pub(super) struct Module<'a> {
    file: ElfFile64<'a, LittleEndian>,
    pub(super) sections: Vec<Section<'a>>,
}

impl<'a> Module<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, LoadError> {
        let file = ElfFile64::<LittleEndian>::parse(bytes)?;
        let header = file.elf_header();
        if header.e_type(LittleEndian) != elf::ET_REL {
            return Err(LoadError::Kind("it is not relocatable (ET_REL)"));
        }
        if header.e_machine(LittleEndian) != elf::EM_X86_64 {
            return Err(LoadError::Kind("it is not for amd64"));
        }
        let is_symbols =
            |section: &&elf::SectionHeader64<LittleEndian>| section.sh_type(LittleEndian) == elf::SHT_SYMTAB;
        if file.elf_section_table().iter().filter(is_symbols).count() != 1 {
            return Err(LoadError::Kind("it does not have exactly one symbol table"));
        }
        let mut sections = Vec::new();
        for section in file.sections() {
            if let Some(protection) = protection(section.elf_section_header()) {
                sections.push(Section {
                    index: section.index(),
                    name: section.name()?,
                    contents: section.data()?,
                    size: usize::try_from(section.size()).unwrap_or(usize::MAX),
                    alignment: usize::try_from(section.align().max(1)).unwrap_or(usize::MAX),
                    protection,
                    relocations: relocations(&section)?,
                });
            }
        }
        Ok(Self { file, sections })
    }

    /// Where a symbol is.
    pub(super) fn place(&self, index: SymbolIndex) -> Result<Place<'a>, LoadError> {
        let symbol = self.file.symbol_by_index(index)?;
        match symbol.section() {
            object::SymbolSection::Section(section) => Ok(Place::Section(section, symbol.address())),
            object::SymbolSection::Absolute => Ok(Place::Absolute(symbol.address())),
            object::SymbolSection::Undefined => Ok(Place::Undefined {
                name: symbol.name()?,
                weak: symbol.is_weak(),
            }),
            _ => Err(LoadError::Kind(
                "it has common symbols, which the hosted kernel does not allocate",
            )),
        }
    }
}

/// What may be done with a section, if the kernel's linker loads it.
fn protection(header: &elf::SectionHeader64<LittleEndian>) -> Option<Protection> {
    let loaded = [
        elf::SHT_PROGBITS,
        elf::SHT_NOBITS,
        elf::SHT_X86_64_UNWIND,
        elf::SHT_INIT_ARRAY,
        elf::SHT_FINI_ARRAY,
    ];
    let flags = header.sh_flags(LittleEndian);
    if flags.0 & elf::SHF_ALLOC.0 == 0 || !loaded.contains(&header.sh_type(LittleEndian)) {
        None
    } else if flags.0 & elf::SHF_EXECINSTR.0 != 0 {
        Some(Protection::Execute)
    } else if flags.0 & elf::SHF_WRITE.0 != 0 {
        Some(Protection::Write)
    } else {
        Some(Protection::Read)
    }
}

fn relocations<'a>(section: &impl ObjectSection<'a>) -> Result<Vec<Relocation>, LoadError> {
    let relocation = |(offset, relocation): (u64, object::Relocation)| {
        let RelocationFlags::Elf { r_type, .. } = relocation.flags() else {
            return Err(LoadError::Kind("it has relocations of another format"));
        };
        if relocation.has_implicit_addend() {
            return Err(LoadError::Kind("it has relocations without addend (SHT_REL)"));
        }
        let symbol = match relocation.target() {
            RelocationTarget::Symbol(symbol) => Some(symbol),
            _ => None,
        };
        Ok(Relocation {
            offset,
            kind: r_type.0,
            symbol,
            addend: relocation.addend(),
        })
    };
    section.relocations().map(relocation).collect()
}
