//! The image builder: distribution sets, overlay, module and tools in; a bootable FreeBSD disk image out.
#![forbid(unsafe_code)]

pub mod data;
pub mod error;
pub mod manifest;
pub mod piece;
pub mod tree;
pub mod ufs;

pub use error::{Error, Result};
