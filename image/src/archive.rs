//! Reading a distribution set, a tar archive compressed with xz, or a FreeBSD package into a layer.
//!
//! Archives are trusted no further than their checksum, and the checksum is known only at the end. So every entry is
//! judged as if it came from a stranger: nothing outside the root, nothing through a link, no devices.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use liblzma::bufread::XzDecoder;
use liblzma::stream::MtStreamBuilder;
use tar::EntryType;

use crate::data::FileData;
use crate::error::{Error, Result};
use crate::fflags;
use crate::hash::Hashing;
use crate::layer::{Entry, EntryBody, Segment, StoreError, StoredAttributes, Writer};
use crate::ufs::superblock::max_file_size;

/// Memory that parallel decoding of one set may take before it falls back to one thread, in bytes.
const THREADED_MEMORY: u64 = 88 << 20;
/// Memory above which a set is refused, in bytes: more than any preset of xz(1) needs.
const MEMORY_LIMIT: u64 = 160 << 20;
/// Bytes read from the set at a time.
const READ_BUFFER: usize = 256 * 1024;
/// The largest `+MANIFEST`, in bytes: that of a package with a hundred thousand files is a quarter of it.
const MANIFEST_LIMIT: u64 = 64 << 20;
/// No link target or pax record in a set comes near this.
const SPARSE_MAP_LIMIT: usize = 1 << 20;

/// Reads a whole .txz into `layer`.
///
/// `file` is for messages only. `compressed` is read to its end, so that a hash taken of it is complete.
///
/// # Errors
/// The archive is damaged, or has an entry that no set has: [`Error::Archive`], naming the entry. The layer cannot be
/// written.
pub fn read_into(file: &Path, compressed: impl Read, threads: u32, layer: &mut Writer) -> Result<()> {
    let mut reader = Intake::new(file, layer, Kind::Set);
    let stream = MtStreamBuilder::new()
        .threads(threads.max(1))
        .memlimit_threading(THREADED_MEMORY)
        .memlimit_stop(MEMORY_LIMIT)
        .decoder()
        .map_err(|error| reader.damaged(&error.into()))?;
    let buffered = BufReader::with_capacity(READ_BUFFER, compressed);
    let mut archive = tar::Archive::new(XzDecoder::new_stream(buffered, stream));
    reader.entries(&mut archive)?;
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(|error| reader.damaged(&error))?;
    let mut compressed = rest.into_inner();
    let behind = io::copy(&mut compressed, &mut io::sink()).map_err(|error| reader.damaged(&error))?;
    match behind {
        0 => Ok(()),
        _ => Err(reader.damaged(&io::Error::other(format!(
            "{behind} bytes behind the end of the xz stream"
        )))),
    }
}

/// What [`read_package`] tells besides what it stores.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PackageContents {
    /// The text of `+MANIFEST`.
    pub manifest: Vec<u8>,
    /// SHA-256 of every regular file in hexadecimal, by path relative to the root.
    pub sums: BTreeMap<Vec<u8>, String>,
}

/// Reads a package, already decompressed, into `layer`: `+MANIFEST` apart, then files with absolute names.
///
/// `file` is for messages only.
///
/// # Errors
/// As for [`read_into`]; there is no `+MANIFEST`, or it is larger than any.
pub fn read_package(file: &Path, tar: impl Read, layer: &mut Writer) -> Result<PackageContents> {
    let mut reader = Intake::new(file, layer, Kind::Package(PackageContents::default()));
    let mut archive = tar::Archive::new(tar);
    reader.entries(&mut archive)?;
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(|error| reader.damaged(&error))?;
    match reader.kind {
        Kind::Package(contents) if !contents.manifest.is_empty() => Ok(contents),
        _ => Err(reader.refuse("+MANIFEST", "is not there, so this is no package")),
    }
}

/// What an archive is.
enum Kind {
    /// A distribution set: names are relative.
    Set,
    /// A package: names are absolute, but for those that begin with `+`, which are about the package.
    Package(PackageContents),
}

/// What has been seen of an archive.
struct Intake<'a> {
    file: PathBuf,
    kind: Kind,
    layer: &'a mut Writer,
    /// Every path so far, and whether other paths may lie below it.
    seen: HashMap<Vec<u8>, Seen>,
    /// The last good entry, for messages.
    last: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Directory,
    Other,
}

