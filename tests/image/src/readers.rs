//! Independent readers of disk images: Debian's tools, and the root partition for crates.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Output};

/// First sector of the root partition.
pub const ROOT_SECTOR: u64 = 33 * 2048;
/// First byte of the EFI partition, for mtools.
pub const ESP_AT: u64 = 1 << 20;
/// Bytes in the EFI partition.
pub const ESP_SIZE: u64 = 32 << 20;

/// Runs a Debian tool and returns what it printed.
///
/// # Panics
/// The tool is not installed (the message says which package has it), or fails.
pub fn run(package: &str, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = output(package, program, arguments);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Like [`run`], as text.
///
/// # Panics
/// As for [`run`].
pub fn text(package: &str, program: &str, arguments: &[&str]) -> String {
    String::from_utf8_lossy(&run(package, program, arguments)).into_owned()
}

fn output(package: &str, program: &str, arguments: &[&str]) -> Output {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let result = Command::new(program).args(arguments).env("PATH", path).output();
    result.unwrap_or_else(|error| panic!("could not run {program}: {error}\nhint: apt-get install {package}"))
}

/// A part of a file.
pub fn part(path: &Path, at: u64, len: u64) -> Vec<u8> {
    let mut file = fs::File::open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes).unwrap();
    bytes
}

/// The root partition of a raw image.
pub fn root(raw: &Path) -> Vec<u8> {
    let at = ROOT_SECTOR * 512;
    let size = fs::metadata(raw).unwrap().len();
    part(raw, at, size - at - (1 << 20))
}

/// A UFS2 volume as the crate ufs-core sees it.
pub struct Volume {
    bytes: Vec<u8>,
    superblock: ufs::Superblock,
}

impl Volume {
    /// The root partition of a raw image.
    pub fn of(raw: &Path) -> Self {
        Self::new(root(raw))
    }

    /// A volume in memory.
    ///
    /// # Panics
    /// It is none.
    pub fn new(bytes: Vec<u8>) -> Self {
        let superblock = ufs::Superblock::parse(&bytes[65536..]).unwrap();
        Self { bytes, superblock }
    }

    /// Contents of a file.
    ///
    /// # Panics
    /// There is no such file.
    pub fn read(&self, path: &str) -> Vec<u8> {
        let found = ufs::read_path_content(&self.bytes, &self.superblock, path).unwrap();
        found.unwrap_or_else(|| panic!("{path} is not there"))
    }

    /// Permissions, owner and group of a file or directory.
    ///
    /// # Panics
    /// There is no such path.
    pub fn attributes(&self, path: &str) -> (u16, u32, u32) {
        let found = ufs::read_by_path(&self.bytes, &self.superblock, path).unwrap();
        let (_, inode) = found.unwrap_or_else(|| panic!("{path} is not there"));
        (inode.mode & 0o7777, inode.uid, inode.gid)
    }

    /// Target of the symbolic link with this inode number.
    ///
    /// # Panics
    /// It is no link.
    pub fn link(&self, inode: u64) -> String {
        let inode = ufs::read_inode(&self.bytes, &self.superblock, inode).unwrap();
        let target = ufs::read_symlink_target(&self.bytes, &self.superblock, &inode).unwrap();
        String::from_utf8_lossy(&target).into_owned()
    }
}
