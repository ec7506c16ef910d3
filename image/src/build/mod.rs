//! The whole way from inputs to image files, in stages that are not run again while their inputs stay the same.
//!
//! 1. each set becomes a layer, kept in the cache under the set's checksum ([`layers`]);
//! 2. layers, prune list and additions make a [`crate::tree::Tree`] ([`merge`], [`additions`]);
//! 3. the tree is laid out and written in every format ([`disk`]).
//!
//! The third stage costs one copy of the data, so a build after a changed overlay takes a fraction of the first one.
//! If nothing changed at all, the image files stand as they are.

mod additions;
mod disk;
mod glob;
mod layers;
mod merge;
mod mtree;
mod owners;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::hash;
use crate::manifest::Manifest;
use crate::output::{self, Folder, Idle};
use crate::progress::Progress;
use crate::sets::{Fetcher, Source};
use crate::spec::{self, InterfaceUse, Spec};
use additions::Addition;
use layers::Set;

/// Changes whenever the same inputs would give other bytes.
const FORMAT: &str = "ngforge image 1";

/// Everything a build needs to know.
#[derive(Debug, Clone)]
pub struct Request {
    /// The appliance.
    pub spec: Spec,
    /// The file it came from; paths in the spec are relative to its folder.
    pub spec_file: PathBuf,
    /// Where the distribution sets are.
    pub sets: Source,
    /// Files that go into the appliance as they stand, with `<rootfs>.mtree` beside them for what git forgets.
    pub rootfs: Option<PathBuf>,
    /// Our ng_socket.ko.
    pub module: Option<PathBuf>,
    /// Programs for the appliance.
    pub tools: Vec<PathBuf>,
    /// Public keys that open root's account, besides those of the spec: one line each.
    pub authorized_keys: Vec<String>,
    /// The private key to one of them, if the build made it; goes into the manifest.
    pub identity: Option<PathBuf>,
    /// The interfaces that the graph uses.
    pub interfaces: Vec<InterfaceUse>,
    /// Where the image goes.
    pub out: PathBuf,
    /// Where sets and layers are kept.
    pub cache: PathBuf,
    /// Threads for decoding.
    pub threads: u32,
    /// Tells whether nobody else has a file open. With it, a spare image is kept, which makes the next build fast.
    pub idle: Option<Idle>,
}

/// What a build did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The account of it, as written beside the image.
    pub manifest: Manifest,
    /// Where that is.
    pub manifest_path: PathBuf,
    /// Nothing had changed since the last build.
    pub unchanged: bool,
}

/// Builds an image.
///
/// # Errors
/// Any [`Error`]; image files of an earlier build are left as they were.
pub fn build(request: &Request, progress: &dyn Progress) -> Result<Built> {
    let spec = &request.spec;
    if let Some(graph) = &spec.graph {
        let graph = beside(&request.spec_file, graph);
        spec::check_interfaces(request.interfaces.iter().cloned(), spec.nics, &graph)?;
    }
    let additions = additions::collect(request)?;
    let folder = Folder::lock(&request.out)?;
    let fetcher = Fetcher::new(&request.sets, &request.cache, progress);
    let list = fetcher.list()?;
    let listed = spec
        .sets
        .iter()
        .map(|name| list.find(name))
        .collect::<Result<Vec<_>>>()?;
    let sums: BTreeMap<String, String> = listed
        .iter()
        .map(|set| (set.file.clone(), set.sha256.clone()))
        .collect();
    let inputs = Inputs::new(request, sums, &additions)?;
    let manifest_path = folder.path().join(format!("{}.json", spec.name));
    if let Some(manifest) = standing(&manifest_path, &inputs, request) {
        return Ok(Built {
            manifest,
            manifest_path,
            unchanged: true,
        });
    }
    let sets = layers::obtain(&fetcher, &listed, request, progress)?;
    let manifest = assemble(request, &sets, &additions, &folder, inputs, progress)?;
    Ok(Built {
        manifest,
        manifest_path,
        unchanged: false,
    })
}

