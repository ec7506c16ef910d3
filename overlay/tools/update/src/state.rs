//! The state record: which root slot boots. The loader and `ng-update` both read and write it.
//!
//! The state partition holds two copies, at the bytes [`PLACES`], each one sector of [`SECTOR`] bytes: text, padded with
//! newlines. (For the loader, they are two files of a file system that nobody ever mounts.)
//!
//! ```text
//! ngforge-state 1
//! seq=12
//! boot=a
//! try=b
//! tried=-
//! starts=0
//! a=good
//! b=new
//! sum=0123abcd
//! ```
//!
//! `sum` is the CRC-32 (IEEE) of all bytes before `sum=`. The valid copy with the higher `seq` counts, the first one if both
//! have the same. A writer writes the next `seq` over the other copy, one sector: a write that is cut spoils no more than the
//! copy that did not count.

mod pair;
mod record;
mod steps;

pub use pair::{Copies, Copy, read, write};
pub use record::{Fault, Mark, SECTOR, Slot, State};
pub use steps::{Failed, Objection};

/// Where the two copies are, in bytes from the start of the state partition.
pub const PLACES: [u64; 2] = [0x3_b000, 0x3_c000];
/// Starts without a report of health after which the loader boots the other slot, if that is good.
pub const STARTS: u32 = 3;

#[cfg(test)]
mod tests;
