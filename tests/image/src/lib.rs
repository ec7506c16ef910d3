//! What the tests of whole images share: a small synthetic base, a build of it, and independent readers.
//!
//! The base is made here, entry by entry, so that the tests know every byte that must come out again.

pub mod base;
pub mod fixture;
pub mod package;
pub mod readers;
