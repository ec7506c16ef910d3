//! What programs, libraries and kernel modules need of each other.

use object::LittleEndian;
use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader};

/// The interpreter of a program, and the names of the libraries that it loads.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Its path, such as `/lib64/ld-linux-x86-64.so.2`.
    pub interpreter: Option<String>,
    /// Sonames, such as `libc.so.6`.
    pub libraries: Vec<String>,
}

/// What a program or library needs; `None` if it is no 64-bit ELF file.
pub fn needs(bytes: &[u8]) -> Option<Needs> {
    let header = FileHeader64::<LittleEndian>::parse(bytes).ok()?;
    let endian = LittleEndian;
    let mut needs = Needs::default();
    for segment in header.program_headers(endian, bytes).ok()? {
        if let Some(path) = segment.interpreter(endian, bytes).ok()? {
            needs.interpreter = Some(String::from_utf8_lossy(path).into_owned());
        }
    }
    let sections = header.sections(endian, bytes).ok()?;
    let Some((entries, strings)) = sections.dynamic(endian, bytes).ok()? else {
        return Some(needs);
    };
    let strings = sections.strings(endian, bytes, strings).ok()?;
    for entry in entries.iter().filter(|entry| entry.tag(endian) == DT_NEEDED) {
        let name = entry.string(endian, strings).ok()?;
        needs.libraries.push(String::from_utf8_lossy(name).into_owned());
    }
    Some(needs)
}

/// The names of the modules that a Linux kernel module depends on; `None` if it is none.
pub fn module_dependencies(bytes: &[u8]) -> Option<Vec<String>> {
    let header = FileHeader64::<LittleEndian>::parse(bytes).ok()?;
    let sections = header.sections(LittleEndian, bytes).ok()?;
    let (_, information) = sections.section_by_name(LittleEndian, b".modinfo")?;
    let information = information.data(LittleEndian, bytes).ok()?;
    let mut fields = information.split(|byte| *byte == 0);
    let names = fields.find_map(|field| field.strip_prefix(b"depends="))?;
    let names = String::from_utf8_lossy(names);
    Some(
        names
            .split(',')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_this_machine_says_what_it_needs() {
        let program = std::fs::read("/proc/self/exe").unwrap();
        let needs = needs(&program).unwrap();
        assert!(needs.interpreter.unwrap().contains("ld-linux"));
        assert!(
            needs.libraries.contains(&"libc.so.6".to_owned()),
            "{:?}",
            needs.libraries
        );
        assert_eq!(module_dependencies(&program), None);
    }

    #[test]
    fn what_is_no_program_needs_nothing_that_could_be_told() {
        for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF", &[0x7f; 64]] {
            assert_eq!(needs(bytes), None);
            assert_eq!(module_dependencies(bytes), None);
        }
    }
}
