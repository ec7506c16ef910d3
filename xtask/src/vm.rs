//! Virtual machines: what they consist of, how they are started, watched and stopped.
//!
//! Data flows one way: a [`Machine`] (firmware, accelerator, disk, NICs, console) becomes a QEMU command line; a
//! [`Guest`] is that command running, with its serial log watched for signs of trouble.

pub mod accel;
pub mod bhyve;
pub mod disk;
pub mod firmware;
pub mod guest;
pub mod options;
pub mod qemu;
pub mod qmp;
pub mod serial;
#[cfg(test)]
pub mod testrom;
pub mod timeline;

pub use guest::{Demise, Guest, Watch};
pub use qemu::{Console, Machine, Nic};
