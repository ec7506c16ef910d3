//! The packages that a source offers: from the signed catalogue of a repository, or from the files of a directory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::fetch::Location;
use super::manifest::{self, Manifest};
use super::signature::{self, Fingerprints, Signer};
use super::{Context, compress};
use crate::build::beside;
use crate::error::{Error, Result};
use crate::hash::{self, Hashing};
use crate::spec::packages::{Place, SourceSpec, Trust};

/// The largest catalogue, unpacked, in bytes: FreeBSD's own is a tenth of it.
const CATALOGUE_LIMIT: u64 = 2 << 30;
/// The longest line of a catalogue, in bytes.
const LINE_LIMIT: u64 = 16 << 20;
/// The largest signature or key, in bytes, and how many there may be.
const SIGNATURE_LIMIT: u64 = 64 << 10;
const SIGNERS: usize = 64;
/// What files of packages end with.
const ENDINGS: [&str; 5] = [".pkg", ".txz", ".tzst", ".tbz", ".tgz"];
/// Files of a repository that are no packages.
const CATALOGUES: [&str; 4] = ["data", "packagesite", "meta", "filesite"];

/// A package that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What is known of it before it is fetched.
    pub manifest: Manifest,
    /// SHA-256 of the package file in hexadecimal.
    pub sha256: String,
    /// Where the file is.
    pub location: Location,
    /// The source, for messages.
    pub source: String,
}

/// Everything that `source` offers.
///
/// # Errors
/// The source cannot be read, or its catalogue is not signed by whom the appliance file trusts.
pub fn offers(source: &SourceSpec, context: &Context<'_>) -> Result<Vec<Offer>> {
    match &source.place {
        Place::Directory(folder) => directory(&beside(context.spec_file, folder)),
        Place::Repository(address) => repository(address, &source.trust, context),
    }
}

fn directory(folder: &Path) -> Result<Vec<Offer>> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| Error::Input {
        file: folder.to_path_buf(),
        cause: format!("could not be read: {error}"),
        hint: "`directory` of `packages: from` names a folder of .pkg files".into(),
    })?;
    let mut files: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    files.retain(|file| is_package(file));
    files.sort();
    files.iter().map(|file| local(file, folder)).collect()
}

fn is_package(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    stem.is_some_and(|stem| !CATALOGUES.contains(&stem)) && file.is_file()
}

/// A package file of a directory.
fn local(file: &Path, folder: &Path) -> Result<Offer> {
    let opened = File::open(file).map_err(Error::io("open the package", file))?;
    let text = about(opened).map_err(|cause| not_a_package(file, &cause))?;
    let manifest = Manifest::parse(&text).map_err(|cause| not_a_package(file, &cause))?;
    Ok(Offer {
        manifest,
        sha256: hash::of_file(file)?,
        location: Location::File(file.to_path_buf()),
        source: folder.display().to_string(),
    })
}

fn not_a_package(file: &Path, cause: &str) -> Error {
    Error::Input {
        file: file.to_path_buf(),
        cause: cause.into(),
        hint: "make packages with pkg-create(8), or take them from a repository; remove what is none".into(),
    }
}

/// The manifest at the beginning of a package.
fn about(file: File) -> std::result::Result<Vec<u8>, String> {
    let broken = |error: io::Error| format!("is no package: {error}");
    let mut archive = tar::Archive::new(compress::open(file).map_err(broken)?);
    for entry in archive.entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let name = entry.path_bytes().into_owned();
        if name == b"+MANIFEST" || name == b"+COMPACT_MANIFEST" {
            let mut text = Vec::new();
            entry.take(LINE_LIMIT).read_to_end(&mut text).map_err(broken)?;
            return Ok(text);
        }
        if !name.starts_with(b"+") {
            break;
        }
    }
    Err("is no package: it does not begin with +MANIFEST".into())
}

/// Which files the catalogue consists of, by meta.conf.
struct Layout {
    archives: Vec<String>,
    member: String,
}

