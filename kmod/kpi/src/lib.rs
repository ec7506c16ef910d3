//! FreeBSD's kernel interface for a netgraph node type that is also a protocol family.
//!
//! [`raw`] says what the headers say; everything else owns the invariants, so that a module can be written in safe Rust
//! on top: counted references are values with `Drop`, locks are guards, what the kernel consumes is moved, and what it
//! calls back is a trait. Two ABIs: FreeBSD 14 (feature `freebsd14`) and 15 (feature `freebsd15`).
//!
//! Nothing here panics: the build of the module refuses an object in which a panic can be reached.
#![no_std]

#[cfg(all(feature = "freebsd14", feature = "freebsd15"))]
compile_error!("choose one ABI: feature freebsd14 or freebsd15");

pub mod counter;
pub mod epoch;
pub mod errno;
pub mod mbuf;
pub mod memory;
pub mod mutex;
pub mod netgraph;
pub mod raw;
pub mod shared;
pub mod socket;
pub mod thread;

pub use errno::{Errno, Result};
