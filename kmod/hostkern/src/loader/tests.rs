//! Small modules, made here.

use object::write::{
    Object as Writer, Relocation, SectionId, StandardSection, Symbol as WrittenSymbol, SymbolId, SymbolSection,
};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

use super::*;

/// mov $imm32, %eax; ret
const RETURNS: [u8; 6] = [0xb8, 0, 0, 0, 0, 0xc3];

fn writer() -> Writer<'static> {
    Writer::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little)
}

fn symbol(writer: &mut Writer<'_>, name: &str, section: SymbolSection, weak: bool) -> SymbolId {
    writer.add_symbol(WrittenSymbol {
        name: name.as_bytes().to_vec(),
        value: 0,
        size: 0,
        kind: SymbolKind::Text,
        scope: SymbolScope::Dynamic,
        weak,
        section,
        flags: SymbolFlags::None,
    })
}

fn relocate(
    writer: &mut Writer<'_>,
    section: SectionId,
    offset: u64,
    symbol: SymbolId,
    kind: elf::RelocationType,
    addend: i64,
) {
    let relocation = Relocation {
        offset,
        symbol,
        addend,
        flags: RelocationFlags::Elf { r_type: kind },
    };
    writer.add_relocation(section, relocation).expect("a relocation of ELF");
}

fn set(writer: &mut Writer<'_>, name: &str, contents: &[u8]) -> SectionId {
    let set = writer.add_section(Vec::new(), name.as_bytes().to_vec(), SectionKind::Data);
    writer.append_section_data(set, contents, 8);
    set
}

extern "C" fn forty_two() -> u32 {
    42
}

static VARIABLE: u32 = 7;

fn resolve(name: &str) -> Option<Symbol> {
    match name {
        "forty_two" => Some(Symbol::Function(forty_two as *const () as usize)),
        "variable" => Some(Symbol::Variable {
            address: (&raw const VARIABLE).addr(),
            size: 4,
        }),
        _ => None,
    }
}

fn load(writer: &Writer<'_>) -> Result<Image, LoadError> {
    Image::from_bytes(&writer.write().expect("an object"), &resolve)
}

/// The function behind the first pointer of a set.
fn function(image: &Image, set: &str) -> extern "C" fn() -> u32 {
    // SAFETY: the set of a loaded module, whose members are addresses here.
    let entries = unsafe { image.set(set).entries::<u8>() };
    // SAFETY: the test put a function of this type there.
    unsafe { std::mem::transmute::<*mut u8, extern "C" fn() -> u32>(entries[0]) }
}

/// A module whose `set_test` leads to a function made of `code`, relocated at `offset` by `kind` against `name`.
fn module(code: &[u8], offset: u64, name: &str, kind: elf::RelocationType, addend: i64) -> Writer<'static> {
    let mut writer = writer();
    let text = writer.section_id(StandardSection::Text);
    writer.append_section_data(text, code, 16);
    let start = symbol(&mut writer, "start", SymbolSection::Section(text), false);
    let other = symbol(&mut writer, name, SymbolSection::Undefined, false);
    relocate(&mut writer, text, offset, other, kind, addend);
    let entries = set(&mut writer, "set_test", &[0; 8]);
    relocate(&mut writer, entries, 0, start, elf::R_X86_64_64, 0);
    writer
}

#[test]
fn calls_reach_the_kernel() {
    // sub $8, %rsp; call forty_two; add $8, %rsp; ret
    let code = [0x48, 0x83, 0xec, 8, 0xe8, 0, 0, 0, 0, 0x48, 0x83, 0xc4, 8, 0xc3];
    for kind in [elf::R_X86_64_PLT32, elf::R_X86_64_PC32] {
        let image = load(&module(&code, 5, "forty_two", kind, -4)).expect("a good module");
        assert_eq!(function(&image, "set_test")(), 42);
        assert!((function(&image, "set_test") as usize) < 1 << 31, "in the low 2 GiB");
    }
}

