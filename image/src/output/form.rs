//! The formats of a disk image.

use serde::{Deserialize, Serialize};

/// A disk image format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The disk's bytes as they are, in a sparse file.
    Raw,
    /// QEMU's copy-on-write format, version 3.
    Qcow2,
    /// VMware's stream-optimized format: what ESXi imports, and VirtualBox and QEMU read.
    Vmdk,
    /// Microsoft's older format, of fixed size: what Azure asks for.
    Vhd,
    /// Microsoft's newer format, of dynamic size: what Hyper-V prefers.
    Vhdx,
    /// The raw format compressed with zstd: the smallest, for downloads and for writing to disks.
    #[serde(rename = "raw.zst")]
    RawZst,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Raw, Self::Qcow2, Self::Vmdk, Self::Vhd, Self::Vhdx, Self::RawZst];

    /// File name extension, and the name in the manifest and the appliance file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Vhd => "vhd",
            Self::Vhdx => "vhdx",
            Self::RawZst => "raw.zst",
        }
    }

    /// Whether a cluster of the disk has a place of its own in the file, so that an older file can be changed there.
    pub(super) fn can_be_patched(self) -> bool {
        matches!(self, Self::Raw | Self::Qcow2)
    }

    /// Whether the format's readers insist on a disk of whole MiB.
    pub(super) fn wants_whole_mebibytes(self) -> bool {
        matches!(self, Self::Vhd | Self::Vhdx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_appliance_file_and_the_manifest_have_the_same_names() {
        for format in Format::ALL {
            assert_eq!(serde_json::to_value(format).unwrap(), format.name());
        }
    }
}
