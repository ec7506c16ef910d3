//! Whether an object is a module that FreeBSD's amd64 loader takes, and one that keeps the project's promises.
//!
//! The loader (`sys/kern/link_elf_obj.c`, `sys/amd64/amd64/elf_machdep.c`) takes ET_REL with one symbol table and a few
//! kinds of relocations; a kernel thread may not touch vector or floating-point registers, which belong to the process.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context, Result, bail, ensure};
use iced_x86::{Decoder, DecoderOptions, Instruction, InstructionInfoFactory, Register};
use object::elf::{self, FileHeader64, SectionHeader64};
use object::read::elf::{FileHeader, Rela, SectionHeader, SectionTable, Sym};
use object::{LittleEndian, SymbolIndex};

const ENDIAN: LittleEndian = LittleEndian;

/// The largest module that is emitted, in bytes: three times the C module's 30 KiB, since a third of it is symbols and
/// relocations, and since events, policies and statistics, with their ASCII forms, are not in the C module.
const LIMIT: usize = 96 * 1024;

/// What may be imported, one symbol per line.
const IMPORTS: &str = include_str!("imports.txt");

/// What the panic handler calls: there when a panic can be reached.
const PANIC: &str = "ngforge_panic_is_reachable";

/// What netstat(1) looks for.
const EXPORT: &str = "ngsocklist";

/// The linker sets without which the kernel would load the module and never look at it.
const LINKER_SETS: [&str; 4] = [
    "set_sysinit_set",
    "set_sysuninit_set",
    "set_modmetadata_set",
    "set_sysctl_set",
];

/// Relocations the loader applies, by their names in the ABI.
const RELOCATIONS: [(u32, &str); 4] = [
    (elf::R_X86_64_64.0, "64"),
    (elf::R_X86_64_PC32.0, "PC32"),
    (elf::R_X86_64_PLT32.0, "PLT32"),
    (elf::R_X86_64_32S.0, "32S"),
];

/// What a module that passed consists of.
pub struct Report {
    size: usize,
    imports: usize,
    relocations: BTreeMap<&'static str, usize>,
    instructions: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relocations = self.relocations.iter().map(|(name, count)| format!("{count} {name}"));
        let relocations = relocations.collect::<Vec<_>>().join(", ");
        write!(
            f,
            "{} bytes, {} imports, relocations {relocations}; {} instructions without SSE or x87; no panic",
            self.size, self.imports, self.instructions
        )
    }
}

type Sections<'a> = SectionTable<'a, FileHeader64<LittleEndian>>;

/// Checks an object.
///
/// # Errors
/// Says what the loader would refuse, or which promise is broken, and where.
pub fn module(bytes: &[u8]) -> Result<Report> {
    ensure!(bytes.len() <= LIMIT, "it is {} bytes; {LIMIT} are allowed", bytes.len());
    let header = FileHeader64::<LittleEndian>::parse(bytes).context("it is not an ELF64 file")?;
    ensure!(
        header.e_type(ENDIAN) == elf::ET_REL,
        "it is no relocatable object (ET_REL)"
    );
    ensure!(header.e_machine(ENDIAN) == elf::EM_X86_64, "it is not for x86-64");
    let sections = header.sections(ENDIAN, bytes).context("it has no section table")?;
    linker_sets(&sections)?;
    Ok(Report {
        size: bytes.len(),
        imports: symbols(&sections, bytes)?,
        relocations: relocations(&sections, bytes)?,
        instructions: instructions(&sections, bytes)?,
    })
}

fn name<'a>(sections: &Sections<'a>, section: &'a SectionHeader64<LittleEndian>) -> String {
    sections
        .section_name(ENDIAN, section)
        .map_or_else(|_| "?".into(), |name| String::from_utf8_lossy(name).into())
}

fn linker_sets(sections: &Sections<'_>) -> Result<()> {
    let names: BTreeSet<String> = sections.iter().map(|section| name(sections, section)).collect();
    for set in LINKER_SETS {
        ensure!(
            names.contains(set),
            "the linker set {set} is missing: the kernel would not find what the module offers"
        );
    }
    Ok(())
}

