//! Whether a file is a program that FreeBSD/amd64 starts with nothing but its base system, or Linux with nothing at all.

use anyhow::{Context, Result, bail, ensure};
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{LittleEndian, ReadRef};

/// FreeBSD's run-time linker.
const INTERPRETER: &[u8] = b"/libexec/ld-elf.so.1";

/// Shared libraries of the base system that a Rust program may ask for.
const BASE_LIBRARIES: [&str; 6] = [
    "libc.so.7",
    "libexecinfo.so.1",
    "libgcc_s.so.1",
    "libm.so.5",
    "libthr.so.3",
    "libutil.so.9",
];

/// Checks the file's kind, its interpreter, and the libraries it needs.
///
/// # Errors
/// Says which of them is wrong.
pub fn freebsd_program(bytes: &[u8]) -> Result<()> {
    let header = FileHeader64::<LittleEndian>::parse(bytes).context("it is not an ELF64 file")?;
    let endian = LittleEndian;
    ensure!(header.e_machine(endian) == elf::EM_X86_64, "it is not for x86-64");
    let segments = header.program_headers(endian, bytes)?;
    let mut interpreter = None;
    for segment in segments {
        interpreter = interpreter.or(segment.interpreter(endian, bytes)?);
    }
    let found = interpreter.unwrap_or_default();
    ensure!(
        found == INTERPRETER,
        "its interpreter is {:?}, not FreeBSD's {:?}",
        String::from_utf8_lossy(found),
        String::from_utf8_lossy(INTERPRETER)
    );
    for library in needed(header, bytes)? {
        if !BASE_LIBRARIES.contains(&library.as_str()) {
            bail!("it needs {library}, which the base system need not have ({BASE_LIBRARIES:?} are allowed)");
        }
    }
    Ok(())
}

/// Checks that it is a program for x86-64 that needs no interpreter.
///
/// # Errors
/// Says what is wrong.
pub fn static_program(bytes: &[u8]) -> Result<()> {
    let header = FileHeader64::<LittleEndian>::parse(bytes).context("it is not an ELF64 file")?;
    let endian = LittleEndian;
    ensure!(header.e_machine(endian) == elf::EM_X86_64, "it is not for x86-64");
    for segment in header.program_headers(endian, bytes)? {
        if let Some(interpreter) = segment.interpreter(endian, bytes)? {
            bail!(
                "it is linked dynamically, with the interpreter {}",
                String::from_utf8_lossy(interpreter)
            );
        }
    }
    Ok(())
}

/// The shared libraries a program names.
fn needed<'a, R: ReadRef<'a>>(header: &FileHeader64<LittleEndian>, bytes: R) -> Result<Vec<String>> {
    let endian = LittleEndian;
    let sections = header.sections(endian, bytes).context("it has no section table")?;
    let Some((entries, strings)) = sections.dynamic(endian, bytes)? else {
        bail!("it is linked statically");
    };
    let strings = sections.strings(endian, bytes, strings)?;
    let wanted = entries.iter().filter(|entry| entry.tag(endian) == elf::DT_NEEDED);
    wanted
        .map(|entry| {
            let name = entry.string(endian, strings)?;
            Ok(String::from_utf8_lossy(name).into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_this_host_is_refused() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            let error = freebsd_program(&own).unwrap_err().to_string();
            assert!(error.contains("interpreter") || error.contains("x86-64"), "{error}");
            let error = static_program(&own).unwrap_err().to_string();
            assert!(error.contains("linked dynamically"), "{error}");
        }
    }

    #[test]
    fn what_is_no_program_is_refused() {
        assert!(
            freebsd_program(b"#!/bin/sh\n")
                .unwrap_err()
                .to_string()
                .contains("ELF64")
        );
        assert!(freebsd_program(b"").is_err());
        assert!(static_program(b"#!/bin/sh\n").is_err());
    }
}
