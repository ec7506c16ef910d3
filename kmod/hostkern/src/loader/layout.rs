//! Where everything of a module goes: code, constants, variables, each from a page boundary on; jumps to the kernel's
//! functions behind the code, copies of its variables behind the variables.

use std::collections::BTreeMap;
use std::ops::Range;

use object::SectionIndex;

use super::elf::{Module, Place};
use super::memory::{Protection, Region};
use super::{LoadError, Symbol};

const PAGE: usize = 4096;
/// The length of a jump: `jmp *0(%rip)`, the address, two bytes of padding.
const JUMP: usize = 16;

/// A symbol of the kernel, and where its stand-in goes.
#[derive(Debug, Clone, Copy)]
struct External {
    symbol: Symbol,
    /// Offset of the jump or copy in the region.
    stand_in: usize,
}

/// The plan of a module's memory; all offsets are from the start of the region.
#[derive(Debug)]
pub(super) struct Layout {
    sections: BTreeMap<usize, usize>,
    externals: BTreeMap<String, External>,
    groups: Vec<(Range<usize>, Protection)>,
    size: usize,
}

impl Layout {
    /// Plans the memory of `module`.
    ///
    /// # Errors
    /// [`LoadError::Undefined`]: the kernel lacks symbols, all of which are named.
    pub(super) fn of(module: &Module<'_>, resolve: &dyn Fn(&str) -> Option<Symbol>) -> Result<Self, LoadError> {
        let mut layout = Self {
            sections: BTreeMap::new(),
            externals: externals(module, resolve)?,
            groups: Vec::new(),
            size: 0,
        };
        for protection in [Protection::Execute, Protection::Read, Protection::Write] {
            layout.group(module, protection);
        }
        Ok(layout)
    }

    /// Places the sections and stand-ins of one protection.
    fn group(&mut self, module: &Module<'_>, protection: Protection) {
        let start = self.size;
        let mut end = start;
        let mut place = |size: usize, alignment: usize| {
            let offset = end.next_multiple_of(alignment);
            end = offset + size;
            offset
        };
        for section in module
            .sections
            .iter()
            .filter(|section| section.protection == protection)
        {
            let offset = place(section.size, section.alignment);
            self.sections.insert(section.index.0, offset);
        }
        for external in self.externals.values_mut() {
            match external.symbol {
                Symbol::Function(_) if protection == Protection::Execute => external.stand_in = place(JUMP, JUMP),
                Symbol::Variable { size, .. } if protection == Protection::Write => external.stand_in = place(size, 16),
                _ => {}
            }
        }
        let end = end.next_multiple_of(PAGE);
        self.groups.push((start..end, protection));
        self.size = end;
    }

    pub(super) fn size(&self) -> usize {
        self.size.max(PAGE)
    }

    pub(super) fn protections(&self) -> Vec<(Range<usize>, Protection)> {
        self.groups.clone()
    }

    /// The offset of a section, `None` if it is not loaded.
    pub(super) fn section(&self, index: SectionIndex) -> Option<usize> {
        self.sections.get(&index.0).copied()
    }

    /// A kernel symbol's own address, and the offset of its stand-in.
    pub(super) fn external(&self, name: &str) -> Option<(usize, usize)> {
        let external = self.externals.get(name)?;
        Some((external.symbol.address(), external.stand_in))
    }

    /// Copies the sections and makes the stand-ins.
    pub(super) fn fill(&self, module: &Module<'_>, memory: &mut Region) -> Result<(), LoadError> {
        for section in &module.sections {
            let start = self.sections[&section.index.0];
            let place = memory.bytes().get_mut(start..start + section.contents.len());
            place
                .ok_or(LoadError::Kind("a section is longer than it says"))?
                .copy_from_slice(section.contents);
        }
        for External { symbol, stand_in } in self.externals.values() {
            let bytes = symbol.stand_in();
            memory.bytes()[*stand_in..*stand_in + bytes.len()].copy_from_slice(&bytes);
        }
        Ok(())
    }

    /// The kernel's variables, and their copies in a region at `base`.
    pub(super) fn copies(&self, base: usize) -> Vec<(usize, usize)> {
        let copy = |external: &External| match external.symbol {
            Symbol::Variable { address, .. } => Some((address, base + external.stand_in)),
            Symbol::Function(_) => None,
        };
        self.externals.values().filter_map(copy).collect()
    }

    /// The linker sets in a region at `base`: start and length in bytes, by name.
    pub(super) fn sets(&self, module: &Module<'_>, base: usize) -> BTreeMap<String, (usize, usize)> {
        let sets = module
            .sections
            .iter()
            .filter(|section| section.name.starts_with("set_"));
        sets.map(|section| {
            let start = base + self.sections[&section.index.0];
            (section.name.to_owned(), (start, section.size))
        })
        .collect()
    }
}

impl Symbol {
    /// What a 32-bit relocation reaches in its place.
    fn stand_in(&self) -> Vec<u8> {
        match *self {
            Self::Function(address) => {
                let mut jump = vec![0xff, 0x25, 0, 0, 0, 0];
                jump.extend(address.to_le_bytes());
                jump
            }
            Self::Variable { address, size } => {
                let mut copy = vec![0; size];
                // SAFETY: the table of symbols says that so many bytes of a static lie there; nobody writes to it while
                // a module is being loaded.
                unsafe { std::ptr::copy_nonoverlapping(address as *const u8, copy.as_mut_ptr(), size) };
                copy
            }
        }
    }
}

/// The kernel's symbols that relocations of loaded sections ask for. Those that are weak may be missing.
fn externals(
    module: &Module<'_>,
    resolve: &dyn Fn(&str) -> Option<Symbol>,
) -> Result<BTreeMap<String, External>, LoadError> {
    let mut found = BTreeMap::new();
    let mut missing = Vec::new();
    let relocations = module.sections.iter().flat_map(|section| &section.relocations);
    for symbol in relocations.filter_map(|relocation| relocation.symbol) {
        let Place::Undefined { name, weak } = module.place(symbol)? else {
            continue;
        };
        match resolve(name) {
            Some(symbol) => {
                found.insert(name.to_owned(), External { symbol, stand_in: 0 });
            }
            None if weak || missing.iter().any(|known| known == name) => {}
            None => missing.push(name.to_owned()),
        }
    }
    if missing.is_empty() {
        Ok(found)
    } else {
        Err(LoadError::Undefined(missing))
    }
}