/// What the pax header says beyond the tar header.
#[derive(Default)]
struct Extended {
    flags: String,
    mtime: Option<(i64, u32)>,
    sparse_size: Option<u64>,
    sparse_name: Option<Vec<u8>>,
    uname: Option<String>,
    gname: Option<String>,
}

impl<'a> Intake<'a> {
    fn new(file: &Path, layer: &'a mut Writer, kind: Kind) -> Self {
        Self {
            file: file.to_path_buf(),
            kind,
            layer,
            seen: HashMap::new(),
            last: "(none yet)".into(),
        }
    }

    fn entries<R: Read>(&mut self, archive: &mut tar::Archive<R>) -> Result<()> {
        let entries = archive.entries().map_err(|error| self.damaged(&error))?;
        let mut any = false;
        for entry in entries {
            let mut entry = entry.map_err(|error| self.damaged(&error))?;
            self.entry(&mut entry)?;
            any = true;
        }
        if any {
            return Ok(());
        }
        Err(self.damaged(&io::Error::other("it has no entries")))
    }

    fn entry<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>) -> Result<()> {
        let extended = self.extended(entry)?;
        let raw = extended
            .sparse_name
            .clone()
            .unwrap_or_else(|| entry.path_bytes().into_owned());
        let name = String::from_utf8_lossy(&raw).into_owned();
        if raw.starts_with(b"+") && matches!(self.kind, Kind::Package(_)) {
            return self.about_package(entry, name);
        }
        let path = self.clean(&name, &raw)?;
        let body = self.body(entry, &name, &path, &extended)?;
        self.note(&name, &path, &body)?;
        let attributes = self.attributes(entry, &name, &extended)?;
        self.layer.push(Entry { path, attributes, body });
        self.last = name;
        Ok(())
    }

    /// Keeps `+MANIFEST`, and passes over what else is about the package.
    fn about_package<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>, name: String) -> Result<()> {
        let Kind::Package(contents) = &mut self.kind else {
            return Ok(());
        };
        if name == "+MANIFEST" {
            let again = !contents.manifest.is_empty();
            let read = entry.take(MANIFEST_LIMIT + 1).read_to_end(&mut contents.manifest);
            let size = contents.manifest.len() as u64;
            read.map_err(|error| self.damaged(&error))?;
            if again {
                return Err(self.refuse(&name, "is there twice"));
            }
            if size > MANIFEST_LIMIT {
                return Err(self.refuse(&name, "is larger than 64 MiB"));
            }
        }
        self.last = name;
        Ok(())
    }

    /// The path below the root, or why it is not one.
    fn clean(&self, name: &str, raw: &[u8]) -> Result<Vec<u8>> {
        match (&self.kind, raw.starts_with(b"/")) {
            (Kind::Set, true) => return Err(self.refuse(name, "has an absolute name")),
            (Kind::Package(_), false) => return Err(self.refuse(name, "has no absolute name")),
            _ => {}
        }
        if raw.contains(&0) {
            return Err(self.refuse(name, "has a zero byte in its name"));
        }
        let mut names = Vec::new();
        for part in raw.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => return Err(self.refuse(name, "leads out of the root with `..`")),
                part => names.push(part),
            }
        }
        Ok(names.join(&b'/'))
    }

    fn body<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        name: &str,
        path: &[u8],
        extended: &Extended,
    ) -> Result<EntryBody> {
        match entry.header().entry_type() {
            EntryType::Directory => Ok(EntryBody::Directory),
            EntryType::Symlink => Ok(EntryBody::Symlink(self.target(entry, name)?)),
            EntryType::Link => {
                let target = self.target(entry, name)?;
                Ok(EntryBody::HardLink(self.clean(name, &target)?))
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => self.contents(entry, path, extended),
            EntryType::Block | EntryType::Char => Err(self.refuse(name, "is a device node")),
            EntryType::Fifo => Err(self.refuse(name, "is a named pipe")),
            other => Err(self.refuse(name, &format!("is of unknown type {:?}", char::from(other.as_byte())))),
        }
    }

    fn target<R: Read>(&self, entry: &tar::Entry<'_, R>, name: &str) -> Result<Vec<u8>> {
        match entry.link_name_bytes() {
            Some(target) if !target.is_empty() && !target.contains(&0) => Ok(target.into_owned()),
            _ => Err(self.refuse(name, "is a link to nothing")),
        }
    }

    fn contents<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        path: &[u8],
        extended: &Extended,
    ) -> Result<EntryBody> {
        let stored = match extended.sparse_size {
            Some(size) => {
                let segments = sparse_map(entry).map_err(|error| self.damaged(&error))?;
                check_segments(&segments, size).map_err(|error| self.damaged(&error))?;
                self.layer.store_sparse(entry, size, &segments)
            }
            None => {
                let size = entry.size();
                match self.kind {
                    Kind::Set => self.layer.store(entry, size),
                    Kind::Package(_) => self.hashed(entry, path, size),
                }
            }
        };
        match stored {
            Ok(data) => Ok(EntryBody::File(data)),
            Err(error) => {
                let error = self.layer.blame(error)?;
                Err(self.damaged(&error))
            }
        }
    }

    /// Stores a file of a package and notes its checksum.
    fn hashed<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        path: &[u8],
        size: u64,
    ) -> std::result::Result<FileData, StoreError> {
        let mut hashing = Hashing::new(entry);
        let stored = self.layer.store(&mut hashing, size);
        if let Kind::Package(contents) = &mut self.kind {
            contents.sums.insert(path.to_vec(), hashing.finish().0);
        }
        stored
    }

    /// Refuses what a well-made archive never has: a path twice, or one below something that is not a directory.
    fn note(&mut self, name: &str, path: &[u8], body: &EntryBody) -> Result<()> {
        let slashes = (0..path.len()).filter(|at| path[*at] == b'/');
        for end in slashes {
            if self.seen.get(&path[..end]) == Some(&Seen::Other) {
                let parent = String::from_utf8_lossy(&path[..end]).into_owned();
                return Err(self.refuse(name, &format!("lies below `{parent}`, which is not a directory")));
            }
        }
        let seen = match body {
            EntryBody::Directory => Seen::Directory,
            _ => Seen::Other,
        };
        if let EntryBody::HardLink(target) = body
            && self.seen.get(target) != Some(&Seen::Other)
        {
            let target = String::from_utf8_lossy(target).into_owned();
            return Err(self.refuse(name, &format!("is a hard link to `{target}`, which is no earlier file")));
        }
        match self.seen.insert(path.to_vec(), seen) {
            None => Ok(()),
            Some(Seen::Directory) if seen == Seen::Directory && path.is_empty() => Ok(()),
            Some(_) => Err(self.refuse(name, "is there twice")),
        }
    }

    fn attributes<R: Read>(
        &self,
        entry: &tar::Entry<'_, R>,
        name: &str,
        extended: &Extended,
    ) -> Result<StoredAttributes> {
        let header = entry.header();
        let number = |value: io::Result<u64>| value.map_err(|error| self.damaged(&error));
        let id = |value: io::Result<u64>| {
            u32::try_from(number(value)?).map_err(|_| self.refuse(name, "has an owner or group beyond 32 bits"))
        };
        let mode = header.mode().map_err(|error| self.damaged(&error))?;
        let text = |name: std::result::Result<Option<&str>, _>| {
            name.ok().flatten().filter(|name| !name.is_empty()).map(String::from)
        };
        let flags = fflags::parse(&extended.flags)
            .map_err(|flag| self.refuse(name, &format!("has the unknown file flag `{flag}`")))?;
        let (mtime, mtime_nanos) = match extended.mtime {
            Some(mtime) => mtime,
            None => (number(header.mtime())? as i64, 0),
        };
        Ok(StoredAttributes {
            mode: (mode & 0o7777) as u16,
            uid: id(header.uid())?,
            gid: id(header.gid())?,
            uname: extended.uname.clone().or_else(|| text(header.username())),
            gname: extended.gname.clone().or_else(|| text(header.groupname())),
            flags,
            mtime,
            mtime_nanos,
        })
    }

    fn extended<R: Read>(&self, entry: &mut tar::Entry<'_, R>) -> Result<Extended> {
        let mut found = Extended::default();
        let Some(records) = entry.pax_extensions().map_err(|error| self.damaged(&error))? else {
            return Ok(found);
        };
        let mut sparse_major = None;
        for record in records {
            let record = record.map_err(|error| self.damaged(&error))?;
            let text = || String::from_utf8_lossy(record.value_bytes()).into_owned();
            match record.key_bytes() {
                b"SCHILY.fflags" => found.flags = text(),
                b"mtime" => found.mtime = pax_time(&text()),
                b"uname" => found.uname = Some(text()),
                b"gname" => found.gname = Some(text()),
                b"GNU.sparse.major" => sparse_major = Some(text()),
                b"GNU.sparse.realsize" => found.sparse_size = text().parse().ok(),
                b"GNU.sparse.name" => found.sparse_name = Some(record.value_bytes().to_vec()),
                b"GNU.sparse.map" | b"GNU.sparse.offset" => sparse_major = Some("0".into()),
                _ => {}
            }
        }
        match sparse_major.as_deref() {
            None | Some("1") => Ok(found),
            Some(_) => Err(self.damaged(&io::Error::other("it has sparse files in an old pax format"))),
        }
    }

    fn refuse(&self, entry: &str, cause: &str) -> Error {
        Error::Archive {
            file: self.file.clone(),
            entry: entry.into(),
            cause: cause.into(),
            hint: match self.kind {
                Kind::Set => {
                    "no FreeBSD distribution set has such an entry; fetch the set and MANIFEST from a mirror you trust"
                }
                Kind::Package(_) => "pkg-create(8) makes no such package; take it from a repository you trust",
            }
            .into(),
        }
    }

    fn damaged(&self, error: &io::Error) -> Error {
        let cause = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the archive breaks off here or just behind".into(),
            _ => format!("the archive is damaged here or just behind: {error}"),
        };
        Error::Archive {
            file: self.file.clone(),
            entry: self.last.clone(),
            cause,
            hint: match self.kind {
                Kind::Set => "fetch the set again".into(),
                Kind::Package(_) => "fetch the package again".into(),
            },
        }
    }
}

