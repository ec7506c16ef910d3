//! The initramfs: a cpio archive in the newc format (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
//!
//! It is not compressed: a guest without KVM unpacks slowly, and firmware reads fast.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cpio::newc::{Builder, ModeFileType, trailer};

use crate::build::additions::{Addition, AdditionBody};
use crate::error::{Error, Result};

/// Who may do what in directories that nobody names.
const DIRECTORY_MODE: u16 = 0o755;

/// The archive with these files, and the directories above them; of two for the same path the later one wins.
///
/// Every time in it is 0, and the order is that of the paths: the same files give the same bytes.
///
/// # Errors
/// A file cannot be read, or a path leads through what is no directory.
pub fn archive(additions: &[Addition]) -> Result<Vec<u8>> {
    let mut entries: BTreeMap<&[u8], &Addition> = BTreeMap::new();
    for addition in additions {
        let unnamed = matches!(addition.body, AdditionBody::Directory { named: false });
        if !(unnamed && entries.contains_key(&*addition.path)) {
            entries.insert(&addition.path, addition);
        }
    }
    let mut archive = Archive::default();
    let mut made: BTreeSet<&[u8]> = BTreeSet::new();
    for (path, addition) in &entries {
        for above in ancestors(path) {
            match entries.get(above).map(|entry| &entry.body) {
                Some(AdditionBody::Directory { .. }) => {}
                Some(_) => return Err(blocked(path, above)),
                None if made.insert(above) => archive.directory(above)?,
                None => {}
            }
        }
        archive.add(path, addition)?;
    }
    archive.finish()
}

/// The directories above a path, the outermost first.
fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    { path.iter().enumerate() }
        .filter(|(_, byte)| **byte == b'/')
        .map(|(at, _)| &path[..at])
}

fn blocked(path: &[u8], above: &[u8]) -> Error {
    Error::Tree {
        path: crate::tree::display(path),
        cause: format!("lies below {}, which is no directory", crate::tree::display(above)),
        hint: "give one of them another path".into(),
    }
}

/// An archive under construction.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    fn add(&mut self, path: &[u8], addition: &Addition) -> Result<()> {
        let contents;
        let (kind, bytes): (_, &[u8]) = match &addition.body {
            AdditionBody::Directory { .. } => (ModeFileType::Directory, &[]),
            AdditionBody::Symlink(target) => (ModeFileType::Symlink, target),
            AdditionBody::Bytes(bytes) => (ModeFileType::Regular, bytes),
            AdditionBody::File(file) => {
                contents = fs::read(file).map_err(Error::io("read the file", file))?;
                (ModeFileType::Regular, &contents)
            }
        };
        let attributes = &addition.attributes;
        let builder = Builder::new(&String::from_utf8_lossy(path))
            .mode(attributes.mode.into())
            .uid(attributes.uid)
            .gid(attributes.gid);
        self.write(path, builder, kind, bytes)
    }

    fn directory(&mut self, path: &[u8]) -> Result<()> {
        let builder = Builder::new(&String::from_utf8_lossy(path)).mode(DIRECTORY_MODE.into());
        self.write(path, builder, ModeFileType::Directory, &[])
    }

    fn write(&mut self, path: &[u8], builder: Builder, kind: ModeFileType, contents: &[u8]) -> Result<()> {
        let failed = || Error::Tree {
            path: crate::tree::display(path),
            cause: format!("{} bytes do not fit into an initramfs", contents.len()),
            hint: "leave it out".into(),
        };
        let size = u32::try_from(contents.len()).map_err(|_| failed())?;
        self.entries += 1;
        let builder = builder.ino(self.entries).set_mode_file_type(kind);
        let mut writer = builder.write(&mut self.bytes, size);
        std::io::Write::write_all(&mut writer, contents).map_err(|_| failed())?;
        writer.finish().map_err(|_| failed())?;
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>> {
        trailer(self.bytes).map_err(Error::io("finish", "the initramfs".as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Path, mode and contents of each entry, as an independent reader finds them.
    fn read(mut bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut entries = Vec::new();
        loop {
            let mut reader = cpio::NewcReader::new(bytes).unwrap();
            if reader.entry().is_trailer() {
                return entries;
            }
            let mut contents = Vec::new();
            std::io::Read::read_to_end(&mut reader, &mut contents).unwrap();
            let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
            entries.push((name, mode, contents));
            bytes = reader.finish().unwrap();
        }
    }

    fn file(path: &str, text: &str) -> Addition {
        Addition::new(path, 0o640, AdditionBody::Bytes(text.into()))
    }

    #[test]
    fn directories_come_before_what_is_in_them_and_later_files_win() {
        let named = Addition::new("root/.ssh", 0o700, AdditionBody::Directory { named: true });
        let link = Addition::new("init", 0o777, AdditionBody::Symlink(b"bin/busybox".to_vec()));
        let unnamed = Addition::new("root/.ssh", 0o755, AdditionBody::Directory { named: false });
        let additions = [
            file("root/.ssh/keys", "old"),
            named,
            unnamed,
            file("root/.ssh/keys", "new"),
            link,
        ];
        let entries = read(&archive(&additions).unwrap());
        let expected = [
            ("init", 0o120_777, "bin/busybox"),
            ("root", 0o040_755, ""),
            ("root/.ssh", 0o040_700, ""),
            ("root/.ssh/keys", 0o100_640, "new"),
        ];
        let found: Vec<_> = { entries.iter() }
            .map(|(path, mode, contents)| (path.as_str(), *mode, str::from_utf8(contents).unwrap()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_path_through_a_file_is_refused() {
        let error = archive(&[file("etc/a", "x"), file("etc/a/b", "y")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("etc/a/b: lies below /etc/a, which is no directory"),
            "{error}"
        );
    }
}