impl Layout {
    /// From the text of meta.conf; repositories of version 1 have no `data`.
    fn of(text: &str) -> std::result::Result<Self, String> {
        let table = super::settings::parse(text);
        let word = |key: &str, usual: &str| match table.get(key).map_or(usual, String::as_str) {
            word if super::settings::is_file_name(word) => Ok(word.to_string()),
            word => Err(format!(
                "has the {key} `{}`, which is no file name",
                word.escape_debug()
            )),
        };
        match table.get("version").map(String::as_str) {
            Some("1" | "2") => {}
            version => {
                return Err(format!(
                    "is of version {}; 1 and 2 are known",
                    version.unwrap_or("(none)")
                ));
            }
        }
        let packing = word("packing_format", "txz")?;
        let (archive, member) = match table.contains_key("data") {
            true => (word("data_archive", "data")?, word("data", "data")?),
            false => (
                word("manifests_archive", "packagesite")?,
                word("manifests", "packagesite.yaml")?,
            ),
        };
        let archives = ["pkg", packing.as_str()].map(|ending| format!("{archive}.{ending}"));
        Ok(Self {
            archives: archives.to_vec(),
            member,
        })
    }
}

fn repository(address: &str, trust: &Trust, context: &Context<'_>) -> Result<Vec<Offer>> {
    let meta = context.get(address, "meta.conf")?;
    let text = fs::read_to_string(&meta).map_err(Error::io("read the file", &meta))?;
    let damaged = |name: &str, cause: &str| broken(&format!("{address}/{name}"), cause);
    let layout = Layout::of(&text).map_err(|cause| damaged("meta.conf", &cause))?;
    let (name, archive) = context.get_one(address, &layout.archives)?;
    let scratch = context.scratch()?;
    let unpacked = scratch.path().join("catalogue");
    let found = extract(&archive, &layout.member, &unpacked).map_err(|cause| damaged(&name, &cause))?;
    check(trust, &found, context)
        .and_then(|result| result.map_err(|cause| unsigned(&format!("{address}/{name}"), &cause)))?;
    let mut offers = Vec::new();
    let mut keep = |manifest: Manifest| {
        offers.push(offer(manifest, address)?);
        Ok(())
    };
    read(&unpacked, layout.member.ends_with(".yaml"), &mut keep).map_err(|cause| damaged(&name, &cause))?;
    Ok(offers)
}

/// What a catalogue's archive holds besides the catalogue itself.
#[derive(Default)]
struct Found {
    /// SHA-256 of the catalogue in hexadecimal.
    sum: String,
    /// By name without `.sig` and `.pub`.
    signers: BTreeMap<String, Signer>,
    /// The one signature of a repository with a key.
    signature: Option<Vec<u8>>,
}

/// Unpacks `member` of a catalogue's archive into the file `into`.
fn extract(archive: &Path, member: &str, into: &Path) -> std::result::Result<Found, String> {
    let failed = |error: io::Error| format!("is damaged: {error}");
    let file = File::open(archive).map_err(failed)?;
    let mut tar = tar::Archive::new(compress::open(file).map_err(failed)?);
    let mut found = Found::default();
    for entry in tar.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if name == member {
            if !found.sum.is_empty() {
                return Err(format!("has `{member}` twice"));
            }
            found.sum = copy(&mut entry, into)?;
        } else {
            found.note(&name, &mut entry)?;
        }
    }
    match found.sum.is_empty() {
        true => Err(format!("has no `{member}`")),
        false => Ok(found),
    }
}

fn copy(from: &mut impl Read, into: &Path) -> std::result::Result<String, String> {
    let failed = |error: io::Error| format!("is damaged: {error}");
    let mut out = Hashing::new(File::create(into).map_err(failed)?);
    let bytes = io::copy(&mut from.take(CATALOGUE_LIMIT + 1), &mut out).map_err(failed)?;
    if bytes > CATALOGUE_LIMIT {
        return Err(format!("holds a catalogue of more than {} MiB", CATALOGUE_LIMIT >> 20));
    }
    Ok(out.finish().0)
}

