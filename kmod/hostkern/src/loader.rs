//! Loads a FreeBSD/amd64 kernel module (ELF64, ET_REL) as FreeBSD's own linker does.
//!
//! A module is compiled for addresses in one 2 GiB of the address space, which its own code and the kernel's share. Here it
//! is put into the low 2 GiB, while this program may lie anywhere: so a 32-bit relocation to a kernel function leads to a
//! jump beside the module, and one to a kernel variable to a copy of the variable. A 64-bit relocation leads to the function
//! or variable itself.

mod elf;
mod layout;
mod memory;
mod relocate;
pub mod symbols;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::module::{LinkerSet, Object};
use layout::Layout;
use memory::{Protection, Region};
pub use symbols::Symbol;

/// Why FreeBSD would not load a file, or would crash on it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{path}: {error}", path = path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why not.
        #[source]
        error: std::io::Error,
    },
    /// The file is no ELF object that can be understood.
    #[error("not a usable ELF file: {0}")]
    Elf(#[from] object::read::Error),
    /// The kernel's linker takes no such ELF files.
    #[error("not a FreeBSD/amd64 kernel module: {0}")]
    Kind(&'static str),
    /// Nobody defines these.
    #[error("the kernel has no {}", .0.join(", "))]
    Undefined(Vec<String>),
    /// The kernel's linker does not know this relocation.
    #[error("section {section}: relocation type {kind} at offset {offset:#x} is none the kernel applies")]
    Relocation {
        /// The section that it changes.
        section: String,
        /// The ELF type's number.
        kind: u32,
        /// Where, from the start of the section, in bytes.
        offset: u64,
    },
    /// A relocated field cannot hold its value, or lies outside its section.
    #[error("section {section}: the relocation at offset {offset:#x} does not fit")]
    OutOfRange {
        /// The section that it changes.
        section: String,
        /// Where, from the start of the section, in bytes.
        offset: u64,
    },
    /// There is no room in the low 2 GiB.
    #[error("no memory for the module in the low 2 GiB: {0}")]
    Memory(std::io::Error),
}

/// A module in memory, relocated and protected.
///
/// # Invariants
/// The sets lie in the memory, at addresses of whole pointers.
#[derive(Debug)]
pub struct Image {
    memory: Region,
    /// Start and length in bytes of the sections whose names begin with `set_`.
    sets: BTreeMap<String, (usize, usize)>,
    /// Kernel variables, and the copies that the module reaches.
    copies: Vec<(usize, usize)>,
}

impl Image {
    /// Loads the file, against the hosted kernel's symbols.
    ///
    /// # Errors
    /// The file cannot be read, or FreeBSD would not load it.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let bytes = std::fs::read(path).map_err(|error| LoadError::File {
            path: path.to_owned(),
            error,
        })?;
        Self::from_bytes(&bytes, &symbols::lookup)
    }

    /// Loads the file whose contents are `bytes`, against the symbols that `resolve` knows.
    ///
    /// # Errors
    /// FreeBSD would not load it.
    pub fn from_bytes(bytes: &[u8], resolve: &dyn Fn(&str) -> Option<Symbol>) -> Result<Self, LoadError> {
        let module = elf::Module::parse(bytes)?;
        let layout = Layout::of(&module, resolve)?;
        let mut memory = Region::low(layout.size()).map_err(LoadError::Memory)?;
        layout.fill(&module, &mut memory)?;
        relocate::apply(&module, &layout, &mut memory)?;
        for (range, protection) in layout.protections() {
            memory.protect(range, protection).map_err(LoadError::Memory)?;
        }
        let sets = layout.sets(&module, memory.address());
        let copies = layout.copies(memory.address());
        Ok(Self { memory, sets, copies })
    }

    /// Addresses of kernel variables, each with that of the copy that the module reaches.
    #[must_use]
    pub fn copies(&self) -> &[(usize, usize)] {
        &self.copies
    }
}

impl Object for Image {
    fn set(&self, name: &str) -> LinkerSet {
        let (start, bytes) = self.sets.get(name).copied().unwrap_or((0, 0));
        LinkerSet::new(start as *mut _, bytes / size_of::<usize>())
    }

    fn retire(&mut self) {
        let all = 0..self.memory.size();
        self.memory
            .protect(all, Protection::Nothing)
            .expect("access to one's own memory can be given up");
    }
}

#[cfg(test)]
mod tests;
