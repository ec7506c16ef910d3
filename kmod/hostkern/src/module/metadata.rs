//! What a file says of itself: `set_modmetadata_set`.

use core::ffi::CStr;

use kpi::raw::kernel::{MDT_DEPEND, MDT_MODULE, mod_depend, mod_metadata};

use super::Object;
use crate::abi::Abi;

/// A range of versions of something that the file needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// What is needed: `kernel`, or a module.
    pub name: String,
    /// The oldest version that will do.
    pub minimum: i32,
    /// The version the file was built against.
    pub preferred: i32,
    /// The newest version that will do.
    pub maximum: i32,
}

/// A file's modules and needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Addresses of `moduledata`.
    pub modules: Vec<usize>,
    /// What the file needs.
    pub dependencies: Vec<Dependency>,
}

impl Metadata {
    /// Reads the metadata of a file in memory.
    #[must_use]
    pub fn of(object: &dyn Object) -> Self {
        let mut metadata = Self::default();
        // SAFETY: the file is in memory, and this is its set of metadata.
        for entry in unsafe { object.set("set_modmetadata_set").entries::<mod_metadata>() } {
            // SAFETY: a member of the set.
            let entry = unsafe { &*entry };
            match entry.md_type {
                MDT_MODULE => metadata.modules.push(entry.md_data as usize),
                MDT_DEPEND => metadata.dependencies.push(dependency(entry)),
                _ => {}
            }
        }
        metadata
    }

    /// The kernel to boot for the file; `None` if it says nothing, or wants a release that is not known.
    #[must_use]
    pub fn abi(&self) -> Option<Abi> {
        let kernel = self
            .dependencies
            .iter()
            .find(|dependency| dependency.name == "kernel")?;
        Abi::for_range(kernel.minimum, kernel.preferred, kernel.maximum)
    }
}

fn dependency(entry: &mod_metadata) -> Dependency {
    // SAFETY: the value of metadata is a C string of the file.
    let name = unsafe { CStr::from_ptr(entry.md_cval) }.to_string_lossy().into_owned();
    // SAFETY: the data of a dependency are its versions, in the file.
    let versions = unsafe { &*entry.md_data.cast::<mod_depend>() };
    Dependency {
        name,
        minimum: versions.md_ver_minimum,
        preferred: versions.md_ver_preferred,
        maximum: versions.md_ver_maximum,
    }
}