fn assemble(
    request: &Request,
    sets: &[Set],
    additions: &[Addition],
    folder: &Folder,
    inputs: Inputs,
    progress: &dyn Progress,
) -> Result<Manifest> {
    let spec = &request.spec;
    let scratch = layers::Scratch::new(&request.cache)?;
    let merged = merge::merge(spec, sets, additions, scratch.path(), progress)?;
    let disk = disk::lay_out(spec, &request.spec_file, &merged, sets, &inputs.seed, progress)?;
    let written = output::write(&disk, folder, &spec.name, &spec.formats, request.idle, progress)?;
    let files = written
        .into_iter()
        .map(output::Written::commit)
        .collect::<Result<Vec<_>>>()?;
    let manifest = Manifest {
        name: spec.name.clone(),
        base: "freebsd".into(),
        release: spec.release.clone(),
        hostname: spec.hostname.clone(),
        nics: spec.nics,
        files,
        identity: request
            .identity
            .as_ref()
            .map(|identity| relative(identity, folder.path())),
        inputs: inputs.files,
        key: inputs.key,
    };
    let path = folder.path().join(format!("{}.json", spec.name));
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
    output::replace(&path, text.as_bytes())?;
    Ok(manifest)
}

/// What a build depends on.
struct Inputs {
    /// By name, with SHA-256 in hexadecimal.
    files: BTreeMap<String, String>,
    /// SHA-256 over everything.
    key: String,
    /// What the ids on the disk are made of: name and sets. It stays the same when the overlay changes, and with it
    /// the beginning of the disk.
    seed: String,
}

impl Inputs {
    fn new(request: &Request, mut files: BTreeMap<String, String>, additions: &[Addition]) -> Result<Self> {
        let spec_sum = hash::of_file(&request.spec_file)?;
        let seed = format!("{FORMAT} {} {files:?}", request.spec.name);
        let mut text = format!("{FORMAT}\n{spec_sum}\n{:?}\n{:?}\n", request.spec, files);
        for addition in additions {
            let sum = addition.sha256()?;
            text.push_str(&format!("{:?} {sum}\n", addition.identity()));
            if let Some(name) = &addition.input {
                files.insert(name.clone(), sum);
            }
        }
        files.insert("appliance.yaml".into(), spec_sum);
        Ok(Self {
            files,
            key: hash::of_bytes(text.as_bytes()),
            seed,
        })
    }
}

/// The manifest of an earlier build with the same inputs, if its files still stand untouched.
fn standing(manifest_path: &Path, inputs: &Inputs, request: &Request) -> Option<Manifest> {
    let text = std::fs::read(manifest_path).ok()?;
    let manifest: Manifest = serde_json::from_slice(&text).ok()?;
    let written = manifest_path.metadata().and_then(|metadata| metadata.modified()).ok()?;
    let intact = manifest.files.iter().all(|file| {
        let metadata = request.out.join(&file.path).metadata();
        metadata.is_ok_and(|metadata| {
            metadata.len() == file.size && metadata.modified().is_ok_and(|modified| modified <= written)
        })
    });
    let identity = request
        .identity
        .as_ref()
        .map(|identity| relative(identity, &request.out));
    (manifest.key == inputs.key && intact && manifest.identity == identity).then_some(manifest)
}

/// A path of the spec, which is relative to the spec's folder.
pub(crate) fn beside(spec_file: &Path, path: &Path) -> PathBuf {
    spec_file.parent().unwrap_or(Path::new("")).join(path)
}

fn relative(path: &Path, folder: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_path_buf()
}

/// What to say about an input file that cannot be read.
pub(crate) fn absent(file: &Path, error: &std::io::Error, what_for: &str) -> Error {
    Error::Input {
        file: file.to_path_buf(),
        cause: format!("could not be read: {error}"),
        hint: what_for.into(),
    }
}
