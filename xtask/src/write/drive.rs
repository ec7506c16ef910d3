//! What is known of a disk before it is overwritten, and what forbids that.

use std::fmt;
use std::path::PathBuf;

/// What the target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole disk.
    Disk,
    /// Part of one.
    Partition,
    /// A regular file, as for a virtual machine.
    File,
}

/// Whether a disk is made to be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removable {
    /// A USB stick, a memory card and the like, or a file.
    Yes,
    /// It is built in, or the system does not tell.
    No,
}

/// Something that uses the disk at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The disk or the part of it.
    pub device: String,
    /// What for, such as `mounted on /home`.
    pub what: String,
}

/// A disk.
#[derive(Debug, Clone)]
pub struct Drive {
    /// Its device, with links resolved.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// Bytes in a sector.
    pub sector: u64,
    /// Maker and model, for people.
    pub model: String,
    /// Whether it is made to be taken out.
    pub removable: Removable,
    /// The system lets nobody write to it.
    pub read_only: bool,
    /// What is on it, a line for each part.
    pub parts: Vec<String>,
    /// What uses it.
    pub uses: Vec<Use>,
}

/// What the user allows beyond the usual.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowed {
    /// A partition instead of a disk.
    pub partition: bool,
    /// A disk that is not made to be taken out.
    pub fixed: bool,
}

impl Drive {
    /// Its name without folders, such as `sdb`.
    pub fn name(&self) -> String {
        { self.path.file_name() }
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// Why an image of `needed` bytes must not be written here, with the way out; `None` if it may.
    pub fn refusal(&self, needed: u64, allowed: Allowed) -> Option<String> {
        let path = self.path.display();
        if let Some(used) = self.uses.first() {
            return Some(format!(
                "{path}: {} is {}\nhint: unmount or stop what uses it, and look twice whether it is the right disk",
                used.device, used.what
            ));
        }
        if self.read_only {
            return Some(format!(
                "{path}: is read-only\nhint: memory cards have a switch for that"
            ));
        }
        if self.kind == Kind::Partition && !allowed.partition {
            return Some(format!(
                "{path}: is a partition, and no firmware boots a disk image in a partition\nhint: name the disk that it is \
                 part of, or give --partition if you mean it"
            ));
        }
        if self.size < needed {
            return Some(format!(
                "{path}: has {} bytes, and the image needs {needed}\nhint: take a larger disk, or set `disk: free` in the \
                 appliance file to less",
                self.size
            ));
        }
        if self.kind != Kind::File && self.sector != SECTOR {
            return Some(format!(
                "{path}: has sectors of {} bytes, and the image is made for {SECTOR}\nhint: take another disk",
                self.sector
            ));
        }
        self.fixed_refusal(allowed)
    }

    fn fixed_refusal(&self, allowed: Allowed) -> Option<String> {
        (self.removable == Removable::No && !allowed.fixed).then(|| {
            let path = self.path.display();
            format!(
                "{path}: does not look removable: {}\nhint: if it is the right one, name it a second time: --fixed-disk \
                 {path}",
                self.model
            )
        })
    }
}

/// Bytes in a sector of an image.
const SECTOR: u64 = 512;

impl fmt::Display for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match (self.kind, self.removable) {
            (Kind::File, _) => "a file",
            (Kind::Partition, _) => "a partition",
            (Kind::Disk, Removable::Yes) => "a removable disk",
            (Kind::Disk, Removable::No) => "a fixed disk",
        };
        let size = self.size as f64 / 1e9;
        writeln!(f, "{}: {kind}, {}, {size:.1} GB", self.path.display(), self.model)?;
        if self.parts.is_empty() {
            return writeln!(f, "  nothing that is known is on it");
        }
        self.parts.iter().try_for_each(|part| writeln!(f, "  {part}"))
    }
}
