//! What the loader of a disk with slots needs: a small boot partition that updates never change, and the state that says
//! which slot is booted.
//!
//! The loader's Lua can neither open a partition as such nor make a file, but it can overwrite one in place. So the state
//! is two files of one sector in a file system of its own that nobody ever mounts: the loader goes by their names, the
//! appliance by their places on the disk, [`STATE_AT`].

use std::path::Path;

use crate::error::{Error, Result};
use crate::layer::{Layer, Writer};
use crate::tree::{Body, Node, Tree};
use crate::ufs::inode::Attributes;

/// Where the two copies of the state lie, in bytes from the start of their partition.
///
/// Each has a fragment of 4096 bytes of its own, which the loader writes as a whole.
pub const STATE_AT: [u64; 2] = [0x3_b000, 0x3_c000];
/// Bytes in the partition for the state.
pub const STATE_SIZE: u64 = 1 << 20;
/// Bytes in a copy: one sector, which disks write as a whole or not at all.
pub const COPY: usize = 512;

/// Files of the base that the loader reads before it knows the slot.
const FILES: [&[u8]; 3] = [b"boot/loader", b"boot/device.hints", b"boot/loader.conf"];
const FOLDERS: [&[u8]; 2] = [b"boot/lua", b"boot/defaults"];
/// Our part of it.
const SCRIPTS: [(&str, &str); 2] = [
    ("boot/lua/local.lua", include_str!("local.lua")),
    ("boot/lua/slots.lua", include_str!("slots.lua")),
];
/// Without these the loader does nothing.
const NEEDED: [&[u8]; 2] = [b"boot/lua/loader.lua", b"boot/defaults/loader.conf"];

/// The trees of the two partitions; their own files are in `layer`, which follows all others.
#[derive(Debug)]
pub struct Loader {
    /// Contents that no set has.
    pub layer: Layer,
    /// The boot partition.
    pub boot: Tree,
    /// The state.
    pub state: Tree,
}

/// Gathers what the loader needs from the appliance's tree, in which `layers` layers are used; new contents go below
/// `scratch`.
///
/// # Errors
/// The sets lack the loader's scripts, or the folder cannot take files.
pub fn gather(tree: &Tree, layers: usize, time: i64, scratch: &Path) -> Result<Loader> {
    let folder = scratch.join("loader");
    std::fs::create_dir_all(&folder).map_err(Error::io("make the folder", &folder))?;
    let mut own = Own {
        writer: Writer::new(&folder)?,
        layer: layers,
        time,
    };
    let mut boot = loaders_part(tree)?;
    for (path, text) in SCRIPTS {
        own.add(&mut boot, path, text.as_bytes())?;
    }
    let mut state = Tree::new();
    for (name, seq) in [("state.0", 1), ("state.1", 0)] {
        own.add(&mut state, name, &first_state(seq))?;
    }
    boot.date_root(time);
    state.date_root(time);
    Ok(Loader {
        layer: own.writer.finish()?,
        boot,
        state,
    })
}

/// The state of a fresh image, in one of its two copies.
fn first_state(seq: u32) -> Vec<u8> {
    let text = format!("ngforge-state 1\nseq={seq}\nboot=a\ntry=-\ntried=-\nstarts=0\na=new\nb=empty\n");
    let sum = crc32fast::hash(text.as_bytes());
    let mut sector = format!("{text}sum={sum:08x}\n").into_bytes();
    sector.resize(COPY, b'\n');
    sector
}

/// The loader's files of the base, as they stand.
fn loaders_part(tree: &Tree) -> Result<Tree> {
    let mut boot = Tree::new();
    for (path, id) in tree.iter().filter(|(path, _)| wanted(path)) {
        boot.insert(path, tree.node(id).clone())?;
    }
    match NEEDED.into_iter().find(|path| boot.get(path).is_none()) {
        None => Ok(boot),
        Some(path) => Err(Error::Tree {
            path: crate::tree::display(path),
            cause: "is not in any set, and the loader needs it to pick a root slot".into(),
            hint: "do not prune it, or choose `disk: {layout: single}`".into(),
        }),
    }
}

fn wanted(path: &[u8]) -> bool {
    let below = |folder: &[u8]| path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"));
    FILES.contains(&path) || FOLDERS.into_iter().any(below)
}

/// The layer of files that no set has.
struct Own {
    writer: Writer,
    layer: usize,
    time: i64,
}

impl Own {
    fn add(&mut self, tree: &mut Tree, path: &str, contents: &[u8]) -> Result<()> {
        let stored = self.writer.store(&mut { contents }, contents.len() as u64);
        let data = match stored {
            Ok(data) => data,
            Err(error) => return Err(Error::io("store the file", Path::new(path))(self.writer.blame(error)?)),
        };
        let attributes = Attributes {
            mode: 0o644,
            mtime: self.time,
            ..Attributes::default()
        };
        let layer = self.layer;
        tree.insert(
            path.as_bytes(),
            Node {
                attributes,
                body: Body::File { layer, data },
                origin: 0,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::piece::Blobs;
    use crate::ufs::{self, LayerFiles};

    #[test]
    fn the_copies_lie_where_the_appliance_looks_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::new();
        let mut own = Own {
            writer: Writer::new(folder.path()).unwrap(),
            layer: 0,
            time: 1,
        };
        for path in NEEDED {
            own.add(&mut tree, std::str::from_utf8(path).unwrap(), b"x").unwrap();
        }
        let loader = gather(&tree, 0, 1, folder.path()).unwrap();
        let blobs = Blobs(vec![loader.layer.blocks, loader.layer.frags]);
        let options = ufs::Options {
            size: STATE_SIZE,
            label: "",
            time: 1,
            id: 1,
            max_group: None,
        };
        let layers = [LayerFiles { blocks: 0, frags: 1 }];
        let (pieces, _) = ufs::lay_out(&loader.state, &layers, &options).unwrap();
        let bytes = ufs::to_bytes(&pieces, &blobs, STATE_SIZE).unwrap();
        let places: Vec<u64> = { bytes.chunks(COPY).zip(0..) }
            .filter(|(sector, _)| sector.starts_with(b"ngforge-state 1\n"))
            .map(|(_, number)| number * COPY as u64)
            .collect();
        assert_eq!(places, STATE_AT);
        assert!(bytes[STATE_AT[0] as usize..].starts_with(&first_state(1)));
        assert!(bytes[STATE_AT[1] as usize..].starts_with(&first_state(0)));
    }

    #[test]
    fn without_the_loaders_scripts_there_is_no_disk_with_slots() {
        let folder = tempfile::tempdir().unwrap();
        let error = gather(&Tree::new(), 0, 1, folder.path()).unwrap_err().to_string();
        assert!(error.contains("boot/lua/loader.lua"), "{error}");
        assert!(error.contains("layout: single"), "{error}");
    }
}
