//! A synthetic FreeBSD base: everything that is hard for a file system, nothing that boots.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

/// Time of every file, in seconds since 1970.
pub const TIME: u64 = 1_700_000_000;
/// Bytes in a block of the file system.
pub const BLOCK: usize = 32 * 1024;
/// Where the last bytes of the file with triple indirect blocks lie.
pub const FAR: u64 = 600 << 30;

/// What must stand in the image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Contents of files by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Targets of symbolic links by path.
    pub links: BTreeMap<String, String>,
    /// Directories.
    pub directories: Vec<String>,
    /// Permissions, owner and group by path, where they are not 0644 (0755), 0, 0.
    pub owners: BTreeMap<String, (u32, u64, u64)>,
    /// Paths that are the same file.
    pub same: Vec<(String, String)>,
}

/// An archive under construction, and what it must lead to.
pub struct Archive {
    builder: tar::Builder<Vec<u8>>,
    /// What the image must hold.
    pub expected: Expected,
}

impl Default for Archive {
    fn default() -> Self {
        Self {
            builder: tar::Builder::new(Vec::new()),
            expected: Expected::default(),
        }
    }
}

impl Archive {
    fn append(&mut self, path: &str, kind: EntryType, mode: u32, contents: &[u8]) {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(TIME);
        header.set_size(contents.len() as u64);
        self.builder.append_data(&mut header, path, contents).unwrap();
    }

    /// Adds a directory.
    pub fn directory(&mut self, path: &str) -> &mut Self {
        self.append(path, EntryType::Directory, 0o755, b"");
        self.expected.directories.push(path.into());
        self
    }

    /// Adds a file.
    pub fn file(&mut self, path: &str, contents: &[u8]) -> &mut Self {
        self.append(path, EntryType::Regular, 0o644, contents);
        self.expected.files.insert(path.into(), contents.to_vec());
        self
    }

    /// Adds a file with permissions, owner and group, and file flags in a pax header.
    pub fn owned(&mut self, path: &str, contents: &[u8], owner: (u32, u64, u64), flags: &str) -> &mut Self {
        if !flags.is_empty() {
            self.builder
                .append_pax_extensions([("SCHILY.fflags", flags.as_bytes())])
                .unwrap();
        }
        let mut header = Header::new_ustar();
        header.set_mode(owner.0);
        header.set_uid(owner.1);
        header.set_gid(owner.2);
        header.set_mtime(TIME);
        header.set_size(contents.len() as u64);
        self.builder.append_data(&mut header, path, contents).unwrap();
        self.expected.files.insert(path.into(), contents.to_vec());
        self.expected.owners.insert(path.into(), owner);
        self
    }

    /// Adds a symbolic link.
    pub fn symlink(&mut self, path: &str, target: &str) -> &mut Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(TIME);
        header.set_size(0);
        self.builder.append_link(&mut header, path, target).unwrap();
        self.expected.links.insert(path.into(), target.into());
        self
    }

    /// Adds a hard link.
    pub fn hard_link(&mut self, path: &str, target: &str) -> &mut Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Link);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(TIME);
        header.set_size(0);
        self.builder.append_link(&mut header, path, target).unwrap();
        let contents = self.expected.files[target].clone();
        self.expected.files.insert(path.into(), contents);
        self.expected.same.push((path.into(), target.into()));
        self
    }

    /// Adds a file of `size` bytes that is empty but for `parts`, in GNU's sparse format 1.0. It is not among the
    /// expected files; it may be larger than memory.
    pub fn sparse(&mut self, path: &str, size: u64, parts: &[(u64, &[u8])]) -> &mut Self {
        let mut contents = format!("{}\n", parts.len());
        for (at, bytes) in parts {
            contents.push_str(&format!("{at}\n{}\n", bytes.len()));
        }
        let mut contents = contents.into_bytes();
        contents.resize(contents.len().next_multiple_of(512), 0);
        contents.extend(parts.iter().flat_map(|(_, bytes)| *bytes));
        let size = size.to_string();
        let records = [
            ("GNU.sparse.major", &b"1"[..]),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", path.as_bytes()),
            ("GNU.sparse.realsize", size.as_bytes()),
        ];
        self.builder.append_pax_extensions(records).unwrap();
        self.append("GNUSparseFile.0/file", EntryType::Regular, 0o644, &contents);
        self
    }

    /// The archive compressed with xz, and what it must lead to.
    pub fn finish(self) -> (Vec<u8>, Expected) {
        let bytes = self.builder.into_inner().unwrap();
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(&bytes).unwrap();
        (encoder.finish().unwrap(), self.expected)
    }
}

