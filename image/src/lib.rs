//! The image builder: distribution sets, overlay, module and tools in; a bootable FreeBSD disk image out.
#![forbid(unsafe_code)]

pub mod archive;
pub mod areas;
pub mod build;
pub mod compare;
pub mod data;
pub mod elf;
pub mod error;
pub mod esp;
pub mod fflags;
pub mod gpt;
pub mod hash;
pub mod hosted;
pub mod layer;
pub mod lock;
pub mod manifest;
pub mod output;
pub mod packages;
pub mod piece;
pub mod pkgfile;
pub mod profile;
pub mod progress;
pub mod provenance;
pub mod sbom;
pub mod sets;
pub mod spec;
pub mod suggest;
pub mod tree;
pub mod ufs;
pub mod update;

pub use error::{Error, Result};