/// Checks the symbol table; returns how many symbols are imported.
fn symbols(sections: &Sections<'_>, bytes: &[u8]) -> Result<usize> {
    let tables = sections
        .iter()
        .filter(|section| section.sh_type(ENDIAN) == elf::SHT_SYMTAB)
        .count();
    ensure!(tables == 1, "it has {tables} symbol tables; the loader wants one");
    let table = sections.symbols(ENDIAN, bytes, elf::SHT_SYMTAB)?;
    let allowed: BTreeSet<&str> = IMPORTS.lines().filter(|line| !line.starts_with('#')).collect();
    let mut imports = BTreeSet::new();
    let mut exported = false;
    for symbol in table.iter() {
        let name = String::from_utf8_lossy(symbol.name(ENDIAN, table.strings())?).into_owned();
        if symbol.is_undefined(ENDIAN) && !name.is_empty() {
            imports.insert(name);
        } else if name == EXPORT {
            exported = symbol.st_bind() == elf::STB_GLOBAL;
        }
    }
    ensure!(
        exported,
        "the symbol {EXPORT} is not exported: netstat -f netgraph would not find the sockets"
    );
    if imports.contains(PANIC) {
        bail!("it can panic: some code reaches the panic handler; in the kernel that would stop the machine");
    }
    let strange: Vec<&str> = imports
        .iter()
        .map(String::as_str)
        .filter(|name| !allowed.contains(name))
        .collect();
    ensure!(
        strange.is_empty(),
        "it imports {}, which the kernel need not have (allowed are those of xtask/src/kmod/imports.txt)",
        strange.join(", ")
    );
    Ok(imports.len())
}

/// Checks the relocations of everything that is loaded; returns how many there are of each kind.
fn relocations(sections: &Sections<'_>, bytes: &[u8]) -> Result<BTreeMap<&'static str, usize>> {
    let mut counts = BTreeMap::new();
    for section in sections.iter() {
        let Some((entries, link)) = section.rela(ENDIAN, bytes)? else {
            continue;
        };
        let target = sections.section(section.info_link(ENDIAN))?;
        if target.sh_flags(ENDIAN).0 & elf::SHF_ALLOC.0 == 0 {
            continue;
        }
        let table = sections.symbol_table_by_index(ENDIAN, bytes, link)?;
        for entry in entries {
            let kind = entry.r_type(ENDIAN, false);
            let Some((_, known)) = RELOCATIONS.iter().find(|(number, _)| *number == kind.0) else {
                let symbol = table.symbol(SymbolIndex(entry.r_sym(ENDIAN, false) as usize))?;
                bail!(
                    "the loader does not know relocation type {} ({} + {:#x}, symbol {})",
                    kind.0,
                    name(sections, target),
                    entry.r_offset(ENDIAN),
                    String::from_utf8_lossy(symbol.name(ENDIAN, table.strings())?)
                );
            };
            *counts.entry(*known).or_default() += 1;
        }
    }
    Ok(counts)
}

/// Checks that no instruction uses a register that belongs to the interrupted process; returns how many there are.
fn instructions(sections: &Sections<'_>, bytes: &[u8]) -> Result<usize> {
    let mut count = 0;
    let mut factory = InstructionInfoFactory::new();
    for section in sections.iter() {
        if section.sh_flags(ENDIAN).0 & elf::SHF_EXECINSTR.0 == 0 {
            continue;
        }
        let code = section.data(ENDIAN, bytes)?;
        let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        while decoder.can_decode() {
            decoder.decode_out(&mut instruction);
            let used = factory
                .info(&instruction)
                .used_registers()
                .iter()
                .map(|used| used.register());
            if let Some(register) = used.into_iter().find(|register| is_process_state(*register)) {
                bail!(
                    "{} + {:#x} uses {register:?}: {instruction}",
                    name(sections, section),
                    instruction.ip()
                );
            }
            count += usize::from(!instruction.is_invalid());
        }
    }
    Ok(count)
}

/// Vector, MMX and x87 registers.
fn is_process_state(register: Register) -> bool {
    register.is_vector_register() || register.is_mm() || register.is_st()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relocatable_objects_pass() {
        let error = module(b"#!/bin/sh").err().map(|error| format!("{error:#}"));
        assert!(
            error
                .as_deref()
                .is_some_and(|error| error.contains("not an ELF64 file")),
            "{error:?}"
        );
        let own = std::fs::read(std::env::current_exe().expect("a test has a file")).expect("and may read it");
        let error = module(&own).err().map(|error| format!("{error:#}"));
        assert!(
            error
                .as_deref()
                .is_some_and(|error| error.contains("98304 are allowed")),
            "{error:?}"
        );
    }

    #[test]
    fn vector_registers_are_the_process_s() {
        assert!(is_process_state(Register::XMM0) && is_process_state(Register::MM3) && is_process_state(Register::ST1));
        assert!(!is_process_state(Register::RAX) && !is_process_state(Register::GS));
    }

    #[test]
    fn the_list_of_imports_has_no_panic() {
        assert!(IMPORTS.lines().all(|line| !line.contains("panic")));
    }
}