#[test]
fn variables_are_read_from_copies_in_reach() {
    // mov variable, %eax (absolute, sign-extended); ret
    let code = [0x8b, 0x04, 0x25, 0, 0, 0, 0, 0xc3];
    let image = load(&module(&code, 3, "variable", elf::R_X86_64_32S, 0)).expect("a good module");
    assert_eq!(function(&image, "set_test")(), 7);
    assert_eq!(image.copies()[0].0, (&raw const VARIABLE).addr());
}

#[test]
fn whole_pointers_lead_to_the_kernel_itself() {
    let mut writer = writer();
    let other = symbol(&mut writer, "forty_two", SymbolSection::Undefined, false);
    let entries = set(&mut writer, "set_test", &[0; 8]);
    relocate(&mut writer, entries, 0, other, elf::R_X86_64_64, 0);
    let image = load(&writer).expect("a good module");
    assert_eq!(function(&image, "set_test") as usize, forty_two as *const () as usize);
}

#[test]
fn a_weak_symbol_may_be_missing() {
    let mut writer = writer();
    let other = symbol(&mut writer, "nowhere", SymbolSection::Undefined, true);
    let entries = set(&mut writer, "set_test", &[0xff; 8]);
    relocate(&mut writer, entries, 0, other, elf::R_X86_64_64, 0);
    let image = load(&writer).expect("a good module");
    // SAFETY: addresses of a loaded module's set.
    assert!(unsafe { image.set("set_test").entries::<u8>() }[0].is_null());
}

#[test]
fn every_missing_symbol_is_named() {
    let mut writer = module(&RETURNS, 1, "nowhere", elf::R_X86_64_32S, 0);
    let other = symbol(&mut writer, "neither", SymbolSection::Undefined, false);
    let entries = set(&mut writer, "set_more", &[0; 8]);
    relocate(&mut writer, entries, 0, other, elf::R_X86_64_64, 0);
    match load(&writer) {
        Err(LoadError::Undefined(names)) => assert_eq!(names, ["nowhere", "neither"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn relocations_the_kernel_does_not_apply_are_refused() {
    let refused = [
        elf::R_X86_64_32,
        elf::R_X86_64_GOTPCREL,
        elf::R_X86_64_GOTPCRELX,
        elf::R_X86_64_REX_GOTPCRELX,
        elf::R_X86_64_PC64,
        elf::R_X86_64_TPOFF32,
        elf::R_X86_64_COPY,
    ];
    for kind in refused {
        match load(&module(&RETURNS, 1, "forty_two", kind, 0)) {
            Err(LoadError::Relocation { section, offset, .. }) => assert_eq!((section.as_str(), offset), (".text", 1)),
            other => panic!("{kind:?}: {other:?}"),
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let far = module(&RETURNS, 1, "forty_two", elf::R_X86_64_32S, 1 << 40);
    assert!(matches!(load(&far), Err(LoadError::OutOfRange { .. })));
    let outside = module(&RETURNS, 4, "forty_two", elf::R_X86_64_32S, 0);
    assert!(matches!(load(&outside), Err(LoadError::OutOfRange { .. })));
}

#[test]
fn other_files_are_refused() {
    let bytes = module(&RETURNS, 1, "forty_two", elf::R_X86_64_32S, 0)
        .write()
        .expect("an object");
    let mut executable = bytes.clone();
    executable[16] = 2;
    assert!(matches!(
        Image::from_bytes(&executable, &resolve),
        Err(LoadError::Kind(_))
    ));
    let mut other_machine = bytes.clone();
    other_machine[18] = 183;
    assert!(matches!(
        Image::from_bytes(&other_machine, &resolve),
        Err(LoadError::Kind(_))
    ));
    assert!(matches!(
        Image::from_bytes(&bytes[..40], &resolve),
        Err(LoadError::Elf(_))
    ));
    let missing = Image::load(std::path::Path::new("/nonexistent/ng_none.ko"));
    assert!(matches!(missing, Err(LoadError::File { .. })));
}
