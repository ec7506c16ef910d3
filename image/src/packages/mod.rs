//! FreeBSD packages, installed at build time: no pkg(8), no root, on any host.

pub mod compress;
pub mod manifest;
pub mod signature;
pub mod version;