/// Bytes that do not compress, different for every seed.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

/// The base set.
pub fn base() -> Archive {
    let mut base = Archive::default();
    for path in ["boot", "etc", "root", "sbin", "usr", "usr/bin", "var", "var/empty"] {
        base.directory(path);
    }
    base.file("boot/loader.efi", &noise(300_000, 1));
    base.file("etc/master.passwd", b"root::0:0::0:0:Charlie &:/root:/bin/sh\n");
    base.file("etc/group", b"wheel:*:0:root\noperator:*:5:root\n");
    base.file("etc/pwd.db", b"old").file("etc/spwd.db", b"old");
    base.owned("sbin/init", &noise(50_000, 2), (0o555, 0, 0), "schg");
    base.owned("usr/bin/su", &noise(17_000, 3), (0o4555, 0, 5), "uarch,schg");
    base.hard_link("usr/bin/su2", "usr/bin/su")
        .hard_link("sbin/oinit", "sbin/init");
    sizes(&mut base);
    links(&mut base);
    base.directory("usr/many");
    for number in 0..3000 {
        base.file(
            &format!("usr/many/a-rather-long-name-for-a-file-{number}"),
            number.to_string().as_bytes(),
        );
    }
    let mut deep = String::from("usr/deep");
    for level in 0..20 {
        base.directory(&deep);
        base.file(&format!("{deep}/file"), format!("level {level}").as_bytes());
        deep.push_str("/below");
    }
    base.sparse(
        "usr/double",
        (200 << 20) + 5,
        &[(0, b"begin"), (130 << 20, b"middle"), (200 << 20, b"final")],
    );
    base.sparse(
        "usr/triple",
        FAR + 5,
        &[(7, b"begin"), (5 << 30, b"double"), (FAR, b"final")],
    );
    base
}

/// Files around every border: fragment, block, direct and single indirect addresses; and with holes.
fn sizes(base: &mut Archive) {
    base.directory("usr/sizes");
    let direct = 12 * BLOCK;
    for size in [
        0,
        1,
        511,
        4095,
        4096,
        4097,
        28_672,
        28_673,
        BLOCK - 1,
        BLOCK,
        BLOCK + 1,
        direct - 1,
        direct,
        direct + 1,
    ] {
        base.file(&format!("usr/sizes/{size}"), &noise(size, size as u64));
    }
    base.file("usr/sizes/large", &noise(5_000_000, 9));
    let mut holes = vec![0; 40 * BLOCK + 77];
    holes[3 * BLOCK + 5] = 1;
    holes[20 * BLOCK] = 2;
    base.file("usr/sizes/holes", &holes);
    base.file("usr/sizes/zeros", &vec![0; 3 * BLOCK]);
}

fn links(base: &mut Archive) {
    base.symlink("usr/short", "bin/su").symlink("home", "/usr/home");
    for len in [118, 119, 120, 121, 900] {
        base.symlink(&format!("usr/link{len}"), &"x".repeat(len));
    }
}

/// The kernel set.
pub fn kernel() -> Archive {
    let mut kernel = Archive::default();
    kernel.directory("boot").directory("boot/kernel");
    kernel.file("boot/kernel/kernel", &noise(2_000_000, 4));
    kernel.file("boot/kernel/ng_socket.ko", b"stock module");
    kernel
}

/// Writes sets and their MANIFEST into a folder.
pub fn write(folder: &Path, sets: &[(&str, &[u8])]) {
    let mut manifest = String::new();
    for (name, bytes) in sets {
        fs::write(folder.join(name), bytes).unwrap();
        let sum: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        manifest.push_str(&format!("{name}\t{sum}\t1\tx\t\"x\"\ton\n"));
    }
    fs::write(folder.join("MANIFEST"), manifest).unwrap();
}
