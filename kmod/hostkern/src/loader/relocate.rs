//! The relocations that FreeBSD/amd64 applies to a module.

use object::elf;

use super::LoadError;
use super::elf::{Module, Place, Relocation, Section};
use super::layout::Layout;
use super::memory::Region;

/// How a relocated field is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// S + A, 64 bits.
    Absolute64,
    /// S + A, 32 bits that are sign-extended.
    Absolute32,
    /// S + A - P, 32 bits that are sign-extended.
    Relative32,
    /// B + A, 64 bits.
    Base64,
}

/// What to do for a relocation type; `None`: nothing.
fn field(kind: u32) -> Result<Option<Field>, u32> {
    match elf::RelocationType(kind) {
        elf::R_X86_64_NONE => Ok(None),
        elf::R_X86_64_64 | elf::R_X86_64_GLOB_DAT | elf::R_X86_64_JUMP_SLOT => Ok(Some(Field::Absolute64)),
        elf::R_X86_64_32S => Ok(Some(Field::Absolute32)),
        elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 => Ok(Some(Field::Relative32)),
        elf::R_X86_64_RELATIVE => Ok(Some(Field::Base64)),
        _ => Err(kind),
    }
}

/// Applies every relocation of the loaded sections.
///
/// # Errors
/// A relocation is of a type that the kernel's linker refuses, or does not fit. (That linker does not check whether it fits
/// and truncates.)
pub(super) fn apply(module: &Module<'_>, layout: &Layout, memory: &mut Region) -> Result<(), LoadError> {
    for section in &module.sections {
        for relocation in &section.relocations {
            let field = field(relocation.kind).map_err(|kind| LoadError::Relocation {
                section: section.name.to_owned(),
                kind,
                offset: relocation.offset,
            })?;
            if let Some(field) = field {
                apply_one(module, layout, memory, section, relocation, field)?;
            }
        }
    }
    Ok(())
}

fn apply_one(
    module: &Module<'_>,
    layout: &Layout,
    memory: &mut Region,
    section: &Section<'_>,
    relocation: &Relocation,
    field: Field,
) -> Result<(), LoadError> {
    let misfit = || LoadError::OutOfRange {
        section: section.name.to_owned(),
        offset: relocation.offset,
    };
    let base = memory.address() as u64;
    let offset = usize::try_from(relocation.offset).map_err(|_| misfit())?;
    let place = layout.section(section.index).ok_or_else(misfit)? + offset;
    let symbol = match field {
        Field::Base64 => base,
        _ => symbol(module, layout, base, relocation, field)?.ok_or_else(misfit)?,
    };
    let value = symbol.wrapping_add_signed(relocation.addend);
    let value = if field == Field::Relative32 {
        value.wrapping_sub(base + place as u64)
    } else {
        value
    };
    let bytes = match field {
        Field::Absolute64 | Field::Base64 => value.to_le_bytes().to_vec(),
        Field::Absolute32 | Field::Relative32 => {
            let value = i32::try_from(value.cast_signed()).map_err(|_| misfit())?;
            value.to_le_bytes().to_vec()
        }
    };
    if offset + bytes.len() > section.size {
        return Err(misfit());
    }
    memory.bytes()[place..place + bytes.len()].copy_from_slice(&bytes);
    Ok(())
}

/// The value of a relocation's symbol; `None` if it lies in a section that is not loaded.
fn symbol(
    module: &Module<'_>,
    layout: &Layout,
    base: u64,
    relocation: &Relocation,
    field: Field,
) -> Result<Option<u64>, LoadError> {
    let Some(index) = relocation.symbol else {
        return Ok(Some(0));
    };
    Ok(match module.place(index)? {
        Place::Section(section, offset) => layout.section(section).map(|start| base + start as u64 + offset),
        Place::Absolute(value) => Some(value),
        Place::Undefined { name, .. } => Some(match layout.external(name) {
            Some((address, _)) if field == Field::Absolute64 => address as u64,
            Some((_, stand_in)) => base + stand_in as u64,
            // What is weak and nowhere is 0.
            None => 0,
        }),
    })
}