/// Seconds and nanoseconds of a pax time such as `1700000000.25`.
fn pax_time(text: &str) -> Option<(i64, u32)> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: u32 = digits.parse().ok()?;
    match (text.starts_with('-'), nanos) {
        (true, 1..) => Some((seconds - 1, 1_000_000_000 - nanos)),
        _ => Some((seconds, nanos)),
    }
}

/// The map before the contents of a sparse file in GNU's pax format 1.0: numbers on lines, padded to 512 bytes.
fn sparse_map(contents: &mut impl Read) -> io::Result<Vec<Segment>> {
    let mut text = Vec::new();
    let mut block = [0; 512];
    let bad = || io::Error::other("a sparse file has a broken map");
    loop {
        contents.read_exact(&mut block)?;
        text.extend_from_slice(&block);
        let lines = text.split(|byte| *byte == b'\n');
        let mut numbers = lines.map(|line| std::str::from_utf8(line).ok().and_then(|line| line.parse::<u64>().ok()));
        let count = numbers.next().flatten().ok_or_else(bad)? as usize;
        let complete = text.iter().filter(|byte| **byte == b'\n').count() > count.saturating_mul(2);
        if complete {
            let numbers: Vec<u64> = numbers.take(count * 2).collect::<Option<_>>().ok_or_else(bad)?;
            let pairs = numbers.chunks_exact(2);
            return Ok(pairs
                .map(|pair| Segment {
                    at: pair[0],
                    len: pair[1],
                })
                .collect());
        }
        if text.len() > SPARSE_MAP_LIMIT {
            return Err(bad());
        }
    }
}

fn check_segments(segments: &[Segment], size: u64) -> io::Result<()> {
    let most = max_file_size();
    if size > most {
        let text = format!("a sparse file says that it has {size} bytes, and UFS holds no more than {most}");
        return Err(io::Error::other(text));
    }
    let mut end = 0u64;
    for segment in segments {
        let next = segment.at.checked_add(segment.len);
        match next {
            Some(next) if segment.at >= end && next <= size => end = next,
            _ => return Err(io::Error::other("a sparse file has a map that contradicts itself")),
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