impl Found {
    /// Keeps signatures and keys, and passes over the rest.
    fn note(&mut self, name: &str, entry: &mut impl Read) -> std::result::Result<(), String> {
        let (signer, is_key) = match (name.strip_suffix(".sig"), name.strip_suffix(".pub")) {
            (Some(signer), _) => (signer, false),
            (_, Some(signer)) => (signer, true),
            _ if name == "signature" => {
                self.signature = Some(small(entry, name)?);
                return Ok(());
            }
            _ => return Ok(()),
        };
        if self.signers.len() >= SIGNERS {
            return Err(format!("has more than {SIGNERS} signatures"));
        }
        let bytes = small(entry, name)?;
        let signer = self.signers.entry(signer.into()).or_default();
        match is_key {
            true => signer.key = bytes,
            false => signer.signature = bytes,
        }
        Ok(())
    }
}

fn small(entry: &mut impl Read, name: &str) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = entry.take(SIGNATURE_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("is damaged: {error}"))?;
    match bytes.len() as u64 {
        0 => Err(format!("has an empty `{name}`")),
        1..=SIGNATURE_LIMIT => Ok(bytes),
        _ => Err(format!("has a `{name}` of more than {} KiB", SIGNATURE_LIMIT >> 10)),
    }
}

/// Whether the catalogue is signed as it must be.
fn check(trust: &Trust, found: &Found, context: &Context<'_>) -> Result<std::result::Result<(), String>> {
    match trust {
        Trust::Unsigned => Ok(Ok(())),
        Trust::Fingerprints(folder) => {
            let fingerprints = Fingerprints::load(&beside(context.spec_file, folder))?;
            Ok(fingerprints.check(&found.signers, &found.sum))
        }
        Trust::Key(file) => {
            let file = beside(context.spec_file, file);
            let hint = "`key` names the public key in PEM of whoever signs the repository";
            let key = fs::read(&file).map_err(|error| crate::build::absent(&file, &error, hint))?;
            let Some(signature) = &found.signature else {
                return Ok(Err("is not signed".into()));
            };
            Ok(signature::verify(&key, signature, &found.sum))
        }
    }
}

fn unsigned(file: &str, cause: &str) -> Error {
    Error::Input {
        file: file.into(),
        cause: cause.into(),
        hint: "do not trust this mirror; if the repository has new keys, take them from its owner. A repository that \
               nobody signs needs `signature: none`"
            .into(),
    }
}

fn broken(file: &str, cause: &str) -> Error {
    Error::Input {
        file: file.into(),
        cause: cause.into(),
        hint: "the repository must be one that pkg-repo(8) made; try again, or name another mirror".into(),
    }
}

/// Reads a catalogue: a table with all packages, or one package on each line.
fn read(
    file: &Path,
    lines: bool,
    keep: &mut dyn FnMut(Manifest) -> std::result::Result<(), String>,
) -> std::result::Result<(), String> {
    let failed = |error: io::Error| format!("is damaged: {error}");
    let mut reader = BufReader::new(File::open(file).map_err(failed)?);
    if !lines {
        return manifest::read_data(reader, keep).map_err(|cause| format!("cannot be understood: {cause}"));
    }
    for number in 1.. {
        let mut line = Vec::new();
        let read = reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line);
        if read.map_err(failed)? == 0 {
            break;
        }
        let manifest = Manifest::parse(line.trim_ascii()).map_err(|cause| format!("line {number} {cause}"))?;
        keep(manifest).map_err(|cause| format!("line {number}: {cause}"))?;
    }
    Ok(())
}

/// A package of the catalogue of the repository at `address`.
fn offer(manifest: Manifest, address: &str) -> std::result::Result<Offer, String> {
    let name = manifest.full_name();
    let sum = manifest.sum.to_ascii_lowercase();
    if sum.len() != 64 || !sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!(
            "{name} has the checksum `{}`, which is no SHA-256",
            sum.escape_debug()
        ));
    }
    let path = match manifest.repopath.as_str() {
        "" => manifest.path.clone(),
        path => path.to_string(),
    };
    let inside = |part: &str| super::settings::is_file_name(part);
    if !path.split('/').all(inside) {
        return Err(format!(
            "{name} has the path `{}`, which leads out of the repository",
            path.escape_debug()
        ));
    }
    Ok(Offer {
        sha256: sum,
        location: Location::below(address, &path),
        manifest,
        source: address.into(),
    })
}
