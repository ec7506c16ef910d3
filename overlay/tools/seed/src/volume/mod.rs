//! The volume that a seed comes on: a vfat or ISO 9660 file system, or a folder.

mod blocks;
mod iso;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use blocks::Blocks;

/// The most bytes that a file of a seed may have.
const LARGEST: u64 = 1 << 20;
/// The files of a NoCloud seed.
const NO_CLOUD: [&str; 5] = ["meta-data", "user-data", "network-config", "vendor-data", "graph.yaml"];
/// The files of a config drive.
const CONFIG_DRIVE: [&str; 4] = ["meta_data.json", "user_data", "network_data.json", "vendor_data.json"];
/// Where they are.
const LATEST: &str = "openstack/latest";

/// Which form a seed has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// NoCloud.
    NoCloud,
    /// OpenStack's config drive.
    ConfigDrive,
}

/// The files of a seed.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Which form it has.
    pub kind: Kind,
    /// Where it was found.
    pub origin: PathBuf,
    files: BTreeMap<&'static str, Vec<u8>>,
}

impl Seed {
    /// A seed of these files.
    pub fn of(kind: Kind, origin: &Path, files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Self {
        Self {
            kind,
            origin: origin.into(),
            files: files.into_iter().collect(),
        }
    }

    /// Whether it has that file.
    pub fn has(&self, file: &str) -> bool {
        self.files.contains_key(file)
    }

    /// The text of a file, if it is there.
    ///
    /// # Errors
    /// It is no text in UTF-8.
    pub fn text(&self, file: &str) -> Result<Option<&str>> {
        let Some(bytes) = self.files.get(file) else {
            return Ok(None);
        };
        let wrong = |cause: &str| Error::Seed {
            file: file.into(),
            at: None,
            cause: cause.into(),
            hint: "a seed has plain text in UTF-8; attach large or binary things another way".into(),
        };
        match std::str::from_utf8(bytes) {
            _ if bytes.starts_with(b"\x1f\x8b") => Err(wrong("is compressed")),
            Ok(text) if text.contains('\0') => Err(wrong("is binary")),
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(wrong(&format!("is no UTF-8 at byte {}", error.valid_up_to()))),
        }
    }

    /// Reads the seed in a folder, image or device; None: it is a volume of something else.
    ///
    /// # Errors
    /// It cannot be read, or a file of it is too large.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let failed = |error: io::Error| Error::Volume {
            volume: path.into(),
            cause: format!("could not be read: {error}"),
            hint: "make it with `cargo xtask seed`, cloud-localds or the like".into(),
        };
        if path.is_dir() {
            return folder(path).map_err(failed);
        }
        let blocks = Blocks::new(File::open(path).map_err(failed)?);
        volume(path, blocks).map_err(failed)
    }

    /// Reads a volume in memory, as [`Seed::open`] does.
    ///
    /// # Errors
    /// It is damaged.
    pub fn of_bytes(bytes: &[u8]) -> io::Result<Option<Self>> {
        volume(Path::new("memory"), Blocks::new(io::Cursor::new(bytes)))
    }

    /// The one seed among some volumes; those that cannot be read as any are none.
    ///
    /// # Errors
    /// There are several, or the one that there is cannot be read.
    pub fn find(paths: &[PathBuf]) -> Result<Option<Self>> {
        let mut found: Vec<Self> = Vec::new();
        for path in paths {
            found.extend(Self::open(path)?);
        }
        if let [first, second, ..] = found.as_slice() {
            return Err(Error::Volume {
                volume: first.origin.clone(),
                cause: format!("is a seed, and {} is another one", second.origin.display()),
                hint: "detach one of them".into(),
            });
        }
        Ok(found.pop())
    }
}

/// The kind of seed that a volume of this label is.
fn kind(label: &str) -> Option<Kind> {
    match label.trim().to_ascii_lowercase().as_str() {
        "cidata" => Some(Kind::NoCloud),
        "config-2" => Some(Kind::ConfigDrive),
        _ => None,
    }
}

/// Where the files of a kind are, and what they are called here.
fn wanted(kind: Kind) -> Vec<(String, &'static str)> {
    match kind {
        Kind::NoCloud => NO_CLOUD.map(|name| (name.to_owned(), name)).into(),
        Kind::ConfigDrive => { CONFIG_DRIVE.iter() }
            .map(|name| (format!("{LATEST}/{name}"), *name))
            .chain([("graph.yaml".to_owned(), "graph.yaml")])
            .collect(),
    }
}

/// Reads no more than a file may have, and refuses what has more.
fn limited(name: &str, reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        0..=LARGEST => Ok(bytes),
        _ => Err(io::Error::other(format!("{name} has more than {LARGEST} bytes"))),
    }
}

fn folder(path: &Path) -> io::Result<Option<Seed>> {
    let kind = match path.join(LATEST).is_dir() {
        true => Kind::ConfigDrive,
        false => Kind::NoCloud,
    };
    let mut files = BTreeMap::new();
    for (place, name) in wanted(kind) {
        match File::open(path.join(place)) {
            Ok(file) => files.insert(name, limited(name, file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
    }
    Ok(Some(Seed::of(kind, path, files)))
}

fn volume<R: io::Read + io::Seek>(path: &Path, mut blocks: Blocks<R>) -> io::Result<Option<Seed>> {
    let mut start = [0; 512];
    blocks.read_at(0, &mut start)?;
    if let Some(disc) = iso::Disc::open(&mut blocks)? {
        let Some(kind) = kind(&disc.label) else { return Ok(None) };
        let mut files = BTreeMap::new();
        for (place, name) in wanted(kind) {
            if let Some(bytes) = disc.file(&mut blocks, &place, LARGEST)? {
                files.insert(name, bytes);
            }
        }
        return Ok(Some(Seed::of(kind, path, files)));
    }
    let is_fat = start[510..] == [0x55, 0xaa] && matches!(start[0], 0xeb | 0xe9);
    if is_fat { fat(path, blocks) } else { Ok(None) }
}

fn fat<R: io::Read + io::Seek>(path: &Path, mut blocks: Blocks<R>) -> io::Result<Option<Seed>> {
    // fatfs wants to begin there.
    blocks.rewind()?;
    let Ok(system) = fatfs::FileSystem::new(blocks, fatfs::FsOptions::new()) else {
        return Ok(None);
    };
    let in_root = system.read_volume_label_from_root_dir()?;
    let Some(kind) = kind(&system.volume_label()).or_else(|| kind(&in_root.unwrap_or_default())) else {
        return Ok(None);
    };
    let mut files = BTreeMap::new();
    let root = system.root_dir();
    for (place, name) in wanted(kind) {
        match root.open_file(&place) {
            Ok(file) => files.insert(name, limited(name, file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
    }
    Ok(Some(Seed::of(kind, path, files)))
}
