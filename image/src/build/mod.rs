//! The whole way from inputs to image files, in stages that are not run again while their inputs stay the same.
//!
//! 1. each set becomes a layer, kept in the cache under the set's checksum ([`layers`]);
//! 2. layers, prune list and additions make a [`crate::tree::Tree`] ([`merge`], [`additions`]);
//! 3. the tree is laid out and written in every format ([`disk`]).
//!
//! The third stage costs one copy of the data, so a build after a changed overlay takes a fraction of the first one.
//! If nothing changed at all, the image files stand as they are.

pub(crate) mod additions;
mod arrange;
pub mod boot;
pub mod disk;
mod glob;
mod layers;
mod layout;
mod merge;
mod mtree;
mod owners;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::hash;
use crate::hosted::Hosted;
use crate::manifest::{self, Manifest, OutputFile};
use crate::output::{self, Disk, Folder, Idle};
use crate::progress::Progress;
use crate::sets::{Fetcher, Source};
use crate::spec::{self, InterfaceUse, Layout, Spec};
use crate::update::{self, Signing};
pub use additions::{Addition, AdditionBody};

/// Changes whenever the same inputs would give other bytes.
const FORMAT: &str = "ngforge image 1";

/// Everything a build needs to know.
#[derive(Debug, Clone)]
pub struct Request {
    /// The appliance.
    pub spec: Spec,
    /// The file it came from; paths in the spec are relative to its folder.
    pub spec_file: PathBuf,
    /// What it is built from.
    pub base: Base,
    /// Files that go into the appliance as they stand, with `<rootfs>.mtree` beside them for what git forgets.
    pub rootfs: Option<PathBuf>,
    /// Our ng_socket.ko.
    pub module: Option<PathBuf>,
    /// Programs for the appliance.
    pub tools: Vec<PathBuf>,
    /// What else goes on top, such as the programs' manual pages.
    pub companions: Vec<Addition>,
    /// Public keys that open root's account, besides those of the spec: one line each.
    pub authorized_keys: Vec<String>,
    /// Who signs updates; of a disk with root slots alone.
    pub signing: Signing,
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

/// What an image is built from.
#[derive(Debug, Clone)]
pub enum Base {
    /// FreeBSD's distribution sets.
    FreeBsd(Source),
    /// The hosted base.
    Hosted(Hosted),
}

impl Base {
    /// Its name in the manifest.
    pub fn name(&self) -> &'static str {
        match self {
            Self::FreeBsd(_) => manifest::FREEBSD,
            Self::Hosted(_) => manifest::HOSTED,
        }
    }
}

impl Request {
    /// Stem of the image files: of one appliance there may be an image of each base.
    pub fn stem(&self) -> String {
        match self.base {
            Base::FreeBsd(_) => self.spec.name.clone(),
            Base::Hosted(_) => format!("{}-{}", self.spec.name, manifest::HOSTED),
        }
    }
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
    let build = Build {
        request,
        additions,
        manifest_path: folder.path().join(format!("{}.json", request.stem())),
        folder,
        progress,
    };
    match &request.base {
        Base::FreeBsd(source) => build.freebsd(source),
        Base::Hosted(hosted) => build.hosted(hosted),
    }
}

/// A build that is under way.
struct Build<'a> {
    request: &'a Request,
    additions: Vec<Addition>,
    folder: Folder,
    manifest_path: PathBuf,
    progress: &'a dyn Progress,
}

