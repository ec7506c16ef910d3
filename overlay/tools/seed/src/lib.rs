//! First boot: what a seed, as cloud-init and nuageinit(7) know it, asks of the appliance.
//!
//! A seed is a small volume that the host attaches: NoCloud (label `cidata`: `meta-data`, `user-data`, `network-config`) or an
//! OpenStack config drive (label `config-2`: `openstack/latest/`). [`volume`] finds and reads it, [`document`] makes trees of
//! its files in which every part knows its line, and [`Plan::read`] checks all of it before anything is changed. What cannot
//! be done is an error that names file, line and column; what is not known is listed in [`Plan::notes`]. [`system`] applies a
//! plan: all of it or nothing, once per instance-id.
//!
//! FreeBSD's own nuageinit takes no part: it came with 14.1, has no graph, and changes files as it reads. The volume is read
//! here and not mounted, so that a hostile one meets a program that may fail, and not a kernel that must not.
#![forbid(unsafe_code)]

pub mod document;
mod error;
mod graphs;
mod keys;
mod meta;
pub mod network;
mod plan;
mod rc;
pub mod system;
mod text;
mod user;
pub mod volume;

pub use error::{Error, Result};
pub use plan::{Account, File, Plan, Settings};
pub use volume::Seed;
