//! The build's own account of an image: a JSON file beside it that `run`, `smoke` and people read.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// [`Manifest::base`] of an appliance that runs FreeBSD.
pub const FREEBSD: &str = "freebsd";
/// [`Manifest::base`] of one that runs the hosted kernel on Linux.
pub const HOSTED: &str = "hosted";

/// End of the name of the list of files in the appliance ([`crate::provenance`]).
pub const FILES: &str = ".files.json";
/// End of the name of the software bill of materials ([`crate::sbom`]).
pub const SBOM: &str = ".cdx.json";
/// Ends of the names of everything that a manifest lists among its accounts.
pub const ACCOUNTS: [&str; 2] = [FILES, SBOM];

/// What was built, from what, and how to get in.
///
/// Written as `<name>.json` beside the image files; paths are relative to that file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The appliance's name: the stem of every output file.
    pub name: String,
    /// What the appliance runs: `freebsd`, or `hosted`.
    pub base: String,
    /// What a hosted base consists of, such as `Debian bookworm, Linux 6.1.0-56-cloud-amd64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// FreeBSD release, such as `14.3`; of a hosted base, the one that its module is built for.
    pub release: String,
    /// Host name in the appliance.
    pub hostname: String,
    /// How many virtio NICs the machine needs: the first one for DHCP and SSH, the rest for the graph.
    pub nics: u8,
    /// Each output file.
    pub files: Vec<OutputFile>,
    /// Where in the disk the root slot lies that an update brings, if it has slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Stretch>,
    /// Lists that belong to the image: of its files, and of its components.
    #[serde(default)]
    pub accounts: Vec<OutputFile>,
    /// The private key that opens root's account, when the build made one itself.
    pub identity: Option<PathBuf>,
    /// Inputs by name (`base.txz`, `kernel.txz`, `ng_socket.ko`, ...) with their SHA-256 in hexadecimal.
    pub inputs: std::collections::BTreeMap<String, String>,
    /// What its space goes to, the largest area first.
    #[serde(default)]
    pub areas: Vec<crate::areas::Area>,
    /// SHA-256 over everything the image depends on: a build with the same key would give the same bytes.
    #[serde(default)]
    pub key: String,
}

/// A stretch of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// First byte.
    pub at: u64,
    /// Bytes.
    pub len: u64,
}

impl From<std::ops::Range<u64>> for Stretch {
    fn from(range: std::ops::Range<u64>) -> Self {
        Self {
            at: range.start,
            len: range.end - range.start,
        }
    }
}

/// One file a build left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFile {
    /// File name, relative to the manifest.
    pub path: PathBuf,
    /// The name of an [`crate::output::Format`], `update` of the update file, or `sha256` of the others' checksums.
    pub format: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}