impl Build<'_> {
    fn freebsd(&self, source: &Source) -> Result<Built> {
        let (request, progress) = (self.request, self.progress);
        let spec = &request.spec;
        let fetcher = Fetcher::new(source, &request.cache, progress);
        let list = fetcher.list()?;
        let listed = { spec.sets.iter() }
            .map(|name| list.find(name))
            .collect::<Result<Vec<_>>>()?;
        let sums = listed.iter().map(|set| (set.file.clone(), set.sha256.clone()));
        let inputs = Inputs::new(request, sums.collect(), &self.additions)?;
        if let Some(built) = self.standing(&inputs) {
            return Ok(built);
        }
        let sets = layers::obtain(&fetcher, &listed, request, progress)?;
        let scratch = layers::Scratch::new(&request.cache)?;
        let additions = self.identified(&inputs);
        let mut merged = merge::merge(spec, &sets, &additions, scratch.path(), progress)?;
        if spec.disk.layout == spec::Layout::Slots {
            arrange::arrange(&mut merged.tree, merged.time)?;
        }
        let disk = disk::lay_out(&disk::Ingredients {
            spec,
            spec_file: &request.spec_file,
            merged: &merged,
            sets: &sets,
            seed: &inputs.seed,
            scratch: scratch.path(),
            progress,
        })?;
        self.finish(&disk, inputs, None)
    }

    fn hosted(&self, hosted: &Hosted) -> Result<Built> {
        let gathered = hosted.gather(self.progress)?;
        let inputs = Inputs::new(self.request, gathered.sums.clone(), &self.additions)?;
        if let Some(built) = self.standing(&inputs) {
            return Ok(built);
        }
        let program = hosted.assemble(&gathered, &self.request.spec, &self.additions)?;
        let size = program.len() >> 20;
        self.progress
            .note(&format!("one EFI program with kernel and initramfs: {size} MiB"));
        let disk = disk::with_program(program, &inputs.seed);
        self.finish(&disk, inputs, Some(hosted.system(&gathered)))
    }

    /// The additions, and the file that says what was built, which can only be made once that is known.
    fn identified(&self, inputs: &Inputs) -> Vec<Addition> {
        let spec = &self.request.spec;
        let identity = (spec.disk.layout == Layout::Slots)
            .then(|| update::identity(&self.request.stem(), &spec.release, inputs.build()));
        self.additions.iter().cloned().chain(identity).collect()
    }

    /// Writes the update file, if there are root slots and it is asked for.
    fn write_update(&self, disk: &Disk, inputs: &Inputs) -> Result<Option<OutputFile>> {
        let (request, spec) = (self.request, &self.request.spec);
        let Some(slot) = disk.slot.as_ref().filter(|_| spec.update.file) else {
            return Ok(None);
        };
        let stem = request.stem();
        let about = update::about(&stem, &spec.release, inputs.build(), slot);
        let key = request.signing.key.as_ref();
        update::write(disk, slot, about, key, (&self.folder, &stem), self.progress).map(Some)
    }

    /// What an earlier build with the same inputs has left, if its files still stand untouched.
    fn standing(&self, inputs: &Inputs) -> Option<Built> {
        standing(&self.manifest_path, inputs, self.request).map(|manifest| Built {
            manifest,
            manifest_path: self.manifest_path.clone(),
            unchanged: true,
        })
    }

    /// Writes the disk and the account of it.
    fn finish(&self, disk: &Disk, inputs: Inputs, system: Option<String>) -> Result<Built> {
        let request = self.request;
        let spec = &request.spec;
        let stem = request.stem();
        let written = output::write(disk, &self.folder, &stem, &spec.formats, request.idle, self.progress)?;
        let files = { written.into_iter() }
            .map(output::Written::commit)
            .collect::<Result<Vec<_>>>()?;
        let files = files.into_iter().chain(self.write_update(disk, &inputs)?).collect();
        let manifest = Manifest {
            name: stem,
            base: request.base.name().into(),
            system,
            release: spec.release.clone(),
            hostname: spec.hostname.clone(),
            nics: spec.nics,
            files,
            slot: disk.slot.clone().map(Into::into),
            identity: { request.identity.as_ref() }.map(|identity| relative(identity, self.folder.path())),
            inputs: inputs.files,
            key: inputs.key,
        };
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
        output::replace(&self.manifest_path, text.as_bytes())?;
        Ok(Built {
            manifest,
            manifest_path: self.manifest_path.clone(),
            unchanged: false,
        })
    }
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
    /// What people call the build by: the first digits of the key.
    fn build(&self) -> &str {
        &self.key[..16]
    }

    fn new(request: &Request, mut files: BTreeMap<String, String>, additions: &[Addition]) -> Result<Self> {
        let spec_sum = hash::of_file(&request.spec_file)?;
        let seed = format!("{FORMAT} {} {files:?}", request.stem());
        let mut text = format!("{FORMAT}\n{spec_sum}\n{:?}\n{:?}\n", request.spec, files);
        if let Some(key) = &request.signing.key {
            text.push_str(&format!("signed by {:?}\n", key.verifying_key()));
        }
        if let Base::Hosted(hosted) = &request.base {
            text.push_str(&format!("{:?}\n", hosted.parts));
        }
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
