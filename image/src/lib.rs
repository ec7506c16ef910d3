//! The image builder: distribution sets, overlay, module and tools in; a bootable FreeBSD disk image out.
#![forbid(unsafe_code)]

pub mod archive;
pub mod build;
pub mod data;
pub mod error;
pub mod esp;
pub mod fflags;
pub mod gpt;
pub mod hash;
pub mod hosted;
pub mod layer;
pub mod manifest;
pub mod output;
pub mod piece;
pub mod progress;
pub mod sets;
pub mod spec;
mod suggest;
pub mod tree;
pub mod ufs;
pub mod update;

pub use error::{Error, Result};
