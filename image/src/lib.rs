//! The image builder: distribution sets, overlay, module and tools in; a bootable FreeBSD disk image out.
pub mod manifest;
