use super::*;

#[test]
fn a_program_of_this_machine_says_what_it_needs() {
    let program = std::fs::read("/proc/self/exe").unwrap();
    let needs = needs(&program[..]).unwrap();
    assert!(needs.interpreter.unwrap().contains("ld-linux"));
    assert!(
        needs.libraries.contains(&"libc.so.6".to_owned()),
        "{:?}",
        needs.libraries
    );
    assert_eq!(module_dependencies(&program), None);
    assert_eq!(kld(&program[..]), None);
}

#[test]
fn what_is_no_program_needs_nothing_that_could_be_told() {
    for bytes in [&b""[..], b"text", b"#!", b"#! relative\n", b"\x7fELF", &[0x7f; 64]] {
        assert_eq!(needs(bytes), None);
        assert_eq!(facts(bytes), None);
        assert_eq!(module_dependencies(bytes), None);
    }
}

#[test]
fn a_script_names_its_interpreter() {
    let facts_of = |text: &[u8]| facts(text);
    assert_eq!(facts_of(b"#!/bin/sh\n"), Some(Facts::Script("/bin/sh".into())));
    assert_eq!(
        facts_of(b"#! /usr/bin/env -S lua\n"),
        Some(Facts::Script("/usr/bin/env".into()))
    );
}

/// Whatever a byte of a good file is changed to, reading it ends, with an answer or without.
#[test]
fn damaged_files_are_read_to_an_end() {
    let program = std::fs::read("/proc/self/exe").unwrap();
    let header = program[..64].to_vec();
    for at in 0..64 {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = program[..program.len().min(1 << 16)].to_vec();
            bytes[..64].copy_from_slice(&header);
            bytes[at] = value;
            let _ = facts(&bytes[..]);
        }
    }
}

/// A kernel module with entries of these types and names in its linker set.
fn module(entries: &[(u32, &str)]) -> Vec<u8> {
    use object::write::{Object, Relocation, Symbol, SymbolSection};
    use object::{Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind};

    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let set = object.add_section(vec![], b"set_modmetadata_set".to_vec(), SectionKind::ReadOnlyData);
    let data = object.add_section(vec![], b".data".to_vec(), SectionKind::Data);
    let symbol = object.add_symbol(Symbol {
        name: b"start".to_vec(),
        value: 0,
        size: 0,
        kind: SymbolKind::Data,
        scope: object::SymbolScope::Compilation,
        weak: false,
        section: SymbolSection::Section(data),
        flags: SymbolFlags::None,
    });
    let point = |object: &mut Object<'_>, section, offset, addend: u64| {
        let flags = RelocationFlags::Elf {
            r_type: object::elf::R_X86_64_64,
        };
        let relocation = Relocation {
            offset,
            symbol,
            addend: addend as i64,
            flags,
        };
        object.add_relocation(section, relocation).unwrap();
    };
    for (kind, name) in entries {
        let text = object.append_section_data(data, &[name.as_bytes(), b"\0"].concat(), 1);
        let body = [&1u32.to_le_bytes()[..], &kind.to_le_bytes(), &[0; 16]].concat();
        let metadata = object.append_section_data(data, &body, 8);
        point(&mut object, data, metadata + 16, text);
        let entry = object.append_section_data(set, &[0; 8], 8);
        point(&mut object, set, entry, metadata);
    }
    object.write().unwrap()
}

#[test]
fn a_kernel_module_tells_what_it_brings_and_needs() {
    let bytes = module(&[(1, "kernel"), (2, "ng_x"), (3, "ng_x"), (1, "netgraph")]);
    let Some(Facts::Kld(kld)) = facts(&bytes[..]) else {
        panic!("not a module");
    };
    assert_eq!(kld.provides, ["ng_x"]);
    assert_eq!(kld.depends, ["kernel", "netgraph"]);
}

#[test]
fn a_damaged_kernel_module_is_read_to_an_end() {
    let good = module(&[(1, "kernel"), (3, "ng_x")]);
    for at in 0..good.len() {
        for value in [0, 0x7f, 0xff] {
            let mut bytes = good.clone();
            bytes[at] = value;
            let _ = facts(&bytes[..]);
        }
        let _ = facts(&good[..at]);
    }
}
