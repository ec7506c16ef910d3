//! Distribution sets: where they come from, and that they are what MANIFEST says.

pub(crate) mod download;
mod fetch;
mod list;

pub use fetch::{Fetcher, Source};
pub use list::{List, Listed};

/// The list of sets and their checksums, as FreeBSD's mirrors and installation media name it.
pub const MANIFEST: &str = "MANIFEST";
/// Where releases are, if no mirror is named; the release's folder follows.
pub const DEFAULT_MIRROR: &str = "https://download.freebsd.org/releases/amd64";
