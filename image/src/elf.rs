//! What programs, libraries, scripts and kernel modules need of each other, as far as their files tell.
//!
//! Only headers and the few tables that matter are read. Files are anybody's: counts and lengths have limits.

mod kld;

use object::LittleEndian;
use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, FileHeader64};
use object::read::ReadRef;
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader};
use serde::{Deserialize, Serialize};

pub use kld::{Kld, kld};

/// No program needs more libraries than this.
const MOST_LIBRARIES: usize = 1_000;
/// No name of a library and no path is longer.
const LONGEST_NAME: usize = 4_096;

/// What a file tells about what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Facts {
    /// A program or library.
    Program(Needs),
    /// A kernel module of FreeBSD, or the kernel.
    Kld(Kld),
    /// A script: the path of its interpreter.
    Script(String),
}

/// The interpreter of a program, and the names of the libraries that it loads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Its path, such as `/lib64/ld-linux-x86-64.so.2`.
    pub interpreter: Option<String>,
    /// Sonames, such as `libc.so.6`.
    pub libraries: Vec<String>,
    /// Where it looks for them first (DT_RPATH and DT_RUNPATH), a path each; `$ORIGIN` is the program's own folder.
    pub search: Vec<String>,
}

/// What a file needs; `None` if it is neither a 64-bit ELF file nor a script.
pub fn facts<'data, R: ReadRef<'data>>(data: R) -> Option<Facts> {
    let start = data.read_bytes_at(0, 2).ok()?;
    if start == b"#!" {
        return script(data).map(Facts::Script);
    }
    if data.read_bytes_at(0, 4).ok()? != b"\x7fELF" {
        return None;
    }
    match kld(data) {
        Some(kld) => Some(Facts::Kld(kld)),
        None => needs(data).map(Facts::Program),
    }
}

/// The interpreter that the first line of a script names.
fn script<'data, R: ReadRef<'data>>(data: R) -> Option<String> {
    let length = data.len().ok()?.min(256);
    let start = data.read_bytes_at(0, length).ok()?;
    let line = start.split(|byte| *byte == b'\n').next()?.strip_prefix(b"#!")?;
    let line = String::from_utf8_lossy(line);
    let interpreter = line.split_whitespace().next()?;
    interpreter.starts_with('/').then(|| interpreter.to_owned())
}

/// What a program or library needs; `None` if it is no 64-bit ELF file.
pub fn needs<'data, R: ReadRef<'data>>(data: R) -> Option<Needs> {
    let header = FileHeader64::<LittleEndian>::parse(data).ok()?;
    let endian = LittleEndian;
    let mut needs = Needs::default();
    for segment in header.program_headers(endian, data).ok()? {
        if let Some(path) = segment.interpreter(endian, data).ok()? {
            needs.interpreter = Some(name(path)?);
        }
    }
    let sections = header.sections(endian, data).ok()?;
    let Some((entries, strings)) = sections.dynamic(endian, data).ok()? else {
        return Some(needs);
    };
    let strings = sections.strings(endian, data, strings).ok()?;
    for entry in entries {
        match entry.tag(endian) {
            DT_NEEDED => needs.libraries.push(name(entry.string(endian, strings).ok()?)?),
            DT_RPATH | DT_RUNPATH => {
                let paths = name(entry.string(endian, strings).ok()?)?;
                needs.search.extend(paths.split(':').map(str::to_owned));
            }
            _ => {}
        }
        if needs.libraries.len() > MOST_LIBRARIES || needs.search.len() > MOST_LIBRARIES {
            return None;
        }
    }
    Some(needs)
}

fn name(bytes: &[u8]) -> Option<String> {
    (bytes.len() <= LONGEST_NAME).then(|| String::from_utf8_lossy(bytes).into_owned())
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
#[path = "elf/tests.rs"]
mod tests;
